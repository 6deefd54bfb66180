"""`zhiyin doctor`."""

from typing import Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath
from zhiyin.cli.printing import remark, say, show, show_json, table

WORDS = {"ok": "all is well", "warn": "it will work, with the warnings above", "fail": "something must be repaired"}


def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Bring the store to the schema of this version.")] = False,
    config: ConfigPath = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Look whether everything that zhiyin needs is well; exits with 1 when something fails.

    JSON: ok, checks (name, level: ok, warn or fail, found, advice).
    """
    from zhiyin.cli.checks import every_check

    if fix:
        from zhiyin.cli.project import Project
        from zhiyin.data.store.connect import migrate_at_once

        address = Project.read(config).events
        if steps := migrate_at_once(address):
            remark(f"{address} has the changes {', '.join(steps)} now")
    checks = every_check(config)
    worst = next((level for level in ("fail", "warn") if any(one.level == level for one in checks)), "ok")
    if as_json:
        show_json({"ok": worst != "fail", "checks": [vars(one) for one in checks]})
    else:
        rows = [(one.level, one.name, one.found + (f" → {one.advice}" if one.advice else "")) for one in checks]
        show(table(("", "what", "found"), rows))
        say(WORDS[worst], {"ok": "green", "warn": "yellow", "fail": "bold red"}[worst])
    if worst == "fail":
        raise typer.Exit(1)
