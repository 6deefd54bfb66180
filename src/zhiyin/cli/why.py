"""`zhiyin why`."""

from typing import Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath, K, VersionNumber, Where
from zhiyin.cli.printing import say, show, show_json, table


def why(
    user: Annotated[str, typer.Argument(help="Who was shown the item, or was not.", metavar="USER")],
    item: Annotated[str, typer.Argument(help="The item.", metavar="ITEM")],
    k: K = 10,
    where: Where = None,
    now: Annotated[str | None, typer.Option(help="The moment of asking, if it is not now.", metavar="TIME")] = None,
    version: VersionNumber = None,
    config: ConfigPath = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Tell why an item is in a person's list, or why not: what it has to pass, stage by stage.

    JSON: release, user_id, item_id, k, rank (null: not shown), stages (name, passed, remaining, detail), verdict.
    """
    from dataclasses import asdict

    from zhiyin.cli.project import Project
    from zhiyin.cli.project import now as clock
    from zhiyin.ranking import why as funnel
    from zhiyin.ranking.funnel import Asked
    from zhiyin.ranking.terms import Terms
    from zhiyin.serving.moments import moment

    when = clock() if now is None else moment(int(now) if now.isdecimal() else now, "--now")
    project = Project.read(config)
    asker = project.asker(version)
    release = asker.release
    queries = asker.queries(project.known_as(release, user), when)
    index = int(release.items.indexes([item])[0])
    found = funnel.why(Asked(release.pipeline, queries, index, k, Terms(where=(where,) if where else ()), person=user))
    if as_json:
        about = {"release": release.number, "user_id": user, "item_id": item, "k": k}
        show_json({**about, **asdict(found)})
        return
    rows = [(one.name, "yes" if one.passed else "no", f"{one.remaining:,}", f"{one.detail}") for one in found.stages]
    show(table(["stage", "passed", "left", "detail"], rows, right=("left",), title=f"{item} for {user}"))
    say(found.verdict)
