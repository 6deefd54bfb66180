"""What goes wrong becomes one sentence on standard error and an exit code, never a traceback for what a user did."""

import difflib
import errno
from typing import Any

import typer

from zhiyin.errors import ZhiyinError

FAILED = 2
INTERRUPTED = 130

UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # typer names its parent in no public module

ADVICE = {
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.EISDIR: "name a file in it",
    errno.EEXIST: "choose another name",
    errno.EACCES: "change its permissions, or choose another place",
    errno.EPERM: "change its permissions, or choose another place",
    errno.EROFS: "choose another place",
    errno.ENOSPC: "make space and try again",
    errno.EDQUOT: "make space and try again",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f) and try again",
    errno.EADDRINUSE: "choose another port with --port",
    errno.EMFILE: "raise the limit on open files (ulimit -n) and try again",
}

REPORTED = (ZhiyinError, UsageError, OSError, MemoryError)
"""What a person can cause; anything else is a fault of ours, and its traceback is wanted."""


def sentence(error: BaseException) -> str:
    """What is wrong, where, and what to do, on one line."""
    if isinstance(error, UsageError):
        text = _usage(error)
    elif isinstance(error, OSError):
        text = _system(error)
    elif isinstance(error, MemoryError):
        text = "there is not enough memory for this: close other programs, or give less data or fewer models"
    else:
        text = str(error)
    return " ".join(text.split())


def _system(error: OSError) -> str:
    place = error.filename2 or error.filename
    advice = ADVICE.get(error.errno or 0, "check the disk and the permissions, and try again")
    what = error.strerror or type(error).__name__
    return f"{place}: {what}: {advice}" if place else f"{what}: {advice}"


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    verb = context.command_path if context else "zhiyin"
    option = getattr(error, "option_name", "")
    if option and type(error).__name__ == "NoSuchOption":
        return f"{option} is not an option of `{verb}`: {_nearest(option, context)}"
    message = " ".join(error.format_message().split()).rstrip(".")
    asks = message.endswith("?")
    return message if asks else f"{message}: run `{verb} --help`"


def _nearest(option: str, context: Any) -> str:
    known = [] if context is None else [name for one in context.command.params for name in one.opts]
    near = difflib.get_close_matches(option, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join([*sorted(known), '--help'])}"
