"""Requests to train anew, as a file in the registry: anybody who may write there can ask, and none is lost.

A request waits in one file. A training takes it by renaming it, so that what is asked meanwhile is a new file and leads
to one more training, and removes it when it has succeeded, so that what was asked outlives a failure and a crash.
"""

from pathlib import Path

import msgspec

from zhiyin.registry.durable import replace_bytes

WAITING, TAKEN = "retrain-request.json", "retrain-taken.json"
LARGEST = 10_000
"""Bytes of a request that are looked at."""


class Request(msgspec.Struct, frozen=True):
    """Somebody wants a training."""

    reason: str
    when: int  # µs UTC


UNREADABLE = Request("a request that cannot be read", 0)


def request(root: Path, reason: str, when: int) -> None:
    """Ask for a training; several that wait are one.

    Parameters
    ----------
    root
        The directory of the releases.
    when
        µs UTC, for the record.

    Raises
    ------
    OSError
        If the registry cannot be written.
    """
    root.mkdir(parents=True, exist_ok=True)
    replace_bytes(root / WAITING, msgspec.json.encode(Request(reason[:1_000], when)))


def waiting(root: Path) -> Request | None:
    """What was asked and no training has begun for."""
    return _read(root / WAITING)


def pending(root: Path) -> Request | None:
    """What was asked and no training has succeeded for."""
    return _read(root / WAITING) or _read(root / TAKEN)


def take(root: Path) -> None:
    """A training begins, for all that was asked until now."""
    if (root / WAITING).exists():
        (root / WAITING).replace(root / TAKEN)


def done(root: Path) -> None:
    """The training that took the request has succeeded."""
    (root / TAKEN).unlink(missing_ok=True)


def _read(path: Path) -> Request | None:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=Request)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNREADABLE
