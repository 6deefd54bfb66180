"""Threads that score: what they return, what they raise, and how many may wait."""

import asyncio
import threading

import pytest

from zhiyin.errors import ConfigError, RequestError
from zhiyin.serving.workers import Workers


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
