"""Administrative acts on the command line, written down like those over HTTP."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager

from zhiyin.cli.printing import remark
from zhiyin.cli.project import Project
from zhiyin.errors import ArtifactError


@contextmanager
def audited(project: Project, act: str, object: str) -> Iterator[None]:
    """Do something and write its outcome down.

    Whoever has a shell here can write to the audit anyway, and a rollback must be possible on a full disk: where it
    cannot be written down, a remark says so.
    """
    from zhiyin.serving.outcome import Outcome

    outcome = Outcome()
    try:
        with outcome:
            yield
    finally:
        note(project, act, object, outcome.text)


def note(project: Project, act: str, object: str, outcome: str = "done") -> None:
    """Write down what was done."""
    from zhiyin.serving.audit import Audit
    from zhiyin.serving.caller import COMMAND_LINE, Caller, Role

    try:
        who = Caller(f"{COMMAND_LINE}{_user()}", Role.ADMIN)
        Audit(project.root / project.config.access.audit).record(act, object, who, outcome)
    except ArtifactError as error:
        remark(f"{act} is not in the audit: {error}")


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, users need no names
        return str(os.getuid())
