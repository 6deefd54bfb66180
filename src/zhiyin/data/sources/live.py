"""The events that the service has stored: one SQLite table that the service appends to and training reads."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl

from zhiyin.errors import DataError

SCHEMA_VERSION = 1
"""Kept in PRAGMA user_version."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    sequence   INTEGER PRIMARY KEY,  -- ascending in the order of storing
    event_id   TEXT UNIQUE,          -- the caller's own id, so that an event sent twice is stored once
    user_id    TEXT NOT NULL,
    item_id    TEXT NOT NULL,
    event_type TEXT NOT NULL,
    timestamp  INTEGER NOT NULL,     -- µs UTC
    value      REAL,
    price      REAL,
    quantity   REAL,
    request_id TEXT,                 -- the answer that led to it
    received   INTEGER NOT NULL      -- µs UTC
);
CREATE INDEX IF NOT EXISTS events_of_user ON events (user_id);
"""

COLUMNS = {
    "user_id": pl.String,
    "item_id": pl.String,
    "event_type": pl.String,
    "timestamp": pl.Int64,
    "value": pl.Float32,
    "price": pl.Float32,
    "quantity": pl.Float32,
}

BLOCK_ROWS = 100_000


def read_events(path: Path, after: int = 0) -> tuple[pl.DataFrame, int]:
    """The canonical columns of what was stored after a sequence number, and the last sequence number.

    A store that does not exist yet is empty. A service may go on writing meanwhile: what is read is one moment.

    Raises
    ------
    DataError
        If the file is no event store, or one of another version.
    """
    if not path.exists():
        return pl.DataFrame(schema=COLUMNS), after
    try:
        with closing(opened(path)) as connection:
            blocks = list(_blocks(connection, after))
    except sqlite3.Error as error:
        raise DataError(f"{path} cannot be read as an event store ({error}): check the path in serve.store") from None
    if not blocks:
        return pl.DataFrame(schema=COLUMNS), after
    return pl.concat([block.drop("sequence") for block in blocks]), int(blocks[-1]["sequence"][-1])


def opened(path: Path) -> sqlite3.Connection:
    """A connection that only reads, from whatever thread uses it, one at a time.

    Raises
    ------
    DataError
        If the file is an event store of another version.
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    try:
        check_version(connection, path)
    except (DataError, sqlite3.Error):
        connection.close()
        raise
    return connection


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a store that another version has written."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise DataError(
            f"{path} has the schema version {version}, this zhiyin reads {SCHEMA_VERSION}: "
            "check the path in serve.store, or use the zhiyin that wrote it"
        )


def _blocks(connection: sqlite3.Connection, after: int) -> Iterator[pl.DataFrame]:
    names = ", ".join(COLUMNS)
    query = f"SELECT sequence, {names} FROM events WHERE sequence > ? ORDER BY sequence"  # noqa: S608 - our own names
    cursor = connection.execute(query, (after,))
    while rows := cursor.fetchmany(BLOCK_ROWS):
        yield pl.DataFrame(rows, schema={"sequence": pl.Int64, **COLUMNS}, orient="row")
