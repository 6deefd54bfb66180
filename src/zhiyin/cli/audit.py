"""`zhiyin audit`: what was done by whom."""

from pathlib import Path
from typing import Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath
from zhiyin.cli.printing import remark, say, show, show_json, table

MOST = 100_000

audit = typer.Typer(help="Show what was done by whom, and whether the record was changed.", invoke_without_command=True)


@audit.callback()
def listed(
    context: typer.Context,
    last: Annotated[int, typer.Option(help="How many entries.", metavar="N", min=1, max=MOST)] = 20,
    config: ConfigPath = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show the newest administrative acts and refusals, oldest of them first.

    JSON: a list of time, actor, address, act, object, outcome, request_id, previous (the hash of the line before).
    """
    from msgspec import structs

    from zhiyin.serving.audit_trail import newest

    if context.invoked_subcommand is not None:
        return
    entries = newest(_path(config), last).entries[::-1]
    if as_json:
        show_json([structs.asdict(entry) for entry in entries])
        return
    if not entries:
        remark("nothing was done yet")
        return
    rows = [(one.time[:19], one.actor, one.address, one.act, one.object, one.outcome) for one in entries]
    show(table(("time", "who", "from", "did", "what", "outcome"), rows))


@audit.command()
def verify(
    head: Annotated[
        str | None, typer.Option(help="The hash that was told before: lines cut off the end show, too.", metavar="HASH")
    ] = None,
    config: ConfigPath = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Look whether any line was changed or removed since; exits with 1 when one was.

    JSON: entries, head (the hash of the last line), fault.
    """
    from zhiyin.serving.audit_trail import verified

    found = verified(_path(config), head)
    if as_json:
        show_json(vars(found))
    elif found.fault:
        say(found.fault, "bold red")
    else:
        say(f"{found.entries:,} entries, each follows from the one before; note the hash of the last: {found.head}")
    if found.fault:
        raise typer.Exit(1)


def _path(config: Path) -> Path:
    from zhiyin.cli.project import Project

    project = Project.read(config)
    return project.root / project.config.access.audit
