"""An address becomes a database; for who has no event loop, for one piece of work."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection

from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.database import Database, Seconds, T, Work
from zhiyin.data.store.migrate import missing
from zhiyin.data.store.sqlite import SqliteDatabase
from zhiyin.errors import DataError, MissingExtraError


def database(address: StoreAddress, seconds: Seconds, *, creates: bool = True) -> Database:
    """Not yet connected; to be used from one event loop.

    Parameters
    ----------
    creates
        Make the file of SQLite where there is none; without it, it is waited for.

    Raises
    ------
    MissingExtraError
        For PostgreSQL without its driver.
    """
    if address.path is not None:
        return SqliteDatabase(address.path, seconds, creates=creates)
    try:
        from zhiyin.data.store.postgres import PostgresDatabase  # noqa: PLC0415 - SQLite needs none of it
    except ImportError as error:
        raise MissingExtraError("greenlet", "postgres") from error
    return PostgresDatabase(address, seconds)


def read_at_once(address: StoreAddress, work: Work[T]) -> T:
    """A reading of one moment.

    Raises
    ------
    DataError
        If the database is not ours, or of another version.
    StoreError
        If it cannot be read.
    """

    def checked(connection: Connection) -> T:
        if steps := missing(connection, str(address)):
            raise DataError(
                f"{address} lacks the changes {', '.join(steps)} of this zhiyin: run `zhiyin doctor --fix`, "
                "which keeps what is stored"
            )
        return work(connection)

    return _at_once(address, lambda opened: opened.read_much(checked))


def lacking(address: StoreAddress) -> list[str]:
    """The steps of the schema that are missing; raises as `read_at_once` does."""
    return _at_once(address, lambda opened: opened.read_much(lambda connection: missing(connection, str(address))))


def migrate_at_once(address: StoreAddress) -> list[str]:
    """Bring it to today's schema, and say which steps were missing; raises as `read_at_once` does."""
    return _at_once(address, lambda opened: opened.migrate())


def _at_once(address: StoreAddress, use: Callable[[Database], Awaitable[T]]) -> T:
    """Open, use, close, on an event loop of its own."""

    async def run() -> T:
        opened = database(address, _never)
        try:
            return await use(opened)
        finally:
            await opened.close()

    return asyncio.run(run())


def _never() -> float:
    """A clock that stands still: one piece of work has nothing to pause for."""
    return 0.0
