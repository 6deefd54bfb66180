"""`zhiyin keys`: who may call the service."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath
from zhiyin.cli.printing import remark, say, show, show_json, table

if TYPE_CHECKING:
    from zhiyin.cli.project import Project
    from zhiyin.serving.key import Key
    from zhiyin.serving.keys import Keys

keys = typer.Typer(help="Create, list, revoke and expire the API keys of the service.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Who shall use it.", metavar="NAME")]
END = 'When it ends: "90d" from now, a date such as "2027-01-31" (UTC), or "never".'


@keys.command()
def create(
    name: Name,
    role: Annotated[
        str, typer.Option(help="reader asks, writer also sends events, operator runs it, admin sees people.")
    ] = "writer",
    scenario: Annotated[
        list[str] | None, typer.Option(help="What it may ask for; everything if not given.", metavar="NAME")
    ] = None,
    expires: Annotated[str, typer.Option(help=END, metavar="WHEN")] = "never",
    rate: Annotated[str | None, typer.Option(help='How often it may ask: "20/s".', metavar="RATE")] = None,
    config: ConfigPath = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, once: only its hash is kept.

    JSON: name, key.
    """
    from zhiyin.cli.acting import audited
    from zhiyin.serving.caller import Role

    project = _project(config)
    with audited(project, "create key", name):
        key = _keys(project).create(
            name, role=Role.read(role), scenarios=scenario or (), expires=_moment(expires), rate=rate
        )
    if as_json:
        show_json({"name": name, "key": key})
        return
    print(key)
    remark("keep it, it is not shown again; send it as `Authorization: Bearer KEY`")


@keys.command("list")
def listed(config: ConfigPath = CONFIG, as_json: AsJson = False) -> None:
    """List the keys: what each may do, when it was used last, and whether it is valid.

    JSON: a list of name, state (valid, expired or revoked), role, scenarios, rate, created, used (to the hour),
    expires, revoked (ISO-8601).
    """
    from zhiyin.cli.project import now

    found = _keys(_project(config))
    used, moment = found.used.read(), now()
    rows = [_row(key, used.get(key.prefix), moment) for key in found.all()]
    if as_json:
        show_json(rows)
        return
    if not rows:
        remark("there are no keys: run `zhiyin keys create NAME`")
        return
    columns = ("name", "state", "role", "scenarios", "rate", "created", "used", "expires")
    shown = [
        [", ".join(cell) or "all" if isinstance(cell, list) else cell for cell in map(row.get, columns)] for row in rows
    ]
    show(table(columns, shown))


@keys.command()
def revoke(name: Name, config: ConfigPath = CONFIG) -> None:
    """Refuse a key from now on."""
    from zhiyin.cli.acting import audited

    project = _project(config)
    with audited(project, "revoke key", name):
        _keys(project).revoke(name)
    say(f"the key of {name} is refused from now on")


@keys.command()
def expire(
    name: Name, when: Annotated[str, typer.Argument(help=END, metavar="WHEN")], config: ConfigPath = CONFIG
) -> None:
    """Let a key end at a moment."""
    from zhiyin.cli.acting import audited

    project, moment = _project(config), _moment(when)
    with audited(project, "expire key", f"{name}: {when}"):
        _keys(project).expire(name, moment)
    say(f"the key of {name} " + ("never expires" if moment is None else f"is valid until {_written(moment)}"))


def _moment(text: str) -> int | None:
    from zhiyin.cli.project import now
    from zhiyin.serving.key_end import key_end

    return key_end(text, now())


def _row(key: "Key", used: int | None, now: int) -> dict[str, Any]:
    times = {"created": key.created, "used": used, "expires": key.expires, "revoked": key.revoked}
    return {
        "name": key.name,
        "state": key.state(now),
        "role": str(key.role),
        "scenarios": list(key.scenarios),
        "rate": key.rate,
        **{name: None if time is None else _written(time) for name, time in times.items()},
    }


def _written(time: int) -> str:
    from zhiyin.cli.versions import moment

    return str(moment(time))


def _project(config: Path) -> "Project":
    from zhiyin.cli.project import Project

    return Project.read(config)


def _keys(project: "Project") -> "Keys":
    from zhiyin.serving.keys import Keys

    return Keys(project.root / project.config.serve.keys)
