"""`zhiyin batch`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath, K, VersionNumber, Where
from zhiyin.cli.printing import remark, say, show_json
from zhiyin.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCK_PEOPLE = 4_096


def batch(
    out: Annotated[Path, typer.Option(help="recs.parquet, recs.csv or recs.jsonl.", metavar="FILE")],
    k: K = 10,
    users: Annotated[Path | None, typer.Option(help="Only for these: one id a line.", metavar="FILE")] = None,
    where: Where = None,
    version: VersionNumber = None,
    config: ConfigPath = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write everyone's recommendations of now to a file: user_id, item_id, score, rank, origin.

    JSON: release, written, people, strangers, rows.
    """
    from zhiyin.cli.progress import bars
    from zhiyin.cli.project import Project, now
    from zhiyin.cli.table_file import TableFile
    from zhiyin.data.store.records import is_session
    from zhiyin.ranking.terms import Terms

    target, terms = TableFile(out), Terms(where=(where,) if where else ())
    project = Project.read(config)
    asker, moment = project.asker(version), now()
    release = asker.release
    known = (one for one in release.users.texts if not is_session(one))  # nobody can be written to in a session
    everyone = [*known, *(one for one in asker.active if one not in release.users)]
    names: Sequence[str] = everyone if users is None else _listed(users)
    ids = names if users is None else [project.known_as(release, name) for name in names]
    rows = 0
    with bars() as progress, target as file:
        for first in range(0, max(len(ids), 1), BLOCK_PEOPLE):
            progress("recommending", first, len(ids))
            block = slice(first, first + BLOCK_PEOPLE)
            found = asker.recommend(ids[block], k, now=moment, terms=terms)
            if ids is not names:  # a pseudonym in, the name that was asked for out
                found = found.with_columns(found["user_id"].replace(dict(zip(ids[block], names[block], strict=True))))
            file.add(found)
            rows += found.height
    strangers = sum(not asker.knows(one) for one in ids)
    if as_json:
        done = {"written": str(out), "people": len(ids), "strangers": strangers, "rows": rows}
        show_json({"release": release.number, **done})
        return
    if strangers:
        remark(f"{strangers:,} of {len(ids):,} people are not known to release {release.number}: answered as strangers")
    say(f"{rows:,} rows for {len(ids):,} people, by release {release.number}, are in {out}")


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path} is not a text in UTF-8: give one id a line") from None
    names = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    names = names[1:] if names[:1] == ["user_id"] else names
    if not names:
        raise DataError(f"{path} names nobody: give one id a line")
    return names
