"""The histories of people as of now: what the release knows of them, and what they have done since."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.registry.release import Release
from zhiyin.serving.events import Event, Stored

MOST_EVENTS_EACH = 1_000
"""Live events of one person that count, the newest; older ones count again with the next release."""

MOST_EVENTS = 500_000
"""Events held in memory, about 150 MB; the person who was asked for longest ago is forgotten first, and read again
from the store when asked for."""

MOST_KINDS = 256
OTHER_KINDS = "other types"


class Remembers(Protocol):
    """What keeps the events; `zhiyin.serving.events.EventStore` does."""

    def listen(self, listener: Callable[[Sequence[Stored]], None], /) -> None:
        """Call it with whatever is stored from now on."""
        ...

    def of_user(self, user_id: str, after: int, most: int) -> list[Stored]:
        """The newest `most` events of a person after a sequence number, oldest first."""
        ...


@dataclass(eq=False, slots=True)
class _Session:
    person: int  # -1 is new since the release
    last: int  # sequence number of the newest event that is in here
    live: list[Event]  # in the order of storing
    history: Histories | None = None  # one row, made when asked for

    @property
    def size(self) -> int:
        held = len(self.live)
        return 1 + held + (0 if self.history is None or held == 0 else len(self.history.items))


class Sessions:
    """Used from one thread, the one of the event loop."""

    def __init__(
        self, store: Remembers, *, most_events_each: int = MOST_EVENTS_EACH, most_events: int = MOST_EVENTS
    ) -> None:
        self._store = store
        self._most_events_each = most_events_each
        self._most_events = most_events
        self._release: Release | None = None
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._held = 0
        store.listen(self.add)

    def __len__(self) -> int:
        return len(self._sessions)

    def queries(self, release: Release, user_id: str, now: int) -> Queries:
        """What is known of one person at `now` (µs UTC); a new person has a history from the first event on."""
        if release is not self._release:
            self._restart(release)
        session = self._sessions.get(user_id)
        if session is None:
            session = self._read(release, user_id)
        self._sessions.move_to_end(user_id)
        if session.history is None:
            self._held -= session.size
            session.history = self._history(release, session)
            self._held += session.size
            self._forget()
        past = session.history
        if len(past.times) and past.times[-1] >= now:
            past = past.before(np.array([now]))
        return Queries.of(past, np.array([session.person], np.int32), now)

    def add(self, stored: Sequence[Stored]) -> None:
        """Take in what was committed; people who are not held are read from the store when they are asked for."""
        for number, event in stored:
            session = self._sessions.get(event.user_id)
            if session is None or number <= session.last:
                continue
            self._held -= session.size
            session.last = number
            session.live.append(event)
            del session.live[: -self._most_events_each]
            session.history = None
            self._held += session.size
        self._forget()

    def history(self, release: Release, events: Iterable[Event]) -> Histories:
        """One row of these events alone, by the release's indexes; items that it does not know are left out."""
        if release is not self._release:
            self._restart(release)
        return self._row(events, release)

    def _restart(self, release: Release) -> None:
        """Another release has other indexes and includes other events: everyone is read anew when asked for."""
        self._release = release
        self._known = release.items
        self._after = int(release.details.get("store_sequence") or 0)
        self._weights = {str(name): float(weight) for name, weight in (release.details.get("weights") or {}).items()}
        self._kinds = {name: index for index, name in enumerate(release.histories.kind_names)}
        self._sessions.clear()
        self._held = 0

    def _read(self, release: Release, user_id: str) -> _Session:
        stored = self._store.of_user(user_id, self._after, self._most_events_each)
        person = int(release.users.indexes([user_id])[0])
        last = stored[-1][0] if stored else self._after
        session = _Session(person, last, [event for _, event in stored])
        self._sessions[user_id] = session
        self._held += session.size
        return session

    def _counts(self, event: Event) -> bool:
        """Whether the event says something of interest: not a return, and of an item that the release knows."""
        returned = event.quantity is not None and event.quantity < 0
        return not returned and event.item_id in self._known

    def _history(self, release: Release, session: _Session) -> Histories:
        if session.person < 0:
            return self._row(session.live, release)
        past = release.histories[session.person : session.person + 1]
        if not session.live:
            return past
        live = self._row(session.live, release)
        times = np.concatenate([past.times, live.times])
        order = np.argsort(times, kind="stable")  # stable: of one moment, what was stored last is newest
        return Histories(
            np.array([0, len(order)], np.int64),
            np.concatenate([past.items, live.items])[order],
            times[order],
            np.concatenate([past.weights, live.weights])[order],
            np.concatenate([past.values, live.values])[order],
            np.concatenate([past.kinds, live.kinds])[order],
            live.kind_names,
        )

    def _row(self, events: Iterable[Event], release: Release) -> Histories:
        events = sorted(filter(self._counts, events), key=lambda event: event.timestamp)
        kinds = np.array([self._kind(event.event_type) for event in events], np.uint8)
        return Histories(
            np.array([0, len(events)], np.int64),
            release.items.indexes(event.item_id for event in events),
            np.array([event.timestamp for event in events], np.int64),
            np.array([self._weights.get(event.event_type, 1.0) for event in events], np.float32),
            np.array([np.nan if event.value is None else event.value for event in events], np.float32),
            kinds,
            tuple(self._kinds),
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
