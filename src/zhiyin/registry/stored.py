"""What the service has stored, added to the tables of the files before they are cleaned."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import polars as pl

from zhiyin.data.privacy import PrivacySettings, Protected, protect
from zhiyin.data.sources.canonical import canonical
from zhiyin.data.store.forgotten import Digests
from zhiyin.data.store.records import Item
from zhiyin.data.store.training import COLUMNS, StoredTables, items_frame
from zhiyin.data.tables import Tables

STORED = "\0stored"
"""After the name of a column of the store, while it stands beside that of the files."""

ERASED = "\0erased"
"""A column for the moment."""


def with_stored(protected: Protected, stored: StoredTables, settings: PrivacySettings) -> Protected:
    """The tables of the files, protected already, with what is stored, whose ids are pseudonyms already.

    Where both describe something, the store is right. Nothing is learnt from who has not consented.
    """
    found = protect(_tables(stored), replace(settings, pseudonymise=False))
    tables, known, refused = found.tables, protected.tables, stored.without_consent
    users = _described(known.users, tables.users, "user_id")
    friends = _befriended(known.friends, tables.friends)
    return Protected(
        replace(
            known,
            events=_consented(_events(known.events, stored.events), refused),
            items=_described(known.items, tables.items, "item_id"),
            users=None if users is None else _consented(users, refused),
            friends=None if friends is None else _consented(friends, refused),
        ),
        (*protected.removed, *found.removed),
        (*protected.findings, *(one for one in found.findings if one.code == "sensitive_column")),
    )


def without_erased(tables: Tables, forgotten: Mapping[str, int], digest: Digests) -> Tables:
    """The tables of the files without what was known of people before they were erased."""
    people = {name for frame in (tables.events, tables.users, tables.friends) for name in _people(frame)}
    ends = {name: forgotten[found] for name in people if (found := digest(name)) in forgotten}
    if not ends:
        return tables
    schema = {"user_id": pl.String, "until": pl.Int64}
    until = pl.DataFrame({"user_id": list(ends), "until": list(ends.values())}, schema=schema)
    events = tables.events.with_columns(pl.col("user_id").cast(pl.String).alias(ERASED)).join(
        until, left_on=ERASED, right_on="user_id", how="left", maintain_order="left"
    )
    kept = events.filter(pl.col("until").is_null() | (pl.col("timestamp") >= pl.col("until"))).drop(ERASED, "until")
    gone = list(ends)
    return replace(
        tables,
        events=kept,
        users=None if tables.users is None else _consented(tables.users, gone),
        friends=None if tables.friends is None else _consented(tables.friends, gone),
    )


def _people(frame: pl.DataFrame | None) -> list[str]:
    if frame is None:
        return []
    columns = [frame[name].unique().cast(pl.String) for name in ("user_id", "friend_id") if name in frame.columns]
    return [one for column in columns for one in column.drop_nulls()]


def items_table(items: Sequence[Item]) -> pl.DataFrame:
    """Items of the store as a catalogue has them: item_id, then attributes in canonical columns."""
    frame = items_frame(items)
    found = _canonical("items", frame)
    return frame if found is None else found


def _tables(stored: StoredTables) -> Tables:
    """In canonical columns; a table without rows is absent."""
    return Tables(
        pl.DataFrame(schema=COLUMNS),
        _canonical("items", stored.items),
        _canonical("users", stored.users),
        stored.friends if stored.friends.height else None,
    )


def _canonical(table: Literal["items", "users"], frame: pl.DataFrame) -> pl.DataFrame | None:
    if not frame.height:
        return None
    rows = pl.Series("row", range(1, frame.height + 1), dtype=pl.UInt32)
    return canonical(table, frame, rows, None, frozenset()).frame


def _events(known: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    if not stored.height:
        return known
    texts = [name for name in ("user_id", "item_id", "event_type") if stored.schema[name] == pl.String]
    coded = stored.with_columns(pl.col(texts).cast(pl.Categorical))
    return pl.concat([known, coded], how="diagonal_relaxed")


def _consented(frame: pl.DataFrame, without_consent: list[str]) -> pl.DataFrame:
    """The table without the rows of who has not consented, and of their friendships."""
    if not without_consent:
        return frame
    refused = pl.Series(without_consent, dtype=pl.String).implode()
    people = [pl.col(name).cast(pl.String) for name in ("user_id", "friend_id") if name in frame.columns]
    return frame.filter(~pl.any_horizontal(one.is_in(refused).fill_null(False) for one in people))


def _described(known: pl.DataFrame | None, stored: pl.DataFrame | None, name: str) -> pl.DataFrame | None:
    """Rows of both; of a value that both have, the stored one."""
    if known is None or stored is None:
        return stored if known is None else known
    both = [column for column in stored.columns if column in known.columns and column != name]
    kinds = {column: _shared(known.schema[column], stored.schema[column]) for column in both}
    shared = [pl.col(column).cast(kind) for column, kind in kinds.items()]
    left, right = known.with_columns(shared), stored.with_columns(shared)
    joined = left.join(right, on=name, how="full", coalesce=True, suffix=STORED, maintain_order="left_right")
    wins = [pl.coalesce(column + STORED, column).alias(column) for column in both]
    return joined.with_columns(*wins).drop([column + STORED for column in both])


def _shared(one: pl.DataType, other: pl.DataType) -> pl.DataType:
    """A type that holds the values of both."""
    if one == other:
        return one
    return pl.Float64() if one.is_numeric() and other.is_numeric() else pl.String()


def _befriended(known: pl.DataFrame | None, stored: pl.DataFrame | None) -> pl.DataFrame | None:
    if known is None or stored is None:
        return stored if known is None else known
    return pl.concat([known, stored], how="diagonal_relaxed").unique(["user_id", "friend_id"], maintain_order=True)
