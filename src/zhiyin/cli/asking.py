"""Ask a release what the service would answer now: with everything that its store has taken in since the training."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl

from zhiyin.data.queries import Queries
from zhiyin.data.sources.live import opened
from zhiyin.errors import DataError
from zhiyin.ranking.scenario import Kind
from zhiyin.ranking.slate import slate
from zhiyin.ranking.terms import PLAIN, Terms
from zhiyin.registry.release import Release
from zhiyin.serving.events import OF_USER, Event, Stored
from zhiyin.serving.sessions import Sessions

PEOPLE = "SELECT DISTINCT user_id FROM events WHERE sequence > ?"


class StoredEvents:
    """The store of the service, only read; a store that does not exist yet is empty."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def listen(self, _: Callable[[Sequence[Stored]], None]) -> None:
        """Nothing is stored while a verb asks."""

    def of_user(self, user_id: str, after: int, most: int) -> list[Stored]:
        """The newest `most` events of a person after a sequence number, oldest first."""
        rows = self._rows(OF_USER, (user_id, after, most))
        return [(number, Event(*event)) for number, *event in reversed(rows)]

    def people(self, after: int) -> list[str]:
        """Who did something after a sequence number."""
        return sorted(user_id for (user_id,) in self._rows(PEOPLE, (after,)))

    def _rows(self, query: str, values: tuple[object, ...]) -> list[Any]:
        if not self._path.exists():
            return []
        try:
            with closing(opened(self._path)) as connection:
                return connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise DataError(
                f"{self._path} cannot be read as an event store ({error}): check the path in serve.store"
            ) from None


class Asker:
    """A release together with the events that came after it."""

    def __init__(self, release: Release, store: Path) -> None:
        stored = StoredEvents(store)
        self.release = release
        self.active = stored.people(int(release.details.get("store_sequence") or 0))
        self._active = set(self.active)
        self._sessions = Sessions(stored)

    def knows(self, user_id: str) -> bool:
        """Whether anything is known of a person."""
        return user_id in self._active or user_id in self.release.users

    def queries(self, user_id: str, now: int) -> Queries:
        """What is known of one person at `now` (µs UTC)."""
        if user_id in self._active:
            return self._sessions.queries(self.release, user_id, now)
        return self.release.queries([user_id], now)

    def recommend(
        self, user_ids: Sequence[str], k: int, *, now: int, terms: Terms = PLAIN, kind: Kind = "personal"
    ) -> pl.DataFrame:
        """user_id, item_id, score, rank, origin: what the service would list for distinct people at `now` (µs UTC)."""
        lists, items = self.release.lists, self.release.items
        idle = [one for one in user_ids if one not in self._active]
        found = [slate(lists.of(kind, self.release.queries(idle, now), k, terms), idle, items)]
        for one in user_ids:
            if one in self._active:
                found.append(slate(lists.of(kind, self.queries(one, now), k, terms), [one], items))
        order = pl.DataFrame({"user_id": pl.Series(user_ids, dtype=pl.String)}).with_row_index("place")
        return pl.concat(found).join(order, on="user_id", how="left").sort("place", "rank").drop("place")
