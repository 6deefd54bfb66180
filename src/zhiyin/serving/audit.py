"""What was done by whom: one line of JSON for each administrative act, each holding the hash of the line before it.

Whoever changes or removes a line in the middle breaks the chain. What was cut off its end shows only to somebody who
has noted a hash elsewhere.
"""

import asyncio
import errno
import hashlib
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct, structs

from zhiyin.errors import ArtifactError, RegistryBusyError, RequestError
from zhiyin.registry.durable import sync
from zhiyin.registry.lock import in_turn
from zhiyin.serving.caller import Caller
from zhiyin.serving.clock import Clock
from zhiyin.serving.outcome import Outcome

LONGEST_TEXT = 500
LONGEST_LINE = 65_536
"""Bytes; five texts of 500 characters take at most 30,000."""
WAIT_SECONDS = 5.0
"""For other processes that write; each takes milliseconds."""
FIRST = "0" * 64
"""What the first line holds in place of a hash."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

log = logging.getLogger(__name__)


class Entry(Struct, frozen=True):
    """One act."""

    time: str
    """ISO-8601, UTC."""
    actor: str
    """The name of the key, or "cli:" and the user of the machine."""
    address: str
    act: str
    object: str
    outcome: str
    """ "begun" before the act, then "done" or "failed"; of refusals how many there were in that minute."""
    request_id: str
    previous: str
    """The SHA-256 of the line before."""


class Audit:
    """The file; None keeps nothing, for a service inside another program."""

    def __init__(self, path: Path | None = None, clock: Callable[[], int] | None = None) -> None:
        self.path = path
        self._clock = clock or Clock()

    def record(self, act: str, object: str, caller: Caller, outcome: str = "done", *, request_id: str = "") -> None:
        """Write one act down; when this returns, the disk has it. In a coroutine: `asyncio.to_thread`.

        Raises
        ------
        ArtifactError
            If it cannot be written: then the act must not be done.
        """
        self.write([self.entry(act, object, caller, outcome, request_id)])

    def entry(self, act: str, object: str, caller: Caller, outcome: str, request_id: str = "") -> Entry:
        """An entry of now, its texts cut to a length."""
        time = (EPOCH + timedelta(microseconds=self._clock())).isoformat()
        actor, address = _cut(caller.name), _cut(caller.address)
        return Entry(time, actor, address, _cut(act), _cut(object), _cut(outcome), _cut(request_id), FIRST)

    def write(self, entries: Sequence[Entry], *, durable: bool = True) -> None:
        """Append entries, in one step; `durable` waits for the disk.

        Raises
        ------
        ArtifactError
            If they cannot be written: the file is as it was.
        """
        if self.path is None or not entries:
            return
        try:
            with in_turn(self.path.parent, f".{self.path.name}.lock", WAIT_SECONDS):
                _append(self.path, entries, durable)
        except OSError as error:
            raise ArtifactError(f"{self.path} cannot be written ({error.strerror}): {ADVICE}") from error
        except RegistryBusyError as error:
            raise ArtifactError(f"{self.path} cannot be written, {error}") from error

    @contextmanager
    def act(self, act: str, object: str, caller: Caller, *, request_id: str = "") -> Iterator[None]:
        """Do something that is written down before, and its outcome after; in a thread, not on the event loop.

        Raises
        ------
        RequestError
            503 if it cannot be written down: nothing is done then.
        """
        self._begin(act, object, caller, request_id)
        outcome = Outcome()
        try:
            with outcome:
                yield
        finally:
            self._end(act, object, caller, outcome.text, request_id)

    @asynccontextmanager
    async def acting(self, act: str, object: str, caller: Caller, *, request_id: str = "") -> AsyncIterator[None]:
        """The same on the event loop."""
        await asyncio.to_thread(self._begin, act, object, caller, request_id)
        outcome = Outcome()
        try:
            with outcome:
                yield
        finally:
            await asyncio.shield(asyncio.to_thread(self._end, act, object, caller, outcome.text, request_id))

    def _begin(self, act: str, object: str, caller: Caller, request_id: str) -> None:
        try:
            self.record(act, object, caller, "begun", request_id=request_id)
        except ArtifactError as error:
            log.error("%s was refused: %s", act, error)
            raise RequestError(
                503, f"{act} cannot be audited now and was not done: see the log of the service"
            ) from None

    def _end(self, act: str, object: str, caller: Caller, outcome: str, request_id: str) -> None:
        try:
            self.record(act, object, caller, outcome, request_id=request_id)
        except ArtifactError as error:  # it has been done: to fail now would be a lie
            log.error("%s is %s, and this could not be audited: %s", act, outcome, error)


ADVICE = "make space, or change its permissions"


def line_of(entry: Entry) -> bytes:
    """An entry as it stands in the file, without the line break."""
    return json.dumps(structs.asdict(entry), separators=(",", ":")).encode()


def hash_of(line: bytes) -> str:
    """What the next line holds of this one."""
    return hashlib.sha256(line).hexdigest()


def _cut(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= LONGEST_TEXT else whole[: LONGEST_TEXT - 1] + "…"


def _append(path: Path, entries: Sequence[Entry], durable: bool) -> None:
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size, previous = _end_of(descriptor)
        lines = []
        for entry in entries:
            lines.append(line_of(structs.replace(entry, previous=previous)))
            previous = hash_of(lines[-1])
        content = b"".join(line + b"\n" for line in lines)
        if os.write(descriptor, content) < len(content):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new and durable:
        sync(path.parent)


def _end_of(descriptor: int) -> tuple[int, str]:
    """Where the next line begins, and the hash of the last; half a line, of a process that died, is cut off."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, min(size, LONGEST_LINE), size - min(size, LONGEST_LINE))
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        size -= len(tail) - len(whole)
        os.ftruncate(descriptor, size)
    last = whole[:-1].rpartition(b"\n")[2]
    return size, hash_of(last) if whole else FIRST
