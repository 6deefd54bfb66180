"""What is done beside answering: again and again, once more at the end, whatever one of the jobs runs into."""

import asyncio

import pytest

from zhiyin.errors import ArtifactError
from zhiyin.serving.upkeep import Upkeep


def test_jobs_are_done_again_and_again_and_a_failure_stops_none(caplog: pytest.LogCaptureFixture) -> None:
    async def kept() -> int:
        thrice, loop, count = asyncio.Event(), asyncio.get_running_loop(), 0

        def fails() -> None:
            raise ArtifactError("the disk is full")

        def counts() -> None:
            nonlocal count
            count += 1
            if count == 3:
                loop.call_soon_threadsafe(thrice.set)

        upkeep = Upkeep([fails, counts], seconds=0.001)
        upkeep.start()
        await asyncio.wait_for(thrice.wait(), 30)
        before = count
        await upkeep.stop()
        assert count > before
        after = count
        await upkeep.stop()
        return count - after

    assert asyncio.run(kept()) == 1
    assert "the disk is full" in caplog.text
