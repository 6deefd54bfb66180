"""The histories of people and sessions as of now: what the release knows of them, and what they have done since.

Any worker may have taken an event, so every question reads from the store what is new, and only that.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import numpy as np

from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.data.store.records import Event, News
from zhiyin.errors import StoreError
from zhiyin.registry.release import Release
from zhiyin.serving.memory import Key, Memory, Session

MOST_EVENTS_EACH = 1_000
"""Live events of one person that count, the newest; older ones count again with the next release."""

MOST_EVENTS = 500_000
"""Events held in memory, about 150 MB; the person who was asked for longest ago is forgotten first, and read again
from the store when asked for."""

MOST_TRIES = 3
"""Readings for one question, while other questions and changes come in between."""


class Tells(Protocol):
    """What keeps the events; `zhiyin.serving.store.Store` does."""

    async def news(
        self, user_id: str | None, session_id: str | None, after: int, most: int, changes_after: int | None = None
    ) -> News:
        """What happened around a person, or a session, after a sequence number; raises StoreError if it cannot say."""
        ...

    async def quiet(
        self, user_id: str | None, session_id: str | None, after: int, change: int, *, held: bool = True
    ) -> bool:
        """Whether there is no news for who knows all up to an event and a change, and holds somebody or does not.

        Raises StoreError, too.
        """
        ...

    async def forgotten(self, after: int = 0) -> frozenset[str]:
        """Digests of who was erased after a moment; raises StoreError if it cannot say."""
        ...

    def digest(self, user_id: str) -> str:
        """What `forgotten` holds of a person."""
        ...


class Known(NamedTuple):
    """What is known of who asks."""

    queries: Queries
    stale: bool = False
    """The store could not be read: what was done last may be missing."""
    personalised: bool = True
    """False: the person wants answers that use nothing of this, and the queries are those of a stranger."""


class Sessions:
    """Used from one thread, the one of the event loop."""

    def __init__(
        self, store: Tells, *, most_events_each: int = MOST_EVENTS_EACH, most_events: int = MOST_EVENTS
    ) -> None:
        self._store = store
        self._most_events_each = most_events_each
        self._most_events = most_events
        self._memory: Memory | None = None

    def __len__(self) -> int:
        return len(self._memory) if self._memory else 0

    @property
    def change(self) -> int:
        """The number of the latest change that was heard of; 0 before the first reading."""
        return (self._memory.change if self._memory else None) or 0

    async def queries(self, release: Release, user_id: str | None, session_id: str | None, now: int) -> Known:
        """What is known at `now` (µs UTC) of a person, or of a session where there is no person.

        The first event makes a stranger known. A session's own events are its own; a person has those of linked
        sessions too.
        """
        memory = self._of(release)
        key = (user_id, None) if user_id is not None else (None, session_id)
        stale = False
        try:
            session = await self._read(memory, key)
        except StoreError:
            session, stale = memory.get(key) or memory.made(key, None), True
        memory.over(release)  # while the store was read, another question may have come with other items
        if not session.personalised:
            return Known(memory.stranger(now), stale, False)
        past = memory.history(key, session)
        if len(past.times) and past.times[-1] >= now:
            past = past.before(np.array([now]))
        return Known(Queries.of(past, np.array([session.person], np.int32), now), stale)

    def history(self, release: Release, events: Iterable[Event]) -> Histories:
        """One row of these events alone, by the release's indexes; items that it does not know are left out."""
        return self._of(release).row(events)

    def _of(self, release: Release) -> Memory:
        """Another release has other indexes and includes other events: everyone is read anew when asked for."""
        if self._memory is None or self._memory.release.details is not release.details:
            self._memory = Memory(release, self._most_events_each, self._most_events, self._store.digest)
        self._memory.over(release)
        return self._memory

    async def _read(self, memory: Memory, key: Key) -> Session:
        """What is held with what is new. While the store is read, other questions may change what is held."""
        for tries in range(MOST_TRIES):
            is_last = tries == MOST_TRIES - 1  # which is of everything
            held = None if is_last else memory.get(key)
            after = held.last if held else memory.after
            told = memory.change
            known = told is not None and not is_last
            if known and await self._store.quiet(*key, after, told or 0, held=held is not None):
                if memory.get(key) is not held or (held is None and memory.change != told):
                    continue
                if held is None:
                    held = memory.made(key, None)
                    memory.hold(key, held)
                return held
            news = await self._store.news(*key, after, self._most_events_each, told)
            if memory.change is None or any(change.kind == "all" for change in news.changes):
                memory.forgotten = await self._store.forgotten(memory.trained)
            current = memory.told(news, told)
            if held is not None and memory.get(key) is held:
                memory.add(held, news)
                return held
            if held is None:
                session = memory.made(key, news)
                if current and memory.get(key) is None:
                    memory.hold(key, session)
                return session
        raise AssertionError("the last reading is of everything")
