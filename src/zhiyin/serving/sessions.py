"""The histories of people and sessions as of now: what the release knows of them, and what they have done since.

Any worker may have taken an event, so every question reads from the store what is new, and only that.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np

from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.data.store.records import Event, News, session_name
from zhiyin.errors import StoreError
from zhiyin.registry.release import Release

MOST_EVENTS_EACH = 1_000
"""Live events of one person that count, the newest; older ones count again with the next release."""

MOST_EVENTS = 500_000
"""Events held in memory, about 150 MB; the person who was asked for longest ago is forgotten first, and read again
from the store when asked for."""

MOST_KINDS = 256
OTHER_KINDS = "other types"

MOST_TRIES = 3
"""Readings for one question, while other questions and changes come in between."""

Key: TypeAlias = tuple[str | None, str | None]
"""A person, or a session without one."""


class Tells(Protocol):
    """What keeps the events; `zhiyin.serving.store.Store` does."""

    async def news(
        self, user_id: str | None, session_id: str | None, after: int, most: int, changes_after: int | None = None
    ) -> News:
        """What happened around a person, or a session, after a sequence number; raises StoreError if it cannot say."""
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


@dataclass(eq=False, slots=True)
class _Session:
    person: int  # row of the release, of the person or the session; -1 is new since the release
    linked: list[int]  # rows of sessions that were linked to the person after the release
    last: int  # sequence number of the newest event that is in here
    live: list[Event]  # in the order of storing
    personalised: bool
    history: Histories | None = None  # one row, made when asked for

    @property
    def size(self) -> int:
        held = len(self.live)
        return 1 + held + (0 if self.history is None or not (held or self.linked) else len(self.history.items))


class Sessions:
    """Used from one thread, the one of the event loop."""

    def __init__(
        self, store: Tells, *, most_events_each: int = MOST_EVENTS_EACH, most_events: int = MOST_EVENTS
    ) -> None:
        self._store = store
        self._most_events_each = most_events_each
        self._most_events = most_events
        self._memory: _Memory | None = None

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

    def _of(self, release: Release) -> "_Memory":
        """Another release has other indexes and includes other events: everyone is read anew when asked for."""
        if self._memory is None or self._memory.release.details is not release.details:
            self._memory = _Memory(release, self._most_events_each, self._most_events, self._store.digest)
        self._memory.over(release)
        return self._memory

    async def _read(self, memory: "_Memory", key: Key) -> _Session:
        """What is held with what is new. While the store is read, other questions may change what is held."""
        for tries in range(MOST_TRIES):
            held = memory.get(key) if tries < MOST_TRIES - 1 else None  # the last reading is of everything
            after = held.last if held else memory.after
            told = memory.change
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


class _Memory:
    """What is held for one release."""

    def __init__(self, release: Release, most_events_each: int, most_events: int, digest: Callable[[str], str]) -> None:
        self._digest = digest
        self.release = release
        self.after = int(release.details.get("store_sequence") or 0)
        self.trained = int(release.details.get("trained") or 0)
        self.forgotten: frozenset[str] = frozenset()
        """Digests of those of whom this release must not be believed: they were erased after the training."""
        self.change: int | None = None
        """The latest change that was taken in; None before the first reading."""
        self._most_events_each = most_events_each
        self._most_events = most_events
        self._weights = {str(name): float(weight) for name, weight in (release.details.get("weights") or {}).items()}
        self._kinds = {name: index for index, name in enumerate(release.histories.kind_names)}
        self._sessions: OrderedDict[Key, _Session] = OrderedDict()
        self._held = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, key: Key) -> _Session | None:
        """What is held of a person or a session."""
        return self._sessions.get(key)

    def made(self, key: Key, news: News | None) -> _Session:
        """Somebody as the release and all news since then know them."""
        user_id, session_id = key
        name = user_id if user_id is not None else session_name(session_id or "")
        linked = [session_name(one) for one in news.sessions] if news else []
        person, *rows = self.release.users.indexes([name, *linked]).tolist()
        if person >= 0 and self.forgotten and self._digest(name) in self.forgotten:
            person, rows = -1, []
        session = _Session(person, [row for row in rows if row >= 0], self.after, [], True)
        if news:
            session.personalised = news.personalised
            self._take(session, news)
        return session

    def over(self, release: Release) -> None:
        """The same training, over other items perhaps: what was done with items that are new to it counts then."""
        if self.release is release:
            return
        self.release = release
        for session in self._sessions.values():
            self._held -= session.size
            session.history = None
            self._held += session.size

    def hold(self, key: Key, session: _Session) -> None:
        """Keep somebody in mind."""
        self._sessions[key] = session
        self._held += session.size

    def add(self, session: _Session, news: News) -> None:
        """Take in what is new of somebody who is held; another question may have done so already."""
        self._held -= session.size
        self._take(session, news)
        self._held += session.size

    def told(self, news: News, after: int | None) -> bool:
        """Forget who has changed; whether this news is no older than what was heard before.

        Parameters
        ----------
        after
            The change after which this news was asked for.
        """
        for change in news.changes:
            if change.kind == "all":
                self._sessions.clear()
                self._held = 0
            elif session := self._sessions.pop((change.id, None), None):
                self._held -= session.size
        current = self.change is None or news.change >= self.change
        if self.change is None or (current and after is not None and after <= self.change):
            self.change = news.change
        return current

    def stranger(self, now: int) -> Queries:
        """The question of somebody of whom nothing is known."""
        return Queries.of(self.row([]), np.full(1, -1, np.int32), now)

    def history(self, key: Key, session: _Session) -> Histories:
        """One row: what the release knows, and what came since."""
        if session.history is None:
            held = self._sessions.get(key) is session
            self._held -= session.size * held
            session.history = self._history(session)
            self._held += session.size * held
        if key in self._sessions:
            self._sessions.move_to_end(key)
        self._forget()
        return session.history

    def row(self, events: Iterable[Event]) -> Histories:
        """One row of these events alone."""
        events = sorted(filter(self._counts, events), key=lambda event: event.timestamp)
        kinds = np.array([self._kind(event.event_type) for event in events], np.uint8)
        return Histories(
            np.array([0, len(events)], np.int64),
            self.release.items.indexes(event.item_id for event in events),
            np.array([event.timestamp for event in events], np.int64),
            np.array([self._weights.get(event.event_type, 1.0) for event in events], np.float32),
            np.array([np.nan if event.value is None else event.value for event in events], np.float32),
            kinds,
            tuple(self._kinds),
        )

    def _take(self, session: _Session, news: News) -> None:
        fresh = [(number, event) for number, event in news.events if number > session.last]
        if fresh:
            session.last = fresh[-1][0]
            session.live += [event for _, event in fresh]
            del session.live[: -self._most_events_each]
            session.history = None

    def _counts(self, event: Event) -> bool:
        """Whether the event says something of interest: not a return, and of an item that the release knows."""
        returned = event.quantity is not None and event.quantity < 0
        return not returned and event.item_id in self.release.items

    def _history(self, session: _Session) -> Histories:
        known = self.release.histories
        parts = [known[row : row + 1] for row in (session.person, *session.linked) if row >= 0]
        if session.live or not parts:
            parts.append(self.row(session.live))
        if len(parts) == 1:
            return parts[0]
        times = np.concatenate([part.times for part in parts])
        order = np.argsort(times, kind="stable")  # stable: of one moment, what was stored last is newest
        return Histories(
            np.array([0, len(order)], np.int64),
            np.concatenate([part.items for part in parts])[order],
            times[order],
            np.concatenate([part.weights for part in parts])[order],
            np.concatenate([part.values for part in parts])[order],
            np.concatenate([part.kinds for part in parts])[order],
            parts[-1].kind_names,
        )

    def _kind(self, name: str) -> int:
        """The index of an event type; types that the release has not seen are added, as far as uint8 goes."""
        if name not in self._kinds:
            if len(self._kinds) >= MOST_KINDS - 1:
                name = OTHER_KINDS
            self._kinds.setdefault(name, len(self._kinds))
        return self._kinds[name]

    def _forget(self) -> None:
        while self._held > self._most_events and len(self._sessions) > 1:
            _, session = self._sessions.popitem(last=False)
            self._held -= session.size
