"""What the store asks of a database: short readings, long ones, and transactions that write."""

from collections.abc import Callable
from typing import Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection

from zhiyin.errors import StoreError

T = TypeVar("T")
Work: TypeAlias = Callable[[Connection], T]
Seconds: TypeAlias = Callable[[], float]
"""A clock that only goes forward."""

PAUSE_SECONDS = 0.5
"""After a failure nobody waits for the database again for so long."""


class Database(Protocol):
    """Every method raises StoreError when the database cannot do it now, RefusedError when it never will."""

    async def migrate(self) -> list[str]:
        """Bring it to today's schema, and say which steps were missing; DataError where it is not ours."""
        ...

    async def read(self, work: Work[T]) -> T:
        """A short reading of one statement."""
        ...

    async def read_much(self, work: Work[T]) -> T:
        """A long reading, of one moment; others go on meanwhile."""
        ...

    async def write(self, work: Work[T]) -> T:
        """One short transaction, all or nothing; on the disk when this returns."""
        ...

    async def write_much(self, work: Work[T]) -> T:
        """The same for what may take minutes."""
        ...

    async def close(self) -> None:
        """End what is on its way."""
        ...


class Breaker:
    """Lets nobody wait for what has just failed."""

    def __init__(self, seconds: Seconds) -> None:
        self._seconds = seconds
        self._until = 0.0
        self._failure: StoreError | None = None

    def check(self) -> None:
        """Refuse at once if it failed within the pause.

        Raises
        ------
        StoreError
            That failure.
        """
        if self._failure is not None and self._seconds() < self._until:
            raise self._failure

    def failed(self, failure: StoreError) -> None:
        """Begin the pause."""
        self._until = self._seconds() + PAUSE_SECONDS
        self._failure = failure.with_traceback(None)

    def worked(self) -> None:
        """There is nothing to pause for."""
        self._failure = None
