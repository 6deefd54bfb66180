"""What a worker holds of people and sessions over one training: their rows of the release, and what came since."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.data.store.records import Event, News, session_name
from zhiyin.registry.release import Release

MOST_KINDS = 256
OTHER_KINDS = "other types"

Key: TypeAlias = tuple[str | None, str | None]
"""A person, or a session without one."""


@dataclass(eq=False, slots=True)
class Session:
    """Somebody."""

    person: int  # row of the release, of the person or the session; -1 is new since the release
    linked: list[int]  # rows of sessions that were linked to the person after the release
    last: int  # sequence number of the newest event that is in here
    live: list[Event]  # in the order of storing
    personalised: bool
    history: Histories | None = None  # one row, made when asked for

    @property
    def size(self) -> int:
        """Events that it keeps in memory, itself counted as one."""
        held = len(self.live)
        return 1 + held + (0 if self.history is None or not (held or self.linked) else len(self.history.items))


class Memory:
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
        self._sessions: OrderedDict[Key, Session] = OrderedDict()
        self._held = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, key: Key) -> Session | None:
        """What is held of a person or a session."""
        return self._sessions.get(key)

    def made(self, key: Key, news: News | None) -> Session:
        """Somebody as the release and all news since then know them."""
        user_id, session_id = key
        name = user_id if user_id is not None else session_name(session_id or "")
        linked = [session_name(one) for one in news.sessions] if news else []
        person, *rows = self.release.users.indexes([name, *linked]).tolist()
        if person >= 0 and self.forgotten and self._digest(name) in self.forgotten:
            person, rows = -1, []
        session = Session(person, [row for row in rows if row >= 0], self.after, [], True)
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

    def hold(self, key: Key, session: Session) -> None:
        """Keep somebody in mind."""
        self._sessions[key] = session
        self._held += session.size

    def add(self, session: Session, news: News) -> None:
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

    def history(self, key: Key, session: Session) -> Histories:
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

    def _take(self, session: Session, news: News) -> None:
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

    def _history(self, session: Session) -> Histories:
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
