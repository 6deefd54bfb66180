"""`zhiyin keys`: who may call the service."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath
from zhiyin.cli.printing import remark, say, show_json

if TYPE_CHECKING:
    from zhiyin.serving.keys import Keys

keys = typer.Typer(help="Create, list and revoke the API keys of the service.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Who shall use it.", metavar="NAME")]


@keys.command()
def create(name: Name, config: ConfigPath = CONFIG, as_json: AsJson = False) -> None:
    """Make a key and show it, once: only its hash is kept.

    JSON: name, key.
    """
    key = _keys(config).create(name)
    if as_json:
        show_json({"name": name, "key": key})
        return
    print(key)
    remark("keep it, it is not shown again; send it as `Authorization: Bearer KEY`")


@keys.command("list")
def listed(config: ConfigPath = CONFIG, as_json: AsJson = False) -> None:
    """List who has a key.

    JSON: a list of names.
    """
    names = _keys(config).names()
    if as_json:
        show_json(names)
        return
    for name in names:
        say(name)
    if not names:
        remark("there are no keys: run `zhiyin keys create NAME`")


@keys.command()
def revoke(name: Name, config: ConfigPath = CONFIG) -> None:
    """Refuse a key from now on."""
    _keys(config).revoke(name)
    say(f"the key of {name} is refused from now on")


def _keys(config: Path) -> "Keys":
    from zhiyin.cli.project import Project
    from zhiyin.serving.keys import Keys

    project = Project.read(config)
    return Keys(project.root / project.config.serve.keys)
