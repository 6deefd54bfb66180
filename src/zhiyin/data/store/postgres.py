"""The store in PostgreSQL, by asyncpg (the extra `postgres`): a small pool, and nobody waits long for it."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.database import Breaker, Seconds, T, Work
from zhiyin.data.store.migrate import LOCK, migrate, missing
from zhiyin.errors import MissingExtraError, RefusedError, StoreError

CONNECTIONS = 5
CONNECT_SECONDS = 1.0
READ_SECONDS = 1.0
WRITE_SECONDS = 5.0
LONG_SECONDS = 600.0
MOST_ENDING = 20
"""Abandoned operations that may still be ending; beyond it nothing new is tried."""

SETTINGS = {"application_name": "zhiyin", "jit": "off"}  # jit: it would compile for longer than a reading takes
WRONG_VALUE = ("22", "23")  # classes of SQLSTATE: a value that does not fit, a constraint


class PostgresDatabase:
    """Used from one event loop."""

    def __init__(self, address: StoreAddress, seconds: Seconds) -> None:
        self._address = address
        self._breaker = Breaker(seconds)
        self._ending: set[asyncio.Task[Any]] = set()
        try:
            self._engine = _engine(address)
        except ImportError as error:
            raise MissingExtraError("asyncpg", "postgres") from error
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")  # one round trip
        self._one_moment = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    async def migrate(self) -> list[str]:
        """Bring the database to today's schema; the steps that were missing."""
        name = str(self._address)
        if not await self.read_much(lambda connection: missing(connection, name)):
            return []
        return await self.write_much(lambda connection: migrate(connection, name))

    async def read(self, work: Work[T]) -> T:
        """A short reading, in one round trip."""
        return await self._within(READ_SECONDS, self._read(self._reading, work))

    async def read_much(self, work: Work[T]) -> T:
        """A long reading, of one moment."""
        return await self._within(LONG_SECONDS, self._read(self._one_moment, work))

    async def write(self, work: Work[T]) -> T:
        """One transaction that others wait for, so that numbers ascend in the order of commit."""
        return await self._within(WRITE_SECONDS, self._write(work))

    async def write_much(self, work: Work[T]) -> T:
        """The same for what may take minutes."""
        return await self._within(LONG_SECONDS, self._write(work))

    async def close(self) -> None:
        """Close the connections; what hangs is left behind."""
        for task in self._ending:
            task.cancel()
        await asyncio.wait({asyncio.ensure_future(self._engine.dispose())}, timeout=CONNECT_SECONDS)

    async def _read(self, engine: AsyncEngine, work: Work[T]) -> T:
        async with engine.connect() as connection:
            return await connection.run_sync(work)

    async def _write(self, work: Work[T]) -> T:
        def locked(connection: Connection) -> T:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            return work(connection)

        async with self._engine.begin() as connection:
            return await connection.run_sync(locked)

    async def _within(self, seconds: float, doing: Coroutine[Any, Any, T]) -> T:
        """The result in time, or a refusal: ending what hangs may take longer than anybody should wait."""
        try:
            self._breaker.check()
            if len(self._ending) >= MOST_ENDING:
                raise self._error("it does not answer")
        except StoreError:
            doing.close()
            raise
        task = asyncio.ensure_future(doing)
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            if not task.done():
                task.cancel()
                self._ending.add(task)
                task.add_done_callback(self._ended)
        if not task.done():
            raise self._failed(f"no answer within {seconds:g} seconds")
        return self._translated(task.result)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._ending.discard(task)
        if not task.cancelled():
            task.exception()  # it has been told already that this failed

    def _translated(self, result: Callable[[], T]) -> T:
        """What the driver raises, as a sentence of ours."""
        try:
            found = result()
        except DBAPIError as error:
            reason = self._address.without_secrets(str(error.orig))
            code = str(getattr(error.orig, "sqlstate", None) or WRONG_VALUE[0])  # without one: refused by the driver
            if code[:2] in WRONG_VALUE and not error.connection_invalidated:
                raise RefusedError(reason) from None
            raise self._failed(reason) from None
        except (UnicodeError, OverflowError) as error:
            raise RefusedError(" ".join(str(error).split())) from None
        except OSError as error:  # its text would tell callers where the database is
            raise self._failed(os.strerror(error.errno) if error.errno else "it does not answer") from None
        except SQLAlchemyError as error:
            raise self._failed(self._address.without_secrets(str(error))) from None
        self._breaker.worked()
        return found

    def _failed(self, reason: str) -> StoreError:
        error = self._error(reason)
        self._breaker.failed(error)
        return error

    def _error(self, reason: str) -> StoreError:
        return StoreError(str(self._address), reason, "see whether the database runs")


def _engine(address: StoreAddress) -> AsyncEngine:
    return create_async_engine(
        address.driven,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        hide_parameters=True,
        connect_args={"timeout": CONNECT_SECONDS, "server_settings": SETTINGS},
    )
