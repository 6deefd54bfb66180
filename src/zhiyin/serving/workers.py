"""Threads that score, so that the event loop goes on storing events and taking requests meanwhile.

Scoring 100,000 items takes milliseconds, most of them outside the interpreter lock; the way to a thread and back, and
what each step does once for all of its rows, take some tenths of one. So questions of one kind that wait for their turn
wait together, and are scored as one batch: the more there is to do, the less each of them costs. Nobody waits for
others to come. Batches come one after the other, each on all cores: side by side they would wait for the lock in turn.
"""

import asyncio
import contextvars
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from zhiyin.compute.threads import thread_count
from zhiyin.errors import RequestError

T = TypeVar("T")
Q = TypeVar("Q")

MOST_WAITING = 1_000
"""Questions that may wait for a thread; beyond it callers are asked to come back."""

MOST_TOGETHER = 8
"""Questions of one batch: more would save little, and the first of them would wait for the last."""


@dataclass(eq=False)
class _Batch:
    """Questions of one kind that wait for a thread, and who waits for the answers."""

    questions: list[Any] = field(default_factory=list)
    answers: "list[asyncio.Future[Any]]" = field(default_factory=list)


class Workers:
    """One thread for batches, and for what takes longer as many as compiled loops use. Asked from one event loop."""

    def __init__(self, *, most_waiting: int = MOST_WAITING) -> None:
        self._pool = ThreadPoolExecutor(thread_count(), "working")
        self._line = ThreadPoolExecutor(1, "scoring")
        self._most_waiting = most_waiting
        self._waiting = 0
        self._open: dict[Hashable, _Batch] = {}
        self._turn = Lock()

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
        self._admit()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, contextvars.copy_context().run, _told, work
            )
        finally:
            self._waiting -= 1

    async def together(self, kind: Hashable, question: Q, work: Callable[[Sequence[Q]], Sequence[T]]) -> T:
        """The answer to one question, by `work`, which answers several of a kind in a few milliseconds.

        Where it raises, each question is asked alone, so that nobody has the error of somebody else.

        Raises
        ------
        RequestError
            503 if too many wait already.
        """
        self._admit()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        with self._turn:
            batch = self._open.get(kind)
            is_new = batch is None or len(batch.questions) >= MOST_TOGETHER
            if batch is None or is_new:
                batch = self._open[kind] = _Batch()
            batch.questions.append(question)
            batch.answers.append(answer)
        if is_new:
            done = loop.run_in_executor(self._line, self._answers, kind, batch, work)
            done.add_done_callback(partial(_deliver, batch))
        try:
            return await answer
        finally:
            self._waiting -= 1

    def stop(self) -> None:
        """End the threads when they have done what they do."""
        for pool in (self._line, self._pool):
            pool.shutdown(cancel_futures=True)

    def _admit(self) -> None:
        if self._waiting >= self._most_waiting:
            raise RequestError(503, f"{self._waiting:,} questions wait for an answer already: ask again later")
        self._waiting += 1

    def _answers(self, kind: Hashable, batch: _Batch, work: Callable[[Sequence[Any]], Sequence[T]]) -> Sequence[Any]:
        """Answers or exceptions, one for each question of a batch, to which nothing is added from now on."""
        with self._turn:
            if self._open.get(kind) is batch:
                del self._open[kind]
        try:
            return work(batch.questions)
        except Exception as error:  # whatever it is, it is told to who has asked
            return [error] if len(batch.questions) == 1 else [_alone(work, one) for one in batch.questions]


def _alone(work: Callable[[Sequence[Q]], Sequence[T]], question: Q) -> T | Exception:
    try:
        (answer,) = work([question])
    except Exception as error:  # told to who has asked, as above
        return error
    return answer


def _deliver(batch: _Batch, done: "asyncio.Future[Sequence[Any]]") -> None:
    """Tell everybody who still waits."""
    if done.cancelled() or done.exception():  # the service ends
        for waiting in batch.answers:
            waiting.cancel()
        return
    for waiting, answer in zip(batch.answers, done.result(), strict=True):
        if waiting.done():  # the caller has gone
            continue
        if isinstance(answer, Exception):
            waiting.set_exception(_awaitable(answer))
        else:
            waiting.set_result(answer)


def _awaitable(error: Exception) -> Exception:
    """A StopIteration cannot be told to who waits in a coroutine: without this, the request would wait for ever."""
    if not isinstance(error, StopIteration):
        return error
    missing = RuntimeError("something was expected that is not there")
    missing.__cause__ = error
    return missing


def _told(work: Callable[[], T]) -> T:
    try:
        return work()
    except StopIteration as error:
        raise _awaitable(error) from error
