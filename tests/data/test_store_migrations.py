"""A database of any earlier zhiyin becomes one of today, once, whoever tries; what is not ours is left alone."""

import asyncio
import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from stores import KINDS, address_of
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import database, lacking, migrate_at_once, read_at_once
from zhiyin.data.store.migrate import NEWEST
from zhiyin.data.store.tables import METADATA, events
from zhiyin.data.store.training import read_tables
from zhiyin.errors import DataError, StoreError

BEFORE = """
CREATE TABLE IF NOT EXISTS events (
    sequence   INTEGER PRIMARY KEY,
    event_id   TEXT UNIQUE,
    user_id    TEXT NOT NULL,
    item_id    TEXT NOT NULL,
    event_type TEXT NOT NULL,
    timestamp  INTEGER NOT NULL,
    value      REAL,
    price      REAL,
    quantity   REAL,
    request_id TEXT,
    received   INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_user ON events (user_id);
PRAGMA user_version = 1;
"""
ROWS = [
    (3, "e1", "ann", "mug", "view", 10, None, None, None, "r1", 11),
    (5, None, "ann", "mug", "purchase", 20, 4.5, 12.25, -1.0, None, 21),
    (9, "e2", "bob ☕", "cup", "view", 5, None, None, None, None, 22),
]
STEPS = ["0001", "0002"]


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> StoreAddress:
    return address_of(request.param, tmp_path)


@pytest.fixture
def before(tmp_path: Path) -> StoreAddress:
    """The file of the service before there were migrations."""
    path = tmp_path / "events.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(BEFORE)
        connection.executemany(f"INSERT INTO events VALUES ({', '.join('?' * 11)})", ROWS)
    return StoreAddress(path)


def test_a_new_database_gets_every_step_and_then_lacks_none(address: StoreAddress) -> None:
    assert migrate_at_once(address) == STEPS
    assert migrate_at_once(address) == []
    assert lacking(address) == []


def test_the_steps_lead_to_the_tables_that_the_code_knows(address: StoreAddress) -> None:
    migrate_at_once(address)
    assert read_at_once(address, lambda one: compare_metadata(MigrationContext.configure(one), METADATA)) == []


def test_a_file_of_before_keeps_every_event_and_its_sequence(before: StoreAddress) -> None:
    assert lacking(before) == STEPS
    with pytest.raises(DataError, match="doctor --fix"):
        read_tables(before)
    assert migrate_at_once(before) == STEPS
    assert migrate_at_once(before) == []
    columns = [events.c[name] for name in (
        "sequence", "event_id", "user_id", "item_id", "event_type", "timestamp", "value", "price", "quantity",
        "request_id", "received",
    )]  # fmt: skip
    query = events.select().with_only_columns(*columns).order_by(events.c.sequence)
    assert [tuple(row) for row in read_at_once(before, lambda one: one.execute(query).fetchall())] == ROWS
    assert read_tables(before).sequence == 9


def test_numbers_go_on_after_those_of_before(before: StoreAddress) -> None:
    migrate_at_once(before)
    with closing(sqlite3.connect(before.path)) as connection, connection:
        connection.execute("DELETE FROM events")
        connection.execute(
            "INSERT INTO events (user_id, item_id, event_type, timestamp, received) VALUES ('a', 'b', 'c', 1, 1)"
        )
    assert read_tables(before).sequence == 10


def test_an_older_zhiyin_refuses_the_file_of_today(before: StoreAddress) -> None:
    migrate_at_once(before)
    with closing(sqlite3.connect(before.path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() != (1,)


def test_two_processes_may_migrate_at_once(address: StoreAddress, before: StoreAddress) -> None:
    code = "import sys; from pathlib import Path; from zhiyin.data.store.connect import migrate_at_once; \
from zhiyin.data.store.address import StoreAddress; \
print(len(migrate_at_once(StoreAddress.of(sys.argv[1], Path('.')))))"
    for place in (address.url or str(address.path), str(before.path)):
        running = [
            subprocess.Popen([sys.executable, "-c", code, place], stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        assert sorted(one.communicate()[0].strip() for one in running) == ["0", str(len(STEPS))]
    assert read_tables(before).events.height == 3
    assert lacking(address) == []


def changed(address: StoreAddress, *statements: str) -> None:
    """Do something to a store that no code of ours would."""

    async def change() -> None:
        opened = database(address, lambda: 0.0)
        for statement in statements:
            await opened.write(lambda one, statement=statement: one.exec_driver_sql(statement))
        await opened.close()

    asyncio.run(change())


def test_lists_that_were_shown_before_they_had_a_context_stay(address: StoreAddress) -> None:
    migrate_at_once(address)
    changed(
        address,
        "ALTER TABLE impressions DROP COLUMN context",
        "INSERT INTO impressions (request_id, version, time, items) VALUES ('r-1', 1, 5, '[]')",
        "UPDATE alembic_version SET version_num = '0001'",
    )
    assert migrate_at_once(address) == ["0002"]
    query = "SELECT request_id, context FROM impressions"
    assert [tuple(row) for row in read_at_once(address, lambda one: one.exec_driver_sql(query).fetchall())] == [
        ("r-1", None)
    ]
    assert read_at_once(address, lambda one: compare_metadata(MigrationContext.configure(one), METADATA)) == []


def test_a_newer_schema_is_refused(address: StoreAddress) -> None:
    migrate_at_once(address)

    changed(address, "UPDATE alembic_version SET version_num = '9999'")
    for refused in (migrate_at_once, lacking, read_tables):
        with pytest.raises(DataError, match=f"the schema 9999, this zhiyin knows none after {NEWEST}"):
            refused(address)


@pytest.mark.parametrize(
    "script",
    [
        "PRAGMA user_version = 99",
        "CREATE TABLE events (x)",
        "CREATE TABLE theirs (x); PRAGMA user_version = 3",
        "CREATE TABLE theirs (x); PRAGMA user_version = 1",
    ],
)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path, script: str) -> None:
    path = tmp_path / "events.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(script)
    digest = hashlib.sha256(path.read_bytes()).digest()
    for refused in (migrate_at_once, lacking, read_tables):
        with pytest.raises(DataError, match=r"serve\.store"):
            refused(StoreAddress(path))
    assert hashlib.sha256(path.read_bytes()).digest() == digest


def test_tables_of_something_else_in_a_database_are_refused(tmp_path: Path) -> None:
    import asyncio

    address = address_of("postgres", tmp_path)

    async def theirs() -> None:
        from zhiyin.data.store.connect import database

        opened = database(address, lambda: 0.0)
        await opened.write(lambda one: one.exec_driver_sql("CREATE TABLE users (name text)"))
        await opened.close()

    asyncio.run(theirs())
    with pytest.raises(DataError, match="of its own"):
        migrate_at_once(address)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "foreign.db").write_bytes(os.urandom(5_000))
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "foreign.db", tmp_path / "file" / "events.db"):
        with pytest.raises(StoreError, match=r"serve\.store"):
            migrate_at_once(StoreAddress(path))
    with pytest.raises(StoreError, match=r"serve\.store"):
        read_tables(StoreAddress(tmp_path / "foreign.db"))


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"")
    assert migrate_at_once(StoreAddress(tmp_path / "events.db")) == STEPS


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "store 100% of it" / "events.db"
    migrate_at_once(StoreAddress(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_newest_step_is_the_last_one_that_alembic_would_take(tmp_path: Path) -> None:
    assert migrate_at_once(StoreAddress(tmp_path / "events.db"))[-1] == NEWEST


def test_a_store_of_today_is_opened_without_alembic(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    migrate_at_once(StoreAddress(path))
    code = (
        "import sys; from pathlib import Path; from zhiyin.data.store.address import StoreAddress; "
        "from zhiyin.data.store.connect import migrate_at_once; "
        f"print(migrate_at_once(StoreAddress(Path({str(path)!r}))), 'alembic' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[] False\n"
    )


def test_making_a_store_fills_no_log(tmp_path: Path) -> None:
    code = (
        "import logging, sys; logging.basicConfig(level='INFO', stream=sys.stdout); from pathlib import Path; "
        "from zhiyin.data.store.address import StoreAddress; from zhiyin.data.store.connect import migrate_at_once; "
        f"print(migrate_at_once(StoreAddress(Path({str(tmp_path / 'events.db')!r}))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{STEPS}\n"
