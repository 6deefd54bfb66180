"""The durable store of events: what is acknowledged is on the disk, and many callers share one write to it."""

import asyncio
import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self, TypeAlias

import msgspec

from zhiyin.data.sources.live import SCHEMA, SCHEMA_VERSION, check_version, opened
from zhiyin.errors import DataError, RequestError

MOST_WAITING = 200_000
"""Events that may wait for the disk; beyond it callers are asked to come back."""

LARGEST_COMMIT = 20_000
"""Events of one transaction, unless one call alone brings more."""

LOCK_SECONDS = 5.0
WAL_BYTES = 64 * 2**20

UNWRITABLE = (sqlite3.Error, OSError, DataError, ValueError, OverflowError)
"""What a write can raise; the last two are for values that SQLite cannot hold."""

log = logging.getLogger(__name__)


class Event(NamedTuple):
    """One thing that happened, as the table has it; the sequence number comes with storing."""

    user_id: str
    item_id: str
    event_type: str
    timestamp: int  # µs UTC
    received: int  # µs UTC
    event_id: str | None = None
    value: float | None = None
    price: float | None = None
    quantity: float | None = None
    request_id: str | None = None


Stored: TypeAlias = tuple[int, Event]
"""A sequence number and its event."""

COLUMNS = ", ".join(Event._fields)
INSERT = f"INSERT INTO events (sequence, {COLUMNS}) VALUES ({', '.join('?' * (len(Event._fields) + 1))})"  # noqa: S608 - our own names
SINCE = f"SELECT sequence, {COLUMNS} FROM events WHERE sequence > ? ORDER BY sequence"  # noqa: S608 - our own names
OF_USER = f"SELECT sequence, {COLUMNS} FROM events WHERE user_id = ? AND sequence > ? ORDER BY sequence DESC LIMIT ?"  # noqa: S608 - our own names


@dataclass(frozen=True)
class Appended:
    """What became of the events of one call."""

    stored: int
    repeated: int  # their event_id was stored before


@dataclass(eq=False)
class _Call:
    events: Sequence[Event]
    answer: "asyncio.Future[Appended]"
    stored: list[Stored] = field(default_factory=list)


class EventStore:
    """`async with EventStore(path) as store`, then `await store.append(events)` from the same event loop.

    One thread writes. While it waits for the disk, calls gather, and the next transaction takes all of them.
    """

    def __init__(self, path: Path, *, most_waiting: int = MOST_WAITING, lock_seconds: float = LOCK_SECONDS) -> None:
        self.path = path
        self._most_waiting = most_waiting
        self._lock_seconds = lock_seconds
        self._listeners: list[Callable[[Sequence[Stored]], None]] = []
        self._calls: deque[_Call] = deque()
        self._waiting = 0
        self._closing = False
        self._changed = threading.Condition()
        self.problem = ""
        """Why the last write failed; empty if it did not."""
        self.took: Callable[[float], None] = lambda _: None
        """Told the seconds of each transaction, in the thread that writes."""

    @property
    def waiting(self) -> int:
        """Events that wait for the disk."""
        return self._waiting

    def check(self) -> None:
        """Create the file, or see that it can be written.

        Raises
        ------
        DataError
            If the file cannot be opened, or is not an event store of this version.
        """
        try:
            self._opened().close()
        except (OSError, sqlite3.Error) as error:
            raise DataError(
                f"{self.path} cannot be opened as the event store ({error}): check the path in serve.store"
            ) from None

    async def __aenter__(self) -> Self:
        """Create or open the file, and start to write; raises as `check` does."""
        self.check()
        self._writer: sqlite3.Connection | None = None
        self._reader = opened(self.path)
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._thread = threading.Thread(target=self._write, name="event-store", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what is waiting, then close."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join)
        self._reader.close()
        if self._writer:
            self._writer.close()

    def listen(self, listener: Callable[[Sequence[Stored]], None]) -> None:
        """Call it on the event loop with what was committed, in order, before any caller is told."""
        self._listeners.append(listener)

    async def append(self, events: Sequence[Event]) -> Appended:
        """Store all of these or none; when this returns they are on the disk.

        Raises
        ------
        RequestError
            503 if the disk is full, the file is locked, or too many events wait; nothing was stored.
        """
        if not events:
            return Appended(0, 0)
        call = _Call(events, self._loop.create_future())
        with self._changed:
            if self._closing:
                raise RequestError(503, "the service is shutting down and nothing was stored: send it again")
            if self._waiting and self._waiting + len(events) > self._most_waiting:
                raise RequestError(
                    503, f"{self._waiting:,} events wait for the disk and nothing was stored: send it again later"
                )
            self._waiting += len(events)
            self._calls.append(call)
            self._changed.notify()
        return await call.answer

    def since(self, sequence: int) -> Iterator[Stored]:
        """What was stored after a sequence number, in order, as one moment; rows are read while they are used."""
        with closing(opened(self.path)) as connection:
            for number, *event in connection.execute(SINCE, (sequence,)):
                yield number, Event(*event)

    def of_user(self, user_id: str, after: int, most: int) -> list[Stored]:
        """The newest `most` events of a person after a sequence number, oldest first.

        Raises
        ------
        RequestError
            503 if the file cannot be read.
        """
        try:
            rows = self._reader.execute(OF_USER, (user_id, after, most)).fetchall()
        except sqlite3.Error as error:
            raise RequestError(503, f"the event store cannot be read now ({error}): try again") from None
        return [(number, Event(*event)) for number, *event in reversed(rows)]

    def _opened(self) -> sqlite3.Connection:
        """The writing connection; an empty file gets its table."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))  # what people did is nobody else's business
        connection = sqlite3.connect(
            self.path, timeout=self._lock_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if tables:
                check_version(connection, self.path)  # before anything is changed
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
            if tables == 0:
                connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        except (DataError, sqlite3.Error):
            connection.close()
            raise
        return connection

    def _write(self) -> None:
        """The life of the writing thread."""
        while calls := self._gathered():
            failure: RequestError | None = None
            started = time.perf_counter()
            try:
                self._commit(calls)
                self.took(time.perf_counter() - started)
            except UNWRITABLE as error:
                log.error("%s: %d calls were refused because writing failed: %s", self.path, len(calls), error)
                failure = RequestError(
                    503, f"the event store cannot write now ({error}) and nothing was stored: send it again"
                )
                self._start_anew()
            self._loop.call_soon_threadsafe(self._answer, calls, failure)

    def _gathered(self) -> list[_Call]:
        """The calls of the next transaction, in order; none when the store is closing and all is written."""
        with self._changed:
            while not self._calls and not self._closing:
                self._changed.wait()
            calls: list[_Call] = []
            size = 0
            while self._calls and (not calls or size + len(self._calls[0].events) <= LARGEST_COMMIT):
                calls.append(self._calls.popleft())
                size += len(calls[-1].events)
            return calls

    def _commit(self, calls: Sequence[_Call]) -> None:
        """One transaction, one write to the disk."""
        if self._writer is None:
            self._writer = self._opened()
        self._writer.execute("BEGIN IMMEDIATE")
        (last,) = self._writer.execute("SELECT coalesce(max(sequence), 0) FROM events").fetchone()
        known = self._known(event.event_id for call in calls for event in call.events if event.event_id is not None)
        for call in calls:
            call.stored = []
            for event in call.events:
                if event.event_id is not None:
                    if event.event_id in known:
                        continue
                    known.add(event.event_id)
                last += 1
                call.stored.append((last, event))
        self._writer.executemany(INSERT, ((number, *event) for call in calls for number, event in call.stored))
        self._writer.execute("COMMIT")

    def _known(self, event_ids: Iterable[str]) -> set[str]:
        """Which of these are in the table."""
        asked = list(event_ids)
        if not asked or self._writer is None:
            return set()
        query = "SELECT event_id FROM events WHERE event_id IN (SELECT value FROM json_each(?))"
        return {found for (found,) in self._writer.execute(query, (msgspec.json.encode(asked).decode(),))}

    def _start_anew(self) -> None:
        """After a failed write: an open transaction is rolled back by closing, the next call opens the file again."""
        if self._writer:
            self._writer.close()
            self._writer = None

    def _answer(self, calls: Sequence[_Call], failure: RequestError | None) -> None:
        """On the event loop: listeners first, so that whoever is told finds the world changed."""
        with self._changed:
            self._waiting -= sum(len(call.events) for call in calls)
        self.problem = str(failure or "")
        if failure is None:
            stored = [one for call in calls for one in call.stored]
            for listener in self._listeners:
                listener(stored)
        for call in calls:
            if call.answer.done():  # the caller has gone
                continue
            if failure is None:
                call.answer.set_result(Appended(len(call.stored), len(call.events) - len(call.stored)))
            else:
                call.answer.set_exception(RequestError(failure.status, str(failure)))
