"""One training at a time: a lock that the operating system drops when its holder dies, however it dies."""

import contextlib
import datetime as dt
import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from zhiyin.errors import ArtifactError, RegistryBusyError

PAUSE_SECONDS = 0.005

_held: set[tuple[int, int, Path]] = set()  # (process, thread, lock file): who is inside may enter again


@contextlib.contextmanager
def exclusive(root: Path, name: str = ".lock") -> Iterator[None]:
    """Hold a registry. A thread that holds it already may enter again; nobody else may, and nobody waits.

    Raises
    ------
    RegistryBusyError
        If another process or thread holds it; says which process, and since when.
    ArtifactError
        If the directory cannot be written.
    """
    key = (os.getpid(), threading.get_ident(), (root / name).resolve())
    if key in _held:
        yield
        return
    with _opened(root, name) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(root / name)
            raise RegistryBusyError(f"{root} is in use by {holder}: wait until it ends, or stop it") from None
        _held.add(key)
        try:
            with contextlib.suppress(OSError):  # a full disk must not keep a rollback from being made
                file.truncate(0)
                file.write(_signature())
            yield
        finally:
            _held.discard(key)


def is_held(root: Path, name: str = ".lock") -> bool:
    """Whether somebody holds it now, this process included; changes nothing."""
    try:
        with (root / name).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # nobody ever has
        return False
    return False


@contextlib.contextmanager
def in_turn(root: Path, name: str, seconds: float) -> Iterator[None]:
    """The same for what takes milliseconds: wait for one's turn, at most so long.

    Raises
    ------
    RegistryBusyError
        If it does not come.
    ArtifactError
        If the directory cannot be written.
    """
    end = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(exclusive(root, name))
                break
            except RegistryBusyError:
                if time.monotonic() >= end:
                    raise
                time.sleep(PAUSE_SECONDS)
        yield


def _opened(root: Path, name: str) -> FileIO:
    try:
        root.mkdir(parents=True, exist_ok=True)
        return FileIO(root / name, "a+")
    except OSError as error:
        raise ArtifactError(
            f"{root} cannot be written ({error.strerror}): make space, or choose another directory"
        ) from error


def _signature() -> bytes:
    since = dt.datetime.now(dt.UTC).isoformat(sep=" ", timespec="seconds")
    return json.dumps({"pid": os.getpid(), "since": since}).encode()


def _holder(path: Path) -> str:
    try:
        with path.open("rb") as file:
            signed = json.loads(file.read(1_000))
        return f"process {int(signed['pid'])} since {str(signed['since'])[:40]}"
    except (OSError, ValueError, KeyError, TypeError):  # it has only just taken the lock
        return "another process"
