"""Stores to test with: SQLite in a temporary folder, and a real PostgreSQL."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

import postgres
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import database
from zhiyin.data.store.database import Seconds
from zhiyin.data.store.records import Event
from zhiyin.serving.store import Store

T = TypeVar("T")

KINDS = ("sqlite", "postgres")


def address_of(kind: str, folder: Path) -> StoreAddress:
    """Where nothing is yet."""
    if kind == "sqlite":
        return StoreAddress(folder / "store" / "events.db")
    if reason := postgres.missing():
        pytest.skip(reason)
    return StoreAddress.of(postgres.new_database(), folder)


def within(
    address: StoreAddress, use: Callable[[Store], Awaitable[T]], *, seconds: Seconds = time.monotonic, **more: object
) -> T:
    async def run() -> T:
        async with Store(database(address, seconds), **more) as store:
            return await use(store)

    return asyncio.run(run())


def event(
    user: str | None = "ann", item: str = "mug", event_id: str | None = None, time: int = 1, **more: object
) -> Event:
    return Event(user, item, "view", time, 2, event_id=event_id, **more)
