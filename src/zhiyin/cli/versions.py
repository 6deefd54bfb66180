"""`zhiyin versions`."""

import datetime as dt

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath
from zhiyin.cli.printing import remark, say, show, show_json, table


def versions(config: ConfigPath = CONFIG, as_json: AsJson = False) -> None:
    """List the releases, and which of them serves.

    JSON: a list of number, created (ISO-8601), metrics, serving, previous, problem.
    """
    from zhiyin.cli.project import Project

    found = Project.read(config).store.versions()
    if as_json:
        show_json([{**vars(one), "created": moment(one.created), "metrics": dict(one.metrics)} for one in found])
        return
    if not found:
        say("there is no release yet: run `zhiyin train`")
        return
    metrics = list(dict.fromkeys(name for one in found for name in one.metrics))[:4]
    rows = []
    for one in found:
        state = "serving" if one.serving else "before it" if one.previous else ""
        values = [f"{one.metrics[name]:.4f}" if _number(one.metrics.get(name)) else None for name in metrics]
        rows.append([one.number, moment(one.created), *values, "damaged" if one.problem else state])
    show(table(("release", "created", *metrics, ""), rows, right=("release", *metrics)))
    for one in found:
        if one.problem:
            remark(f"release {one.number}: {one.problem}")


def moment(time: int | None) -> str | None:
    """µs UTC in words, to the second."""
    if time is None:
        return None
    return dt.datetime.fromtimestamp(time / 1_000_000, dt.UTC).isoformat(sep=" ", timespec="seconds")


def _number(value: object) -> bool:
    return isinstance(value, int | float)
