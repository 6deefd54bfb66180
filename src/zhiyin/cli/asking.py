"""Ask a release what the service would answer now: with everything that its store has taken in since the training."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from zhiyin.data.queries import Queries
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import read_at_once
from zhiyin.data.store.forgotten import Digests, since
from zhiyin.data.store.news import active, news
from zhiyin.data.store.records import News
from zhiyin.ranking.scenario import Kind
from zhiyin.ranking.slate import slate
from zhiyin.ranking.terms import PLAIN, Terms
from zhiyin.registry.release import Release
from zhiyin.serving.sessions import MOST_EVENTS_EACH, Sessions


@dataclass(frozen=True)
class FoundNews:
    """What was read from the store of the service, by person."""

    found: dict[str, News]
    erased: frozenset[str] = frozenset()

    async def news(
        self, user_id: str | None, session_id: str | None, after: int, most: int, changes_after: int | None = None
    ) -> News:
        """What happened around a person since the training."""
        del session_id, after, most, changes_after  # who is asked for once is asked for everything
        return self.found[user_id or ""]

    async def quiet(
        self, user_id: str | None, session_id: str | None, after: int, change: int, *, held: bool = True
    ) -> bool:
        """Everybody has news."""
        del user_id, session_id, after, change, held
        return False

    async def forgotten(self, after: int = 0) -> frozenset[str]:
        """Who was erased since the training, by id."""
        del after
        return self.erased

    def digest(self, user_id: str) -> str:
        """The id itself: nothing leaves this process."""
        return user_id


class Asker:
    """A release together with the events that came after it."""

    def __init__(self, release: Release, store: StoreAddress, digests: Callable[[], Digests]) -> None:
        self.release = release
        self._store = store
        self._after = int(release.details.get("store_sequence") or 0)
        trained = int(release.details.get("trained") or 0)
        exists = store.path is None or store.path.exists()
        self.active = read_at_once(store, lambda connection: active(connection, self._after)) if exists else []
        gone = read_at_once(store, lambda connection: since(connection, trained)) if exists else {}
        digest = digests() if gone else None
        self._erased = frozenset(one for one in release.users.texts if digest(one) in gone) if digest else frozenset()
        self._active = {*self.active, *self._erased}

    def knows(self, user_id: str) -> bool:
        """Whether anything is known of a person."""
        return user_id in self.active or (user_id in self.release.users and user_id not in self._erased)

    def queries(self, user_id: str, now: int) -> Queries:
        """What is known of one person at `now` (µs UTC)."""
        if user_id in self._active:
            return self._queries([user_id], now)[0]
        return self.release.queries([user_id], now)

    def recommend(
        self, user_ids: Sequence[str], k: int, *, now: int, terms: Terms = PLAIN, kind: Kind = "personal"
    ) -> pl.DataFrame:
        """user_id, item_id, score, rank, origin: what the service would list for distinct people at `now` (µs UTC)."""
        lists, items = self.release.lists, self.release.items
        idle = [one for one in user_ids if one not in self._active]
        found = [slate(lists.of(kind, self.release.queries(idle, now), k, terms), idle, items)]
        busy = [one for one in user_ids if one in self._active]
        for one, queries in zip(busy, self._queries(busy, now), strict=True):
            found.append(slate(lists.of(kind, queries, k, terms), [one], items))
        order = pl.DataFrame({"user_id": pl.Series(user_ids, dtype=pl.String)}).with_row_index("place")
        return pl.concat(found).join(order, on="user_id", how="left").sort("place", "rank").drop("place")

    def _queries(self, user_ids: Sequence[str], now: int) -> list[Queries]:
        """What is known of people who did something since the training."""
        if not user_ids:
            return []

        def read(connection: Connection) -> dict[str, News]:
            return {one: news(connection, one, None, after=self._after, most=MOST_EVENTS_EACH) for one in user_ids}

        sessions = Sessions(FoundNews(read_at_once(self._store, read), self._erased))

        async def asked() -> list[Queries]:
            return [(await sessions.queries(self.release, one, None, now)).queries for one in user_ids]

        return asyncio.run(asked())
