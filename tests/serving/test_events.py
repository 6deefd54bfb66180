"""The durable store: all or nothing, once, in order, and well again after the disk was not."""

import asyncio
import os
import resource
import sqlite3
import stat
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import polars as pl
import pytest

from zhiyin.data.sources.live import COLUMNS, read_events
from zhiyin.errors import DataError, RequestError
from zhiyin.serving.events import Appended, Event, EventStore, Stored

T = TypeVar("T")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "events.db"


def within(path: Path, use: Callable[[EventStore], Awaitable[T]], **settings: object) -> T:
    async def run() -> T:
        async with EventStore(path, **settings) as store:
            return await use(store)

    return asyncio.run(run())


def event(user: str = "ann", item: str = "mug", event_id: str | None = None, time: int = 1) -> Event:
    return Event(user, item, "view", time, 2, event_id=event_id)


def test_what_is_appended_is_read_by_training(path: Path) -> None:
    bought = Event("ann 'x'/é☕", "mug", "purchase", 7, 9, "e1", 4.5, 12.5, 2.0, "r1")
    assert within(path, lambda store: store.append([bought, event(time=8)])) == Appended(2, 0)
    frame, last = read_events(path)
    assert last == 2
    assert frame.schema == pl.Schema(COLUMNS)
    assert frame.rows() == [
        ("ann 'x'/é☕", "mug", "purchase", 7, 4.5, 12.5, 2.0),
        ("ann", "mug", "view", 8, None, None, None),
    ]
    assert read_events(path, after=1)[0].height == 1
    assert read_events(path, after=2)[1] == 2


def test_a_store_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    frame, last = read_events(tmp_path / "none.db", after=5)
    assert (frame.height, frame.schema, last) == (0, pl.Schema(COLUMNS), 5)


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    within(path, lambda store: store.append([event()]))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_sequence_numbers_go_on_after_a_restart(path: Path) -> None:
    for _ in range(2):
        within(path, lambda store: store.append([event(), event()]))

    async def numbers(store: EventStore) -> list[int]:
        return [number for number, _ in store.since(1)]

    assert within(path, numbers) == [2, 3, 4]


def test_an_event_id_is_stored_once(path: Path) -> None:
    async def use(store: EventStore) -> list[Appended]:
        first = await store.append([event(event_id="a"), event(event_id="a"), event(), event()])
        both = await asyncio.gather(store.append([event(event_id="b")]), store.append([event(event_id="b")]))
        return [first, *both, await store.append([event(event_id="a"), event(event_id="c'\n☕")])]

    assert within(path, use) == [Appended(3, 1), Appended(1, 0), Appended(0, 1), Appended(1, 1)]
    assert read_events(path)[0].height == 5
    assert within(path, lambda store: store.append([event(event_id="c'\n☕")])) == Appended(0, 1)


def test_many_callers_share_few_writes(path: Path) -> None:
    commits: list[int] = []

    async def use(store: EventStore) -> None:
        store.listen(lambda stored: commits.append(len(stored)))
        await asyncio.gather(*(store.append([event(f"u{i}")]) for i in range(500)))

    within(path, use)
    assert sum(commits) == 500
    assert len(commits) < 50
    assert read_events(path)[0]["user_id"].to_list() == [f"u{i}" for i in range(500)]


def test_listeners_know_before_the_caller_is_told(path: Path) -> None:
    heard: list[Stored] = []

    async def use(store: EventStore) -> None:
        store.listen(heard.extend)
        await store.append([event("ann"), event("bob")])
        assert [number for number, _ in heard] == [1, 2]

    within(path, use)


def test_the_newest_events_of_a_person_come_oldest_first(path: Path) -> None:
    async def use(store: EventStore) -> list[str]:
        await store.append([event("ann", f"i{i}") for i in range(5)] + [event("bob")])
        return [one.item_id for _, one in store.of_user("ann", 1, 3)]

    assert within(path, use) == ["i2", "i3", "i4"]


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_all_of_a_call_and_the_next_call_is_well(path: Path) -> None:
    async def use(store: EventStore) -> None:
        await store.append([event("before")])
        with full_disk(200_000):
            with pytest.raises(RequestError, match="nothing was stored") as refused:
                await store.append([event("lost", "i" * 1_000) for _ in range(1_000)])
            assert refused.value.status == 503
            assert store.problem
        assert await store.append([event("after")]) == Appended(1, 0)
        assert not store.problem

    within(path, use)
    assert read_events(path)[0]["user_id"].to_list() == ["before", "after"]


def test_a_locked_file_refuses_and_the_next_call_is_well(path: Path) -> None:
    async def use(store: EventStore) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(RequestError, match=r"database is locked.*nothing was stored"):
                await store.append([event("lost")])
            other.execute("ROLLBACK")
        await store.append([event("after")])

    within(path, use, lock_seconds=0.1)
    assert read_events(path)[0]["user_id"].to_list() == ["after"]


def test_what_the_file_cannot_hold_is_refused_and_the_next_call_is_well(path: Path) -> None:
    async def use(store: EventStore) -> None:
        for impossible in (event("\ud800"), event(time=2**70), event(event_id="\ud800")):
            with pytest.raises(RequestError, match="nothing was stored"):
                await store.append([event("lost"), impossible])
        await store.append([event("after")])

    within(path, use)
    assert read_events(path)[0]["user_id"].to_list() == ["after"]


def test_too_many_waiting_events_are_refused(path: Path) -> None:
    async def use(store: EventStore) -> list[object]:
        calls = [store.append([event()] * 60) for _ in range(4)]
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = within(path, use, most_waiting=100)
    refused = [one for one in outcomes if isinstance(one, RequestError)]
    assert refused
    assert all(one.status == 503 for one in refused)
    assert read_events(path)[0].height == 60 * (4 - len(refused))


def test_a_call_larger_than_the_queue_goes_through_alone(path: Path) -> None:
    assert within(path, lambda store: store.append([event()] * 500), most_waiting=100) == Appended(500, 0)


def test_a_caller_who_has_gone_harms_nobody(path: Path) -> None:
    async def use(store: EventStore) -> None:
        gone = asyncio.ensure_future(store.append([event("gone")]))
        stays = asyncio.ensure_future(store.append([event("stays")]))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == Appended(1, 0)

    within(path, use)


def test_training_reads_beside_a_writing_service(path: Path) -> None:
    async def use(store: EventStore) -> int:
        await store.append([event()])
        return read_events(path)[0].height

    assert within(path, use) == 1


@pytest.mark.parametrize("content", [b"no database at all, but long enough" * 100, b""])
def test_a_file_that_is_no_store_is_refused_by_training(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"serve\.store"):
        read_events(path)


def test_a_store_of_another_version_is_refused(path: Path) -> None:
    within(path, lambda store: store.append([event()]))
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(DataError, match="99"):
        read_events(path)
    with pytest.raises(DataError, match="99"):
        EventStore(path).check()


def test_a_store_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"serve\.store"):
        EventStore(tmp_path / "file" / "events.db").check()
    (tmp_path / "foreign.db").write_bytes(os.urandom(5_000))
    with pytest.raises(DataError, match=r"serve\.store"):
        EventStore(tmp_path / "foreign.db").check()
