"""Group commit: while one transaction is on its way, calls gather, and the next takes all of them."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

from zhiyin.data.store import events
from zhiyin.data.store.database import Database
from zhiyin.data.store.records import Appended, Event, Impression
from zhiyin.errors import RefusedError, RequestError, StoreError

MOST_WAITING = 200_000
"""Events that may wait for the disk; beyond it callers are asked to come back."""

LARGEST_COMMIT = 20_000
"""Events of one transaction, unless one call alone brings more."""

MOST_IMPRESSIONS = 20_000
"""Shown lists that may wait; beyond it new ones are dropped and counted."""

IMPRESSIONS_EACH = 5_000
"""Shown lists of one transaction."""

IMPRESSION_SECONDS = 0.2
"""How long a shown list waits for a transaction of events before it gets one of its own."""

ENDING = "the service is shutting down and nothing was stored: send it again"

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Call:
    events: Sequence[Event]
    answer: "asyncio.Future[Appended]"


class Writer:
    """Used from one event loop, between `start` and `stop`."""

    def __init__(self, database: Database, most_waiting: int = MOST_WAITING) -> None:
        self._database = database
        self._most_waiting = most_waiting
        self._calls: deque[_Call] = deque()
        self._shown: deque[Impression] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = True
        self.waiting = 0
        """Events that wait for the disk."""
        self.problem = ""
        """Why the last transaction failed; empty if it did not."""
        self.took: Callable[[float], None] = lambda _: None
        """Told the seconds of each transaction that was possible."""
        self.dropped = 0
        """Shown lists that will never be written."""

    def start(self) -> None:
        """Begin to write."""
        self._closing = False
        self._woken = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._write())

    async def stop(self) -> None:
        """Write what is waiting."""
        self._closing = True
        self._woken.set()
        await self._task

    async def append(self, given: Sequence[Event]) -> Appended:
        """Store all of these or none; when this returns they are on the disk.

        Raises
        ------
        RequestError
            503 if it cannot be done.
        """
        if not given:
            return Appended(0, 0)
        if self._closing:
            raise RequestError(503, ENDING)
        if self.waiting and self.waiting + len(given) > self._most_waiting:
            raise RequestError(
                503, f"{self.waiting:,} events wait for the disk and nothing was stored: send it again later"
            )
        return await self._called(given)

    def note(self, shown: Impression) -> None:
        """Write it with the next events, or a little later; never waits, never fails."""
        if self._closing or len(self._shown) >= MOST_IMPRESSIONS:
            self.dropped += 1
            return
        self._shown.append(shown)
        self._wake_later()

    async def flush(self) -> None:
        """Write the lists that wait or are on their way; raises as `append` does."""
        for _ in range(0, len(self._shown) + 1, IMPRESSIONS_EACH):
            await self._called(())

    async def _called(self, given: Sequence[Event]) -> Appended:
        """Told when the next transaction is over."""
        call = _Call(given, asyncio.get_running_loop().create_future())
        self.waiting += len(given)
        self._calls.append(call)
        self._woken.set()
        return await call.answer

    def _wake_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(IMPRESSION_SECONDS, self._woken.set)

    async def _write(self) -> None:
        """The life of the writing task."""
        while not (self._closing and not self._calls and not self._shown):
            await self._woken.wait()
            self._woken.clear()
            if self._timer:
                self._timer.cancel()
                self._timer = None
            while self._calls or self._shown:
                if not await self._commit() and not self._calls:
                    break
            if self._closing:
                self.dropped += len(self._shown)  # the last transaction has failed
                self._shown.clear()
            elif self._shown:
                self._wake_later()

    def _gathered(self) -> list[_Call]:
        """The calls of the next transaction, in order."""
        calls: list[_Call] = []
        size = 0
        while self._calls and (not calls or size + len(self._calls[0].events) <= LARGEST_COMMIT):
            calls.append(self._calls.popleft())
            size += len(calls[-1].events)
        return calls

    async def _commit(self) -> bool:
        """One transaction for all that has gathered; whether it was possible."""
        calls, shown = self._gathered(), list(islice(self._shown, IMPRESSIONS_EACH))
        for _ in shown:
            self._shown.popleft()
        try:
            await self._stored(calls, shown)
        except RefusedError:
            await self._one_by_one(calls, shown)
        except StoreError as error:
            log.error("%d calls were refused: %s", len(calls), error)
            self.problem = str(error)
            self._refuse(calls, error.reason)
            self._shown.extendleft(reversed(shown))
            return False
        finally:
            self.waiting -= sum(len(call.events) for call in calls)
            _end(calls)
        self.problem = ""
        return True

    async def _stored(self, calls: Sequence[_Call], shown: Sequence[Impression]) -> None:
        given = [call.events for call in calls]
        began = perf_counter()
        done = await self._database.write(lambda connection: events.append_all(connection, given, shown))
        self.took(perf_counter() - began)
        for call, appended in zip(calls, done, strict=True):
            if not call.answer.done():  # else the caller has gone
                call.answer.set_result(appended)

    async def _one_by_one(self, calls: Sequence[_Call], shown: Sequence[Impression]) -> None:
        """One of them holds what the store cannot: the others must not suffer."""
        for one in shown:
            try:
                await self._stored((), [one])
            except (RefusedError, StoreError):
                self.dropped += 1
        for call in calls:
            try:
                await self._stored([call], ())
            except (RefusedError, StoreError) as error:
                self._refuse([call], error.reason)

    @staticmethod
    def _refuse(calls: Sequence[_Call], reason: str) -> None:
        for call in calls:
            if not call.answer.done():
                call.answer.set_exception(
                    RequestError(503, f"the store cannot write now ({reason}) and nothing was stored: send it again")
                )


def _end(calls: Sequence[_Call]) -> None:
    """Nobody waits for what will never be told."""
    for call in calls:
        if not call.answer.done():
            call.answer.set_exception(RequestError(503, ENDING))
