"""What costs something to find out, found out once for all who look within some seconds."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from zhiyin.serving.service import Service

T = TypeVar("T")


class Kept(Generic[T]):
    """The last result for each service, for so many seconds."""

    def __init__(self, find: Callable[[Service], Awaitable[T]], seconds: float) -> None:
        self._find = find
        self._seconds = seconds
        self._found: WeakKeyDictionary[Service, tuple[float, T]] = WeakKeyDictionary()
        self._turns: WeakKeyDictionary[Service, asyncio.Lock] = WeakKeyDictionary()

    async def of(self, service: Service) -> T:
        """The result; who comes while it is found out waits for it."""
        async with self._turns.setdefault(service, asyncio.Lock()):
            until, found = self._found.get(service, (0.0, None))
            if found is None or time.monotonic() >= until:
                found = await self._find(service)
                self._found[service] = (time.monotonic() + self._seconds, found)
            return found
