"""The durable store as routes see it: what is acknowledged is on the disk."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from zhiyin.data.store import changes, events, forgotten, items, news, people, privacy
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import database
from zhiyin.data.store.database import Database, Work
from zhiyin.data.store.forgotten import Digests, plain_digest
from zhiyin.data.store.records import Appended, Attributes, Event, Friend, Impression, Item, News, User
from zhiyin.errors import StoreError
from zhiyin.serving.clock import Clock
from zhiyin.serving.refusing import refusing
from zhiyin.serving.vault import Vault, opened_export
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
        self,
        database: Database,
        *,
        clock: Callable[[], int] | None = None,
        most_waiting: int = MOST_WAITING,
        vault: Vault | None = None,
        digests: Digests = plain_digest,
    ) -> None:
        self._database = database
        self._clock = clock or Clock()
        self.vault = vault or Vault()
        """What encrypts."""
        self._digests = digests
        self._writer = Writer(database, most_waiting)
        self._unread = ""

    @classmethod
    def of(
        cls, written: str, root: Path, *, vault: Vault | None = None, digests: Digests = plain_digest,
        creates: bool = True,
    ) -> Self:  # fmt: skip
        """The store of `serve.store`; a path is relative to `root`; without `creates`, one that is away is waited for.

        Raises
        ------
        ConfigError
            If it is no place for a store.
        MissingExtraError
            For PostgreSQL without its driver.
        """
        found = database(StoreAddress.of(written, root), time.monotonic, creates=creates)
        return cls(found, vault=vault, digests=digests)

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
        """Why the last transaction or reading of news failed; empty if neither did."""
        return self._writer.problem or self._unread

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
        done = await self._writer.append([self.vault.sealed_context(one) for one in given])
        self._unread = ""  # what can be written can be read, until a reading says otherwise
        return done

    def note(self, shown: Impression) -> None:
        """Write it with the next events, or a little later; never waits, never fails."""
        self._writer.note(self.vault.sealed_context(shown))

    async def news(
        self, user_id: str | None, session_id: str | None, after: int, most: int, changes_after: int | None = None
    ) -> News:
        """What happened around a person, or a session where there is no person; see `zhiyin.data.store.news`.

        Raises
        ------
        StoreError
            If it cannot be read now.
        """
        of = partial(news.news, user_id=user_id, session_id=session_id, after=after, most=most)
        return await self._heard(partial(of, changes_after=changes_after))

    async def quiet(
        self, user_id: str | None, session_id: str | None, after: int, change: int, *, held: bool = True
    ) -> bool:
        """Whether there is no news for who knows all up to an event and a change; raises as `news` does."""
        return await self._heard(
            lambda one: news.quiet(one, user_id, session_id, after=after, change=change, held=held)
        )

    async def _heard(self, work: Work[T]) -> T:
        try:
            found = await self._database.read(work)
        except StoreError as error:
            self._unread = str(error)
            raise
        self._unread = ""
        return found

    async def latest_change(self) -> int:
        """The number of the latest change of an item or a person.

        Raises
        ------
        StoreError
            If it cannot be read now.
        """
        return await self._database.read(changes.latest)

    async def put_items(self, given: Sequence[Item]) -> int:
        """Store items whole, in place of what was there; how many are new."""
        now = self._clock()
        return await self._write(lambda connection: items.put(connection, given, now))

    async def patch_item(self, item_id: str, attributes: Attributes, *, hidden: bool | None = None) -> Item | None:
        """Change some attributes, `None` removes one; the item as it is then, or `None` if there is none."""
        now = self._clock()
        return await self._write(lambda connection: items.patch(connection, item_id, attributes, hidden, now))

    async def hide_item(self, item_id: str, *, hidden: bool = True) -> None:
        """Show an item to nobody, or again; one that only the files describe is stored without attributes."""
        now = self._clock()
        await self._write(lambda connection: items.hide(connection, item_id, hidden, now))

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
        sealed = [self.vault.sealed(one) for one in given]
        return await self._write(lambda connection: people.put(connection, sealed))

    async def patch_user(
        self, user_id: str, attributes: Attributes, *, personalised: bool | None = None, consent: bool | None = None
    ) -> User:
        """Change some attributes, `None` removes one; somebody who was not described yet is from now on."""
        sealed = self.vault.seal(attributes, user_id)
        found = await self._write(lambda connection: people.patch(connection, user_id, sealed, personalised, consent))
        return self.vault.opened(found)

    async def delete_user(self, user_id: str) -> bool:
        """Forget the description of a person, and nothing else; whether there was one."""
        return await self._write(lambda connection: people.remove(connection, user_id))

    async def user(self, user_id: str) -> User | None:
        """A person, if described."""
        found = await self._read(lambda connection: people.one(connection, user_id))
        return None if found is None else self.vault.opened(found)

    async def users(self, after: str = "", most: int = MOST_ROWS) -> list[User]:
        """The next people in the order of ids, at most 1,000; go on after the id of the last."""
        found = await self._read(lambda connection: people.page(connection, after, min(most, MOST_ROWS)))
        return [self.vault.opened(one) for one in found]

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
        """Delete everything that is held on a person, and note whom as a digest; rows per table."""
        await self._writer.flush()  # what is written later would stay
        digest, now = self._digests(user_id), self._clock()
        return await refusing(
            self._database.write_much(lambda connection: privacy.erase(connection, user_id, digest, now))
        )

    async def erase_shown(self, user_id: str, until: int) -> int:
        """Delete lists that other workers have written of a person since, but showed up to a moment; how many."""
        return await self._write(lambda connection: privacy.erase_shown(connection, user_id, until))

    async def forgotten(self, after: int = 0) -> frozenset[str]:
        """Digests of who was erased after a moment (µs UTC).

        Raises
        ------
        StoreError
            If it cannot be read now.
        """
        return frozenset(await self._database.read(lambda connection: forgotten.since(connection, after)))

    def digest(self, user_id: str) -> str:
        """What `forgotten` holds of a person."""
        return self._digests(user_id)

    async def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """Everything that is held on a person, as plain data: rows by table."""
        await self._writer.flush()
        held = await refusing(self._database.read_much(lambda connection: privacy.export(connection, user_id)))
        return opened_export(self.vault, held)

    async def reading(self, work: Work[T]) -> T:
        """A longer reading by a function of its own, of one moment."""
        return await refusing(self._database.read_much(work))

    async def writing(self, work: Work[T]) -> T:
        """A transaction by a function of its own."""
        return await refusing(self._database.write(work))

    async def prune(self, events_before: int, shown_before: int) -> dict[str, int]:
        """Delete events received and lists shown before two moments (µs UTC, 0: none); rows per table."""
        done = {"events": 0, "impressions": 0}
        for table, before in zip(done, (events_before, shown_before), strict=True):
            prune = partial(events.prune, table=table, before=before, most=PRUNED_AT_ONCE)
            while gone := await self._write(prune):  # in short transactions, so that events can be stored in between
                done[table] += gone
        return done

    async def _read(self, work: Work[T]) -> T:
        return await refusing(self._database.read(work))

    async def _write(self, work: Work[T]) -> T:
        return await refusing(self._database.write(work))
