"""The database is gone for ten seconds under load: answers go on, events are refused clearly, nothing acknowledged is
lost, and all is well again by itself."""

import asyncio
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

import postgres
from tests.holding.harness import Process, full
from tests.holding.load import Load, loaded
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.training import read_tables

SECONDS = full(2, 10)
HANGING_SECONDS = full(6, 10)
"""Longer than a transaction waits, so that some are refused."""

BOUND_SECONDS = 20.0
"""No answer takes so long, however busy the machine: the longest time-out is five seconds."""


async def through(service: Process, gone: AbstractContextManager[None], seconds: float) -> tuple[Load, Load]:
    """Under load before, while it is gone, and after; what was seen while it was gone, and in all."""
    async with loaded(service.port) as load:
        await load.well()
        with gone:
            load.forget()
            await asyncio.sleep(seconds)
            meanwhile = Load(load.port, lists=[*load.lists], events=[*load.events], health=[*load.health])
            meanwhile.ready = [*load.ready]
        await load.well()
    assert not load.broken
    assert {one.status for one in [*meanwhile.lists, *load.lists]} == {200}
    assert {one.status for one in [*meanwhile.events, *load.events]} <= {202, 503}
    refused = [one for one in meanwhile.events if one.status == 503]
    assert all(int(one.headers["retry-after"]) > 0 for one in refused)
    assert all("nothing was stored: send it again" in one.json()["error"]["message"] for one in refused)
    assert max(meanwhile.slowest(), load.slowest()) < BOUND_SECONDS
    return meanwhile, load


def all_are_there(load: Load, store: str, root: Path) -> None:
    """Every acknowledged event once, and no event twice."""
    counts = Counter(read_tables(StoreAddress.of(store, root)).events["item_id"].to_list())
    assert set(counts.values()) == {1}
    lost = {f"i{event[1:]}" for event in load.acknowledged} - counts.keys()
    assert not lost


def reported(name: str, seen: Load, load: Load) -> None:
    statuses = Counter(one.status for one in seen.events)
    stale = sum(one.json()["stale"] for one in seen.lists)
    print(
        f"{name}: {len(seen.lists):,} lists ({stale:,} stale, slowest {max(one.seconds for one in seen.lists):.2f} s)"
    )
    print(f"  events {dict(statuses)}, {len(load.acknowledged):,} acknowledged in all and none lost")


@pytest.fixture
def server() -> Iterator[postgres.Cluster]:
    """A PostgreSQL that nobody else uses."""
    if not postgres.binaries():
        pytest.skip("no PostgreSQL of our own to stop: apt-get install postgresql")
    started = postgres.Cluster()
    yield started
    started.remove()


@pytest.mark.parametrize(("how", "seconds"), [("gone", SECONDS), ("hanging", HANGING_SECONDS)])
def test_a_postgres_that_is_away_makes_lists_stale_and_loses_nothing(
    how: str, seconds: int, project, server: postgres.Cluster
) -> None:
    shop = project(f"store = {server.url!r}\nworkers = {full(1, 2)}")
    with shop.serving() as service:
        seen, load = asyncio.run(through(service, getattr(server, how)(), seconds))
        assert any(one.json()["stale"] for one in seen.lists)
        assert any(one.status == 503 for one in seen.events)
        troubled = [one.json() for one in seen.health if one.json()["status"] == "degraded"]
        assert any("cannot be used as the store" in one["problem"] for one in troubled)
        assert not any("not-a-secret" in str(one) for one in troubled)
        assert any("events cannot be written" in one.json()["reasons"] for one in seen.ready if one.status == 503)
        assert service.stop() == 0
    all_are_there(load, server.url, shop.root)
    reported(f"PostgreSQL {how}", seen, load)


Leaves = Callable[[Path], AbstractContextManager[None]]

HOLDS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process is in the middle of writing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        yield


@contextmanager
def moved(path: Path) -> Iterator[None]:
    """The folder of the file is not where it was."""
    elsewhere = path.parent.with_name("elsewhere")
    path.parent.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(path.parent)


@pytest.mark.parametrize(("leaves", "seconds"), [(locked, HANGING_SECONDS), (moved, SECONDS)])
def test_a_file_that_cannot_be_written_loses_nothing(leaves: Leaves, seconds: int, project) -> None:
    shop = project(f'store = "store/events.db"\nworkers = {full(1, 2)}')
    path = shop.root / "store" / "events.db"
    with shop.serving() as service:
        seen, load = asyncio.run(through(service, leaves(path), seconds))
        if leaves is locked:
            assert any(one.status == 503 for one in seen.events)
            assert any("events cannot be written" in one.json().get("reasons", ()) for one in seen.ready)
            assert any("database is locked" in one.json().get("problem", "") for one in seen.health)
        assert service.stop() == 0
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    all_are_there(load, "store/events.db", shop.root)
    reported(f"SQLite {leaves.__name__}", seen, load)
