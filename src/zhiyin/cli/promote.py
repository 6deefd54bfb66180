"""`zhiyin promote`."""

import sys
from typing import Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath
from zhiyin.cli.printing import say, show_json
from zhiyin.errors import ConfigError


def promote(
    number: Annotated[int, typer.Argument(help="The number of the release.", metavar="RELEASE")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigPath = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let a release serve, whatever the gate said of it.

    JSON: serving, before.
    """
    from zhiyin.cli.acting import audited
    from zhiyin.cli.project import Project, now

    project = Project.read(config)
    store = project.store
    store.verified(number)
    serving = store.serving()
    if serving == number and not as_json:
        say(f"release {number} serves already")
        return
    if serving != number and not (yes or _confirmed(number, serving)):
        say("nothing was changed")
        return
    with audited(project, "promote", f"release {number}"):
        store.promote(number, now(), "promoted by hand")
    if as_json:
        show_json({"serving": number, "before": serving})
        return
    before = f", and {serving} did before: `zhiyin rollback` goes back" if serving else ""
    say(f"release {number} serves now{before}")


def _confirmed(number: int, serving: int | None) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError(f"nobody can be asked whether release {number} shall serve: add --yes")
    instead = f" instead of {serving}" if serving else ""
    return typer.confirm(f"Shall release {number} serve{instead}?")
