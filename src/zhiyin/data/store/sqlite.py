"""The store in one SQLite file: one thread writes, short readings are done at once where they are asked for."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError as WrongData
from sqlalchemy.exc import IntegrityError, InterfaceError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from zhiyin.data.store.database import Breaker, Seconds, T, Work
from zhiyin.data.store.migrate import migrate, missing
from zhiyin.errors import RefusedError, StoreError

LOCK_SECONDS = 5.0
"""How long a transaction waits for another process that writes."""

READ_LOCK_SECONDS = 0.02
"""How long a reading waits; readers of a file in WAL mode hardly ever have to."""

WAL_BYTES = 64 * 2**20
MOST_LONG_READINGS = 4
WAL_TRIES, WAL_PAUSE_SECONDS = 200, 0.01  # SQLite does not wait by itself for who else turns the WAL on


class SqliteDatabase:
    """Used from one event loop."""

    def __init__(
        self, path: Path, seconds: Seconds, *, lock_seconds: float = LOCK_SECONDS, creates: bool = True
    ) -> None:
        self._path = path
        self._creates = creates
        self._lock_seconds = lock_seconds
        self._breaker = Breaker(seconds)
        self._thread = ThreadPoolExecutor(1, "store")
        self._long = asyncio.Semaphore(MOST_LONG_READINGS)
        self._reader: Connection | None = None
        self._writer: Connection | None = None

    async def migrate(self) -> list[str]:
        """Create the file or bring it to today's schema; the steps that were missing."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._migrate)

    async def read(self, work: Work[T]) -> T:
        """A short reading, at once: a thread would take longer than SQLite does."""
        self._breaker.check()
        try:
            with self._translated():
                if self._reader is None:
                    self._reader = _engine(self._path, "mode=ro", READ_LOCK_SECONDS).connect()
                found = work(self._reader)
        except StoreError as error:
            self._breaker.failed(error)
            self._close_reader()
            raise
        self._breaker.worked()
        return found

    async def read_much(self, work: Work[T]) -> T:
        """A long reading in a thread."""
        async with self._long:
            return await asyncio.to_thread(self._read_much, work)

    async def write(self, work: Work[T]) -> T:
        """One transaction in the writing thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(self._write, work))

    async def write_much(self, work: Work[T]) -> T:
        """The same: SQLite has one writer."""
        return await self.write(work)

    async def close(self) -> None:
        """Wait for the last transaction."""
        await asyncio.to_thread(self._thread.shutdown)
        self._close_reader()
        self._close_writer()

    def _migrate(self) -> list[str]:
        with self._translated():
            if not self._creates and not self._path.exists():  # a new one beside that of others would split the events
                raise StoreError(str(self._path), "it is not there", "put it back")
            if self._path.exists() and self._path.stat().st_size:
                engine = _engine(
                    self._path, "mode=ro", self._lock_seconds, "BEGIN"
                )  # of one moment: others migrate too
                with engine.connect() as connection, connection.begin():
                    missing(connection, str(self._path))  # refused before anything is changed
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))  # what people did is nobody else's business
            with self._writing().begin():
                return migrate(self._writing(), str(self._path))

    def _read_much(self, work: Work[T]) -> T:
        engine = _engine(self._path, "mode=ro", self._lock_seconds, "BEGIN")
        with self._translated(), engine.connect() as connection, connection.begin():
            return work(connection)

    def _write(self, work: Work[T]) -> T:
        try:
            with self._translated():
                connection = self._writing()
                with connection.begin():
                    return work(connection)
        except (StoreError, RefusedError):
            self._close_writer()  # whatever is wrong with it, the next transaction opens the file anew
            raise

    def _writing(self) -> Connection:
        if self._writer is None:
            self._writer = _engine(self._path, "mode=rw", self._lock_seconds, "BEGIN IMMEDIATE").connect()
        return self._writer

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """What SQLite raises, as a sentence of ours."""
        try:
            yield
        except (IntegrityError, WrongData, InterfaceError, UnicodeError, OverflowError) as error:
            raise RefusedError(_reason(error)) from None
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StoreError(str(self._path), _reason(error), "check the path in serve.store") from None


def in_use(path: Path) -> bool:
    """Whether somebody has the file open, such as a service; what is no database is used by nobody."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(path, 0.0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        except sqlite3.DatabaseError:
            return False
    return False


def _engine(path: Path, mode: str, lock_seconds: float, begin: str = "") -> Engine:
    """Connections to a file; SQLAlchemy opens no transactions but those that `begin` opens."""

    def connect() -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?{mode}"
        connection = sqlite3.connect(uri, lock_seconds, uri=True, isolation_level=None, check_same_thread=False)
        if mode == "mode=rw":
            _set_up(connection)
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    if begin:
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _set_up(connection: sqlite3.Connection) -> None:
    """Readers beside the writer, and on the disk at every commit."""
    try:
        for tries in range(WAL_TRIES):
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if tries == WAL_TRIES - 1:
                    raise
                time.sleep(WAL_PAUSE_SECONDS)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
    except sqlite3.Error:
        connection.close()
        raise


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200]
