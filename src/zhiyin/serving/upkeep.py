"""What is done every now and then beside answering: small, slow, and once more at the end."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from zhiyin.errors import ZhiyinError

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


class Upkeep:
    """Runs its jobs in a thread, in turn."""

    def __init__(self, jobs: Sequence[Callable[[], None]], *, seconds: float = EVERY_SECONDS) -> None:
        self._jobs = jobs
        self._seconds = seconds
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """From now on."""
        self._running = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """After one last time."""
        if self._running is not None:
            self._running.cancel()
            self._running = None
        await self._once()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self._once()

    async def _once(self) -> None:
        for job in self._jobs:
            try:
                await asyncio.to_thread(job)
            except ZhiyinError as error:
                log.error("%s", error)
