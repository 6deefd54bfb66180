"""The durable store as routes see it: what is acknowledged is on the disk."""

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from zhiyin.data.store import events, items, news, people, privacy
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import database
from zhiyin.data.store.database import Database, Work
from zhiyin.data.store.records import (
    Appended,
    Attributes,
    Event,
    Friend,
    Impression,
    Item,
    News,
    RefusedError,
    StoreError,
    User,
)
from zhiyin.errors import RequestError
from zhiyin.serving.clock import Clock
from zhiyin.serving.writing import MOST_WAITING, Writer

T = TypeVar("T")

MOST_ROWS = 1_000
"""Rows of one page."""

PRUNED_AT_ONCE = 5_000
"""Rows of a table that one transaction deletes for their age."""

log = logging.getLogger(__name__)


class Store:
    """`async with Store(database) as store`, then `await store.append(events)` from the same event loop.

    Where nothing else is said, a method raises RequestError: 503 when the database cannot do it now, 422 when it never
    will, for a value that it cannot hold.
    """

    def __init__(
        self, database: Database, *, clock: Callable[[], int] | None = None, most_waiting: int = MOST_WAITING
    ) -> None:
        self._database = database
        self._clock = clock or Clock()
        self._writer = Writer(database, most_waiting)

    @classmethod
    def of(cls, written: str, root: Path) -> Self:
        """The store of `serve.store`; a path is relative to `root`.

        Raises
        ------
        ConfigError
            If it is no place for a store.
        MissingExtraError
            For PostgreSQL without its driver.
        """
        return cls(database(StoreAddress.of(written, root), time.monotonic))

    def time(self, took: Callable[[float], None]) -> None:
        """Tell the seconds of each transaction from now on."""
        self._writer.took = took

    @property
    def waiting(self) -> int:
        """Events that wait for the disk."""
        return self._writer.waiting

    @property
    def dropped_impressions(self) -> int:
        """Shown lists that were never written."""
        return self._writer.dropped

    @property
    def problem(self) -> str:
        """Why the last transaction failed; empty if it did not."""
        return self._writer.problem

    async def __aenter__(self) -> Self:
        """Bring the database to today's schema and begin; one that cannot be reached is waited for.

        Raises
        ------
        DataError
            If it is not ours, or of a newer zhiyin.
        """
        try:
            await self._database.migrate()
        except StoreError as error:
            log.error("%s", error)
            self._writer.problem = str(error)
        self._writer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what is waiting, then close."""
        try:
            await self._writer.stop()
        finally:
            await self._database.close()

    async def append(self, given: Sequence[Event]) -> Appended:
        """Store all of these or none; when this returns they are on the disk, each `event_id` once."""
        return await self._writer.append(given)

    def note(self, shown: Impression) -> None:
        """Write it with the next events, or a little later; never waits, never fails."""
        self._writer.note(shown)

    async def news(
        self, user_id: str | None, session_id: str | None, after: int, most: int, changes_after: int | None = None
    ) -> News:
        """What happened around a person, or a session where there is no person; see `zhiyin.data.store.news`.

        Raises
        ------
        StoreError
            If it cannot be read now.
        """
        return await self._database.read(
            lambda connection: news.news(
                connection, user_id, session_id, after=after, most=most, changes_after=changes_after
            )
        )

    async def put_items(self, given: Sequence[Item]) -> int:
        """Store items whole, in place of what was there; how many are new."""
        now = self._clock()
        return await self._write(lambda connection: items.put(connection, given, now))

    async def patch_item(self, item_id: str, attributes: Attributes, *, hidden: bool | None = None) -> Item | None:
        """Change some attributes, `None` removes one; the item as it is then, or `None` if there is none."""
        now = self._clock()
        return await self._write(lambda connection: items.patch(connection, item_id, attributes, hidden, now))

    async def hide_item(self, item_id: str, *, hidden: bool = True) -> bool:
        """Whether there is such an item."""
        now = self._clock()
        return await self._write(lambda connection: items.hide(connection, item_id, hidden, now))

    async def delete_item(self, item_id: str) -> bool:
        """Whether there was such an item. Its events stay."""
        return await self._write(lambda connection: items.remove(connection, item_id))

    async def item(self, item_id: str) -> Item | None:
        """An item."""
        return await self._read(lambda connection: items.one(connection, item_id))

    async def items(self, after: str = "", most: int = MOST_ROWS) -> list[Item]:
        """The next items in the order of ids, at most 1,000; go on after the id of the last."""
        return await self._read(lambda connection: items.page(connection, after, min(most, MOST_ROWS)))

    async def items_since(self, change: int, most: int = MOST_ROWS) -> tuple[list[tuple[str, Item | None]], int]:
        """Items changed after a change, `None` where deleted, at most 1,000; and the number to go on from.

        Raises
        ------
        StoreError
            If it cannot be read now.
        """
        return await self._database.read(lambda connection: items.since(connection, change, min(most, MOST_ROWS)))

    async def put_users(self, given: Sequence[User]) -> int:
        """Store people whole, in place of what was there; how many are new."""
        return await self._write(lambda connection: people.put(connection, given))

    async def patch_user(
        self, user_id: str, attributes: Attributes, *, personalised: bool | None = None, consent: bool | None = None
    ) -> User:
        """Change some attributes, `None` removes one; somebody who was not described yet is from now on."""
        return await self._write(
            lambda connection: people.patch(connection, user_id, attributes, personalised, consent)
        )

    async def delete_user(self, user_id: str) -> bool:
        """Forget the description of a person, and nothing else; whether there was one."""
        return await self._write(lambda connection: people.remove(connection, user_id))

    async def user(self, user_id: str) -> User | None:
        """A person, if described."""
        return await self._read(lambda connection: people.one(connection, user_id))

    async def users(self, after: str = "", most: int = MOST_ROWS) -> list[User]:
        """The next people in the order of ids, at most 1,000; go on after the id of the last."""
        return await self._read(lambda connection: people.page(connection, after, min(most, MOST_ROWS)))

    async def put_friends(self, user_id: str, given: Sequence[Friend]) -> None:
        """Store whom a person knows, beside those who are stored."""
        await self._write(lambda connection: people.befriend(connection, user_id, given))

    async def delete_friend(self, user_id: str, friend_id: str) -> bool:
        """Whether they were friends."""
        return await self._write(lambda connection: people.unfriend(connection, user_id, friend_id))

    async def friends(self, user_id: str, after: str = "", most: int = MOST_ROWS) -> list[Friend]:
        """The next friends in the order of ids, at most 1,000; go on after the id of the last."""
        return await self._read(lambda connection: people.friends_of(connection, user_id, after, min(most, MOST_ROWS)))

    async def link(self, session_id: str, user_id: str) -> None:
        """Somebody has logged in: the session's events count for the person from now on, in training too."""
        now = self._clock()
        await self._write(lambda connection: people.link(connection, session_id, user_id, now))

    async def erase(self, user_id: str) -> dict[str, int]:
        """Delete everything that is held on a person; rows per table."""
        await self._writer.flush()  # what is written later would stay
        return await _refusing(self._database.write_much(lambda connection: privacy.erase(connection, user_id)))

    async def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """Everything that is held on a person, as plain data: rows by table."""
        await self._writer.flush()
        return await _refusing(self._database.read_much(lambda connection: privacy.export(connection, user_id)))

    async def reading(self, work: Work[T]) -> T:
        """A longer reading by a function of its own, of one moment."""
        return await _refusing(self._database.read_much(work))

    async def writing(self, work: Work[T]) -> T:
        """A transaction by a function of its own."""
        return await _refusing(self._database.write(work))

    async def prune(self, before: int) -> dict[str, int]:
        """Delete events received and lists shown before a moment (µs UTC); rows per table."""
        done = Counter[str]()
        while True:  # in short transactions, so that events can be stored in between
            gone = await self._write(lambda connection: events.prune(connection, before, PRUNED_AT_ONCE))
            done.update(gone)
            if max(gone.values()) < PRUNED_AT_ONCE:
                return dict(done)

    async def _read(self, work: Work[T]) -> T:
        return await _refusing(self._database.read(work))

    async def _write(self, work: Work[T]) -> T:
        return await _refusing(self._database.write(work))


async def _refusing(doing: Awaitable[T]) -> T:
    """What the store cannot do, as an answer to a request."""
    try:
        return await doing
    except StoreError as error:
        raise RequestError(503, f"the store cannot be used now ({error.reason}): send it again later") from None
    except RefusedError as error:
        raise RequestError(422, str(error)) from None
