"""Threads that score, so that the event loop goes on storing events and taking requests meanwhile.

Scoring 100,000 items takes milliseconds, most of them outside the interpreter lock; the way to a thread and back takes
a tenth of one.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from zhiyin.compute.threads import thread_count
from zhiyin.errors import RequestError

T = TypeVar("T")

MOST_WAITING = 1_000
"""Questions that may wait for a thread; beyond it callers are asked to come back."""


class Workers:
    """As many threads as compiled loops use."""

    def __init__(self, *, most_waiting: int = MOST_WAITING) -> None:
        self._pool = ThreadPoolExecutor(thread_count(), "scoring")
        self._most_waiting = most_waiting
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Questions that are scored or wait for it."""
        return self._waiting

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, done in a thread.

        Raises
        ------
        RequestError
            503 if too many wait already.
        """
        if self._waiting >= self._most_waiting:
            raise RequestError(503, f"{self._waiting:,} questions wait for an answer already: ask again later")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, contextvars.copy_context().run, _told, work
            )
        finally:
            self._waiting -= 1

    def stop(self) -> None:
        """End the threads when they have done what they do."""
        self._pool.shutdown(cancel_futures=True)


def _told(work: Callable[[], T]) -> T:
    """A StopIteration cannot be told to who waits in a coroutine: without this, the request would wait for ever."""
    try:
        return work()
    except StopIteration as error:
        raise RuntimeError("something was expected that is not there") from error
