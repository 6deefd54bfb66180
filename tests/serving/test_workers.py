"""Threads that score: what they return, what they raise, and how many may wait."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import pytest

from zhiyin.errors import ConfigError, RequestError
from zhiyin.serving.workers import MOST_TOGETHER, Workers

Answers: TypeAlias = Callable[[Sequence[int]], Sequence[int]]


def test_work_is_done_beside_the_event_loop_and_its_errors_come_back() -> None:
    async def use() -> None:
        workers = Workers()
        assert await workers.run(threading.current_thread) is not threading.current_thread()

        def wrong() -> None:
            raise ConfigError("k")

        with pytest.raises(ConfigError, match="k"):
            await workers.run(wrong)
        workers.stop()

    asyncio.run(use())


def test_too_many_questions_are_asked_to_come_back() -> None:
    async def use() -> None:
        workers, go_on = Workers(most_waiting=3), threading.Event()
        held = [asyncio.ensure_future(workers.run(go_on.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="ask again later") as refused:
            await workers.run(go_on.wait)
        assert refused.value.status == 503
        go_on.set()
        assert all(await asyncio.gather(*held))
        assert await workers.run(go_on.wait)
        workers.stop()

    asyncio.run(use())


def test_work_that_misses_something_fails_and_does_not_wait_for_ever() -> None:
    async def use() -> None:
        workers = Workers()
        with pytest.raises(RuntimeError, match="is not there"):
            await asyncio.wait_for(workers.run(lambda: next(iter(()))), 30)
        workers.stop()

    asyncio.run(use())


class Busy:
    """Holds the thread of batches until told to go on."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._begun, self._go_on = threading.Event(), threading.Event()

    async def begin(self) -> None:
        self._task = asyncio.ensure_future(self._workers.together(self, 0, self._hold))
        assert await asyncio.to_thread(self._begun.wait, 30)

    async def end(self) -> None:
        self._go_on.set()
        assert await self._task == "held"

    def _hold(self, asked: Sequence[int]) -> list[str]:
        self._begun.set()
        assert self._go_on.wait(30)
        return ["held" for _ in asked]


def asked(workers: Workers, kind: str, questions: Iterable[int], answers: Answers) -> list[asyncio.Future[int]]:
    return [asyncio.ensure_future(workers.together(kind, one, answers)) for one in questions]


def test_questions_of_a_kind_that_wait_are_answered_together_and_others_are_not() -> None:
    async def use() -> None:
        workers, batches = Workers(), list[list[int]]()
        busy = Busy(workers)

        def answers(questions: Sequence[int]) -> list[int]:
            batches.append(list(questions))
            return [10 * one for one in questions]

        await busy.begin()
        waiting = [*asked(workers, "a", (1, 3), answers), *asked(workers, "b", (2,), answers)]
        waiting += asked(workers, "a", (5,), answers)
        await asyncio.sleep(0)
        assert workers.waiting == 5
        await busy.end()
        assert await asyncio.gather(*waiting) == [10, 30, 20, 50]
        assert batches == [[1, 3, 5], [2]]
        assert workers.waiting == 0
        workers.stop()

    asyncio.run(use())


def test_a_batch_has_a_bound_and_what_comes_later_is_another() -> None:
    async def use() -> None:
        workers, sizes = Workers(), list[int]()
        busy = Busy(workers)

        def answers(questions: Sequence[int]) -> Sequence[int]:
            sizes.append(len(questions))
            return questions

        await busy.begin()
        waiting = asked(workers, "a", range(2 * MOST_TOGETHER + 1), answers)
        await asyncio.sleep(0)
        await busy.end()
        assert await asyncio.gather(*waiting) == list(range(2 * MOST_TOGETHER + 1))
        assert sizes == [MOST_TOGETHER, MOST_TOGETHER, 1]
        workers.stop()

    asyncio.run(use())


def test_an_error_is_told_to_who_caused_it_alone() -> None:
    async def use() -> None:
        workers = Workers()
        busy = Busy(workers)

        def answers(questions: Sequence[int]) -> list[int]:
            if 2 in questions:
                raise ConfigError("two")
            if 3 in questions:
                next(iter(()))
            return list(questions)

        await busy.begin()
        waiting = asked(workers, "a", range(1, 5), answers)
        await asyncio.sleep(0)
        await busy.end()
        one, two, three, four = await asyncio.gather(*waiting, return_exceptions=True)
        assert (one, four) == (1, 4)
        assert isinstance(two, ConfigError)
        assert isinstance(three, RuntimeError)
        workers.stop()

    asyncio.run(use())


def test_that_somebody_has_gone_changes_nothing_for_the_others() -> None:
    async def use() -> None:
        workers = Workers()
        busy = Busy(workers)
        await busy.begin()
        gone, stays = asked(workers, "a", (1, 2), list)
        await asyncio.sleep(0)
        gone.cancel()
        await busy.end()
        assert await asyncio.wait_for(stays, 30) == 2
        assert workers.waiting == 0
        workers.stop()

    asyncio.run(use())


def test_at_the_end_nobody_waits_for_ever() -> None:
    async def use() -> None:
        workers = Workers()
        busy = Busy(workers)
        await busy.begin()
        (late,) = asked(workers, "a", (1,), list)
        await asyncio.sleep(0)
        stopped = asyncio.ensure_future(asyncio.to_thread(workers.stop))
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(late, 30)
        await busy.end()
        await stopped

    asyncio.run(use())
