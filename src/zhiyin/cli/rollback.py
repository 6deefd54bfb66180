"""`zhiyin rollback`."""

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath
from zhiyin.cli.printing import say, show_json


def rollback(config: ConfigPath = CONFIG, as_json: AsJson = False) -> None:
    """Let the release that served before serve again.

    JSON: serving, before.
    """
    from zhiyin.cli.acting import audited
    from zhiyin.cli.project import Project, now

    project = Project.read(config)
    before = project.store.serving()
    with audited(project, "roll back", f"from release {before}"):
        number = project.store.rollback(now())
    if as_json:
        show_json({"serving": number, "before": before})
        return
    say(f"release {number} serves again, {before} does no more: `zhiyin promote {before}` takes it back")
