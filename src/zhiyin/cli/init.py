"""`zhiyin init`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson
from zhiyin.cli.printing import say, show_json
from zhiyin.errors import ConfigError

File = Annotated[Path | None, typer.Option(help="The file of these, where there is one.", metavar="FILE")]


def init(
    events: Annotated[Path, typer.Argument(help="The file of events: CSV, TSV, JSON Lines or Parquet.")],
    items: File = None,
    users: File = None,
    friends: File = None,
    out: Annotated[Path, typer.Option(help="Where to write it.", metavar="FILE")] = CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at some files and write a commented zhiyin.toml.

    JSON: written, recognised (table, columns: ours to theirs, kept, ignored, notes).
    """
    from zhiyin.cli.recognised import show_recognised
    from zhiyin.data.proposal import propose
    from zhiyin.registry.account import recognised_json
    from zhiyin.registry.config import parsed
    from zhiyin.registry.durable import replace_bytes

    if out.exists() and not force:
        raise ConfigError(f"{out} exists: add --force to replace it, or --out to write another file")
    others = (None if path is None else _seen_from(path, out.parent) for path in (items, users, friends))
    proposal = propose(_seen_from(events, out.parent), *others)
    parsed(proposal.text, str(out))
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_bytes(out, proposal.text.encode())
    if as_json:
        show_json({"written": str(out), "recognised": recognised_json(proposal.recognised)})
        return
    show_recognised(proposal.recognised)
    option = "" if out == CONFIG else f" --config {out}"
    say(f"\nwritten to {out}: look through it, then run `zhiyin check{option}`")


def _seen_from(path: Path, folder: Path) -> Path:
    """A path as zhiyin.toml has to name it: relative to its own folder, where it was not absolute."""
    return path if path.is_absolute() else Path(os.path.relpath(path, folder))
