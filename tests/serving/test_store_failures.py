"""The store when things go wrong: killed, locked, full, gone, hanging, and shared by several who write."""

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

import postgres
from stores import KINDS, address_of, event, within
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import database, migrate_at_once, read_at_once
from zhiyin.data.store.database import PAUSE_SECONDS
from zhiyin.data.store.events import append
from zhiyin.data.store.postgres import READ_SECONDS
from zhiyin.data.store.records import Appended, Impression
from zhiyin.data.store.sqlite import SqliteDatabase, in_use
from zhiyin.data.store.tables import events
from zhiyin.data.store.training import read_tables
from zhiyin.errors import RequestError, StoreError
from zhiyin.serving.store import Store

WRITES = """
import asyncio, os, sys
from pathlib import Path
from zhiyin.data.store.records import Event
from zhiyin.serving.store import Store
place, name, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
async def main():
    async with Store.of(place, Path(".")) as store:
        numbers = iter(range(most))
        async def client():
            for number in numbers:
                await store.append([Event("ann", "mug", "view", 1, 2, event_id=f"{name}-{number}")])
                os.write(1, f"{name}-{number}\\n".encode())
        await asyncio.gather(*(client() for _ in range(8)))
asyncio.run(main())
"""


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> StoreAddress:
    return address_of(request.param, tmp_path)


@contextmanager
def writing(address: StoreAddress, name: str, most: int) -> Iterator["subprocess.Popen[str]"]:
    """A process that stores events, and tells which were acknowledged."""
    place = address.url or str(address.path)
    command = [sys.executable, "-c", WRITES, place, name, str(most)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def stored_ids(address: StoreAddress) -> list[str]:
    return read_at_once(address, lambda connection: [row.event_id for row in connection.execute(events.select())])


def test_what_was_acknowledged_before_kill_9_is_there_once(address: StoreAddress) -> None:
    migrate_at_once(address)
    told: list[str] = []
    for turn, acknowledged in enumerate((1, 100, 300)):
        with writing(address, f"turn {turn}", 1_000_000) as process:
            assert process.stdout
            told += [process.stdout.readline().strip() for _ in range(acknowledged)]
            os.kill(process.pid, signal.SIGKILL)
            told += [line.strip() for line in process.stdout if line.endswith("\n")]
    found = Counter(stored_ids(address))
    assert set(told) <= set(found)
    assert set(found.values()) == {1}


def test_a_reader_never_misses_what_two_processes_write(address: StoreAddress) -> None:
    migrate_at_once(address)

    async def follow(store: Store) -> list[str | None]:
        with writing(address, "left", 150) as left, writing(address, "right", 150) as right:
            seen, last, ended = [], 0, False
            while True:
                news = await store.news("ann", None, last, 1_000)
                seen += [one.event_id for _, one in news.events]
                last = news.events[-1][0] if news.events else last
                if ended:
                    return seen
                ended = left.poll() is not None and right.poll() is not None

    seen = within(address, follow)
    assert sorted(map(str, seen)) == sorted(f"{name}-{i}" for name in ("left", "right") for i in range(150))


def test_numbers_ascend_in_the_order_of_commit_however_slow_a_transaction_is(tmp_path: Path) -> None:
    address = address_of("postgres", tmp_path)
    migrate_at_once(address)

    async def run() -> list[str]:
        slow, quick = database(address, time.monotonic), database(address, time.monotonic)
        begun, ended = asyncio.Event(), []

        def numbered_and_not_yet_committed(connection: Connection) -> None:
            append(connection, [[event("ann", "first")]])
            begun.set()
            connection.exec_driver_sql("SELECT pg_sleep(0.3)")

        async def first() -> None:
            await slow.write(numbered_and_not_yet_committed)
            ended.append("first")

        async def second() -> None:
            await begun.wait()
            await quick.write(lambda connection: append(connection, [[event("ann", "second")]]))
            ended.append("second")

        await asyncio.gather(first(), second())
        await slow.close()
        await quick.close()
        return ended

    assert asyncio.run(run()) == read_tables(address).events["item_id"].to_list() == ["first", "second"]


def test_a_file_is_in_use_while_a_service_has_it_open(tmp_path: Path) -> None:
    address = StoreAddress(tmp_path / "events.db")
    assert not in_use(address.path)

    async def use(store: Store) -> bool:
        await store.append([event()])
        return in_use(address.path)

    assert within(address, use)
    assert not in_use(address.path)
    (tmp_path / "other.db").write_bytes(b"no database at all" * 100)
    assert not in_use(tmp_path / "other.db")


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_all_of_a_call_and_the_next_call_is_well(tmp_path: Path) -> None:
    address = StoreAddress(tmp_path / "events.db")

    async def use(store: Store) -> None:
        await store.append([event("before")])
        with full_disk(300_000):
            store.note(Impression("r", "ann", None, None, None, 1, 1, "[]"))
            with pytest.raises(RequestError, match="nothing was stored") as refused:
                await store.append([event("lost", "i" * 1_000) for _ in range(1_000)])
            assert refused.value.status == 503
            assert store.problem
        assert await store.append([event("after")]) == Appended(1, 0)
        assert not store.problem
        assert len((await store.export("ann"))["impressions"]) == 1
        assert store.dropped_impressions == 0

    within(address, use)
    assert read_tables(address).events["user_id"].to_list() == ["before", "after"]


def test_a_locked_file_refuses_events_goes_on_reading_and_the_next_call_is_well(tmp_path: Path) -> None:
    path = tmp_path / "events.db"

    async def run() -> None:
        async with Store(SqliteDatabase(path, time.monotonic, lock_seconds=0.05)) as store:
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(RequestError, match=r"database is locked.*nothing was stored"):
                    await store.append([event("lost")])
                with pytest.raises(RequestError, match="locked") as refused:
                    await store.link("s", "ann")
                assert refused.value.status == 503
                assert (await store.news("lost", None, 0, 1)).events == []
                store.note(Impression("r", "ann", None, None, None, 1, 1, "[]"))
                with pytest.raises(RequestError):
                    await store.erase("ann")  # not before what waits is written, else it would stay
                other.execute("ROLLBACK")
            await store.append([event("after")])

    asyncio.run(run())
    assert read_tables(StoreAddress(path)).events["user_id"].to_list() == ["after"]


def test_lists_that_nobody_could_write_are_counted_when_the_service_ends(tmp_path: Path) -> None:
    path = tmp_path / "events.db"

    async def run() -> int:
        store = Store(SqliteDatabase(path, time.monotonic, lock_seconds=0.05))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            async with store:
                other.execute("BEGIN IMMEDIATE")
                store.note(Impression("r", "ann", None, None, None, 1, 1, "[]"))
            other.execute("ROLLBACK")
        return store.dropped_impressions

    assert asyncio.run(run()) == 1


def test_a_file_that_cannot_be_read_is_not_asked_again_at_once_and_then_is(tmp_path: Path) -> None:
    path, hidden, now = tmp_path / "events.db", tmp_path / "hidden.db", [0.0]
    migrate_at_once(StoreAddress(path))

    async def run() -> None:
        reading = SqliteDatabase(path, lambda: now[0])
        path.rename(hidden)
        with pytest.raises(StoreError, match=r"serve\.store"):
            await reading.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        hidden.rename(path)
        with pytest.raises(StoreError, match="unable to open"):
            await reading.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        now[0] += PAUSE_SECONDS
        assert await reading.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar()) == 1
        await reading.close()

    asyncio.run(run())


@pytest.fixture
def cluster() -> postgres.Cluster:
    if os.environ.get(postgres.VARIABLE) or postgres.missing():
        pytest.skip(f"needs a PostgreSQL that it may stop: {postgres.missing() or 'unset ' + postgres.VARIABLE}")
    return postgres.cluster()


def test_a_database_that_is_gone_refuses_at_once_and_is_well_when_it_is_back(
    cluster: postgres.Cluster, tmp_path: Path
) -> None:
    address = address_of("postgres", tmp_path)
    now = [0.0]

    async def use(store: Store) -> None:
        await store.append([event("before")])
        with cluster.gone():
            store.note(Impression("r", "ann", None, None, None, 1, 1, "[]"))
            for _ in range(3):
                with pytest.raises(RequestError, match="nothing was stored") as refused:
                    await store.append([event("lost", event_id="lost")])
                assert refused.value.status == 503
                assert "127.0.0.1" not in str(refused.value)
                with pytest.raises(StoreError, match="see whether the database runs"):
                    await store.news("before", None, 0, 1)
                now[0] += 2 * PAUSE_SECONDS
            with pytest.raises(RequestError):
                await store.erase("ann")
            assert store.problem
        now[0] += 2 * PAUSE_SECONDS
        assert await _after(lambda: store.append([event("after")]), now) == Appended(1, 0)
        assert len((await store.news("before", None, 0, 1)).events) == 1
        assert not store.problem
        assert len((await store.export("ann"))["impressions"]) == 1

    within(address, use, seconds=lambda: now[0])
    assert read_tables(address).events["user_id"].to_list() == ["before", "after"]


async def _after(ask, now):
    """The first answer of a server that has just come back; each old connection may fail once."""
    for _ in range(10):
        try:
            return await ask()
        except RequestError:
            now[0] += 2 * PAUSE_SECONDS
    return await ask()


def test_a_database_that_hangs_does_not_hang_the_service(cluster: postgres.Cluster, tmp_path: Path) -> None:
    address = address_of("postgres", tmp_path)
    now = [0.0]

    async def use(store: Store) -> None:
        await store.append([event("before")])
        await store.news("before", None, 0, 1)
        with cluster.hanging():
            async with asyncio.timeout(20 * READ_SECONDS):
                with pytest.raises(StoreError, match="no answer within"):
                    await store.news("before", None, 0, 1)
                with pytest.raises(StoreError, match="no answer within"):
                    await store.news("before", None, 0, 1)  # in the pause: told at once
        now[0] += 2 * PAUSE_SECONDS
        assert await _after(lambda: store.append([event("after")]), now) == Appended(1, 0)
        assert len((await store.news("before", None, 0, 1)).events) == 1

    within(address, use, seconds=lambda: now[0])


def test_a_service_starts_without_its_database_and_finds_it_later(cluster: postgres.Cluster, tmp_path: Path) -> None:
    address = address_of("postgres", tmp_path)
    migrate_at_once(address)
    now = [0.0]

    async def run() -> None:
        store = Store(database(address, lambda: now[0]))
        with cluster.gone():
            await store.__aenter__()
            assert store.problem
        now[0] += 2 * PAUSE_SECONDS
        assert await _after(lambda: store.append([event()]), now) == Appended(1, 0)
        assert not store.problem
        await store.__aexit__()

    asyncio.run(run())


def test_a_wrong_password_is_in_no_sentence(cluster: postgres.Cluster, tmp_path: Path) -> None:
    address = StoreAddress.of(postgres.server().replace("/postgres", "/no_such_place"), tmp_path)
    with pytest.raises(StoreError, match="no_such_place") as refused:
        read_at_once(address, lambda _: None)
    assert "not-a-secret" not in f"{refused.value} {refused.value.__cause__} {address} {address!r}"


def test_a_worker_waits_for_a_file_that_is_away_and_makes_no_other(tmp_path: Path) -> None:
    async def use() -> None:
        async with Store.of("store/events.db", tmp_path, creates=False) as store:
            assert "it is not there" in store.problem
            with pytest.raises(RequestError) as refused:
                await store.append([event()])
            assert refused.value.status == 503
            assert not (tmp_path / "store").exists()
            await asyncio.to_thread(migrate_at_once, StoreAddress(tmp_path / "store" / "events.db"))
            assert await store.append([event()]) == Appended(1, 0)
            assert store.problem == ""

    asyncio.run(use())
