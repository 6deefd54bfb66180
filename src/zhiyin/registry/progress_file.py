"""Where something that takes long has come to, in a file beside the releases, so that any process can watch it."""

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from zhiyin.registry.prepare import Progress, silent

PAUSE_SECONDS = 0.3
"""From one note of the same work to the next."""
LARGEST = 10_000
"""Bytes of a file that are looked at."""


class Doing(msgspec.Struct, frozen=True):
    """What is being done."""

    what: str
    done: int
    steps: int
    """How many there are of this work."""


@contextmanager
def told(path: Path, progress: Progress = silent) -> Iterator[Progress]:
    """A progress that is told to `progress` and stands in the file meanwhile; it is gone at the end.

    A disk that is full takes nothing from the work: then nobody can watch.
    """
    last = ("", -math.inf)

    def tell(what: str, done: int, steps: int) -> None:
        nonlocal last
        progress(what, done, steps)
        now = time.monotonic()
        if what == last[0] and now - last[1] < PAUSE_SECONDS:
            return
        last = (what, now)
        with suppress(OSError):
            _replace(path, msgspec.json.encode(Doing(what[:500], done, steps)))

    try:
        yield tell
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def doing(path: Path) -> Doing | None:
    """What the file says; None if nothing is done, or not yet. A process that was killed leaves its last words."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=Doing)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _replace(path: Path, content: bytes) -> None:
    """In one step, and without waiting for the disk: after a power cut nobody asks."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.write_bytes(content)
    beside.replace(path)
