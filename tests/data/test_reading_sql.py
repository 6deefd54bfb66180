"""Reading databases: SQLite always, PostgreSQL where its server is installed."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import polars as pl
import pytest

from zhiyin.data.settings import ColumnMap, DataSettings, Source
from zhiyin.data.sources.read import read_tables
from zhiyin.data.sources.reading import Reading
from zhiyin.data.sources.sql import redacted
from zhiyin.errors import ConfigError, DataError, MissingExtraError

PASSWORD = "s3cret-word"


def read(root: Path, url: str, query: str = "select * from events order by timestamp") -> Reading:
    return read_tables(DataSettings(events=Source(url=url, query=query)), ColumnMap(), root)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("create table events (user_id, item_id, timestamp, price)")
    rows = [(1, "mug", 1600000000, 2.5), ("ann", "cup", 1600000060, None), (None, "杯", 1600000120, 3)]
    connection.executemany("insert into events values (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return tmp_path


@pytest.mark.parametrize("absolute", [False, True])
def test_sqlite(shop: Path, absolute: bool) -> None:
    reading = read(shop, f"sqlite:///{shop / 'shop.db'}" if absolute else "sqlite:///shop.db")
    events = reading.tables.events
    assert events["user_id"].cast(pl.String).to_list() == ["1", "ann", None]
    assert events["item_id"].cast(pl.String).to_list() == ["mug", "cup", "杯"]
    assert events["timestamp"][0] == 1_600_000_000_000_000
    assert events["price"].to_list() == [2.5, None, 3.0]
    assert reading.fingerprint == read(shop, "sqlite:///shop.db").fingerprint or absolute


def test_sqlite_refuses_in_a_sentence(shop: Path) -> None:
    with pytest.raises(DataError, match=r"shop.db refused the query \(no such table: evnts\)"):
        read(shop, "sqlite:///shop.db", "select * from evnts")
    with pytest.raises(DataError, match=r"did you mean 'shop.db'"):
        read(shop, "sqlite:///shp.db")
    with pytest.raises(DataError, match="readonly"):
        read(shop, "sqlite:///shop.db", "delete from events")
    (shop / "fake.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(DataError, match="file is not a database"):
        read(shop, "sqlite:///fake.db")
    with pytest.raises(DataError, match="has columns but no rows"):
        read(shop, "sqlite:///shop.db", "select * from events where false")


def test_other_databases_are_refused_without_secrets(shop: Path) -> None:
    with pytest.raises(ConfigError, match=r"mysql://host/shop is no database") as caught:
        read(shop, f"mysql://me:{PASSWORD}@host/shop?password={PASSWORD}")
    assert PASSWORD not in str(caught.value)
    with pytest.raises(ConfigError, match="environment variable NOT_SET_HERE"):
        read(shop, "${NOT_SET_HERE}")


def test_the_extra_is_named(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'zhiyin\[postgres\]'"):
        read(shop, "postgresql://localhost/shop")


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs, wherever the system keeps it."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    config = shutil.which("pg_config")
    folders = [subprocess.check_output([config, "--bindir"], text=True).strip()] if config else []
    folders += sorted(glob("/usr/lib/postgresql/*/bin"), reverse=True)
    return next((Path(folder) for folder in folders if (Path(folder) / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a fresh server with one table of events."""
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL's server is not installed (initdb was not found)")
    root = os.geteuid() == 0
    if root and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    as_user = ["runuser", "-u", "postgres", "--"] if root else []
    place = Path(shutil.copytree(tmp_path_factory.mktemp("empty"), f"/tmp/zhiyin-postgres-{os.getpid()}"))
    data, secret = place / "data", place / "password"
    secret.write_text(PASSWORD)
    if root:
        subprocess.run(["chown", "-R", "postgres", place], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def command(program: str, *arguments: object) -> None:
        subprocess.run(
            [*as_user, folder / program, *map(str, arguments)], check=True, cwd="/", stdout=subprocess.DEVNULL
        )

    command("initdb", "-D", data, "-U", "shop", "--pwfile", secret, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -h 127.0.0.1 -k {place} -c fsync=off"
    command("pg_ctl", "-D", data, "-w", "-l", place / "log", "-o", options, "start")
    url = f"postgresql://shop:{PASSWORD}@127.0.0.1:{port}/postgres"
    try:
        fill(url)
        yield url
    finally:
        command("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(place)


def fill(url: str) -> None:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("create table events (user_id bigint, item_id text, timestamp timestamptz, price numeric(8, 2))")
        cursor.execute(
            "insert into events values (1, 'mug', '2020-09-13 12:26:40+00', 2.50), "
            "(null, '杯', '2020-09-13 12:27:40+00', null)"
        )
        connection.commit()


def test_postgres(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE", postgres)
    reading = read(tmp_path, "${SHOP_DATABASE}")
    events = reading.tables.events.with_columns(pl.col("user_id", "item_id").cast(pl.String))
    assert events.select("user_id", "item_id", "timestamp", "price").rows() == [
        ("1", "mug", 1_600_000_000_000_000, 2.5),
        (None, "杯", 1_600_000_060_000_000, None),
    ]
    assert PASSWORD not in reading.sources[0].name


@pytest.mark.parametrize(
    ("query", "sentence"),
    [("select * from evnts", "evnts"), ("delete from events returning *", "read-only")],
)
def test_postgres_refuses_in_a_sentence(postgres: str, tmp_path: Path, query: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as caught:
        read(tmp_path, postgres, query)
    assert PASSWORD not in str(caught.value)


def test_postgres_keeps_secrets_when_it_cannot_connect(postgres: str, tmp_path: Path) -> None:
    for url in (postgres.replace(PASSWORD, "wr0ng-word"), f"postgresql://me:{PASSWORD}@127.0.0.1:1/shop"):
        with pytest.raises(DataError, match=r"postgresql://127\.0\.0\.1:\d+/\w+ refused") as caught:
            read(tmp_path, url)
        assert "word" not in str(caught.value).replace("password", "")


def test_redacted() -> None:
    assert redacted("postgresql://me:x@host:5/shop?sslkey=y") == "postgresql://host:5/shop"
    assert redacted("sqlite:///shop.db") == "sqlite:///shop.db"
