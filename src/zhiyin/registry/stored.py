"""What the service has stored, added to the tables of the files before they are cleaned."""

from dataclasses import replace
from typing import Literal

import polars as pl

from zhiyin.data.privacy import PrivacySettings, Protected, protect
from zhiyin.data.sources.canonical import canonical
from zhiyin.data.store.training import COLUMNS, StoredTables
from zhiyin.data.tables import Tables

STORED = "\0stored"
"""After the name of a column of the store, while it stands beside that of the files."""


def with_stored(protected: Protected, stored: StoredTables, settings: PrivacySettings) -> Protected:
    """The tables of the files, protected already, with what is stored, whose ids are pseudonyms already.

    Where both describe something, the store is right. Nothing is learnt from who has not consented.
    """
    found = protect(_tables(stored), replace(settings, pseudonymise=False))
    tables, known = found.tables, protected.tables
    return Protected(
        replace(
            known,
            events=_consented(_events(known.events, stored.events), stored.without_consent),
            items=_described(known.items, tables.items, "item_id"),
            users=_described(known.users, tables.users, "user_id"),
            friends=_befriended(known.friends, tables.friends),
        ),
        (*protected.removed, *found.removed),
        (*protected.findings, *(one for one in found.findings if one.code == "sensitive_column")),
    )


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


def _consented(events: pl.DataFrame, without_consent: list[str]) -> pl.DataFrame:
    if not without_consent:
        return events
    refused = pl.Series(without_consent, dtype=pl.String).implode()
    return events.filter(~pl.col("user_id").cast(pl.String).is_in(refused).fill_null(False))


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
