"""People who ask and act without end while something happens to the service, and what they saw."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.holding.harness import HANG_SECONDS, Answered, Sends, connection

ASKING, ACTING = 6, 6
PAUSE_SECONDS = 0.01
"""Between two requests of one client, so that a small machine is loaded and not drowned."""


@dataclass
class Load:
    """What was seen since it began."""

    port: int
    key: str = ""
    lists: list[Answered] = field(default_factory=list)
    events: list[Answered] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    health: list[Answered] = field(default_factory=list)
    ready: list[Answered] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Connections that were closed before the answer came."""
    is_over: bool = False

    def slowest(self) -> float:
        """Seconds until an answer of any kind."""
        return max(one.seconds for one in [*self.lists, *self.events, *self.health, *self.ready])

    def forget(self) -> None:
        """Begin to look anew; what was acknowledged stays."""
        for seen in (self.lists, self.events, self.health, self.ready):
            seen.clear()

    async def until(self, holds: Callable[[], Any], what: str) -> None:
        """Go on until something was seen."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < HANG_SECONDS, f"never came: {what}"
            assert not self.broken, self.broken
            await asyncio.sleep(0.02)

    async def well(self) -> None:
        """Go on until everything is as it should be: fresh lists, stored events, and both heads of it say so."""
        self.forget()
        await self.until(lambda: self.lists and not self.lists[-1].json()["stale"], "a list that is not stale")
        await self.until(lambda: self.events and self.events[-1].status == 202, "an event that is taken")
        await self.until(lambda: self.health and self.health[-1].json()["status"] == "ok", "health")
        await self.until(lambda: self.ready and self.ready[-1].status == 200, "readiness")


@asynccontextmanager
async def loaded(port: int, key: str = "") -> AsyncIterator[Load]:
    """Load, until the block ends."""
    load, numbers = Load(port, key), itertools.count()

    async def asking(send: Sends) -> None:
        number = next(numbers)
        person = f"a{number % 30:03d}" if number % 3 else f"stranger-{number}"
        load.lists.append(await send("POST", "/v1/recommendations", {"user_id": person, "k": 3}))

    async def acting(send: Sends) -> None:
        number = next(numbers)
        event = {"user_id": f"a{number % 30:03d}", "item_id": f"i{number}", "event_id": f"e{number}"}
        answer = await send("POST", "/v1/events", event)
        load.events.append(answer)
        if answer.status == 202:
            load.acknowledged.add(f"e{number}")

    async def looking(send: Sends) -> None:
        load.health.append(await send("GET", "/v1/health"))
        load.ready.append(await send("GET", "/v1/ready"))

    async def client(does: Callable[[Sends], Any]) -> None:
        try:
            async with connection(port, key) as send:
                while not load.is_over:  # wait_for of Python 3.11 may lose a cancellation
                    await does(send)
                    await asyncio.sleep(PAUSE_SECONDS)
        except (OSError, EOFError) as error:
            load.broken.append(repr(error))

    tasks = [asyncio.create_task(client(does)) for does in [asking] * ASKING + [acting] * ACTING + [looking]]
    try:
        yield load
    finally:
        load.is_over = True
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
