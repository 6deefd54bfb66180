"""One file of which nobody has said what it is: which table, which columns, and its rows as they would be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from zhiyin.data.quality.clean import clean
from zhiyin.data.quality.entries import clean_items, clean_users
from zhiyin.data.quality.findings import Finding, worst_first
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.quality.unreadable import about_unreadable
from zhiyin.data.settings import ColumnMap, Source, TableName
from zhiyin.data.sources.canonical import EXAMPLES, canonical
from zhiyin.data.sources.columns import listed, missing, recognise
from zhiyin.data.sources.files import read_file
from zhiyin.data.sources.reading import Recognised, Unreadable
from zhiyin.data.tables import Tables
from zhiyin.errors import DataError

TAKEN: tuple[TableName, ...] = ("events", "items", "users")
"""In this order: a file that names people and items holds events."""


@dataclass(frozen=True, eq=False)
class Upload:
    """A file, read."""

    recognised: Recognised
    rows: pl.DataFrame
    """In canonical columns, with the 1-based number of each row under `row`."""
    findings: tuple[Finding, ...]
    """The worst first."""

    @property
    def table(self) -> TableName:
        """Which it is."""
        return self.recognised.table


def read_upload(
    path: Path, columns: ColumnMap, now: int, *, table: TableName | None = None, day_first: bool | None = None
) -> Upload:
    """What a file of events, items or users holds.

    Parameters
    ----------
    columns
        What the shop calls its columns: heeded for a table that has them all.
    now
        µs UTC; an event later than this is impossible.
    table
        Which it is; its columns decide where nobody says.
    day_first
        As in `[data]`.

    Raises
    ------
    DataError
        If it is no table, has no rows, or has the columns of none of the three.
    """
    found: list[Recognised] = []

    def recogniser(names: Sequence[str], place: str) -> Recognised:
        found.append(_recognised(names, place, columns, table))
        return found[0]

    raw = read_file(path, Source(path=str(path)), recogniser).raw
    recognised = found[0]
    if raw.frame.is_empty():
        raise DataError(f"{path.name} has columns but no rows: give a file with at least one row of {recognised.table}")
    matched = frozenset(match.canonical for match in recognised.matches)
    read = canonical(recognised.table, raw.frame, raw.rows, day_first, matched)
    rows = read.frame if "row" in read.frame.columns else read.frame.with_columns(raw.rows.alias("row"))
    refused = [Unreadable(recognised.table, "", len(raw.refused), raw.refused[:EXAMPLES])] if raw.refused else []
    notes = (*recognised.notes, *raw.notes, *read.notes)
    account = Recognised(recognised.table, recognised.matches, recognised.kept, recognised.ignored, notes)
    return Upload(account, rows, _findings(recognised.table, rows, [*refused, *read.unreadable], now))


def _recognised(names: Sequence[str], place: str, columns: ColumnMap, table: TableName | None) -> Recognised:
    for one in TAKEN if table is None else (table,):
        try:
            found = recognise(one, names, _given(columns.of(one), names), place)
        except DataError:
            if table is not None:
                raise
            continue
        if one == "events" and found.theirs("timestamp") is None:
            raise missing("events", "timestamp", names, place)
        return found
    raise DataError(
        f"{place} is neither events (user_id, item_id, timestamp) nor items (item_id) nor people (user_id): "
        f"it has {listed(names)}; give its columns such names"
    )


def _given(names: Mapping[str, str], found: Sequence[str]) -> Mapping[str, str]:
    """What the shop calls the columns of a table, if the file has them all."""
    return names if all(theirs in found for theirs in names.values() if theirs) else {}


def _findings(table: TableName, rows: pl.DataFrame, unreadable: list[Unreadable], now: int) -> tuple[Finding, ...]:
    if table == "events":
        found = clean(Tables(rows), CleanSettings(), now).findings
        about = about_unreadable(unreadable, Tables(rows))
    else:
        entries = clean_items(rows, rows["item_id"]) if table == "items" else clean_users(rows)
        found = tuple(entries.findings)
        none = pl.DataFrame()
        about = about_unreadable(unreadable, Tables(none, **{table: rows}))
    return worst_first([*about, *found])
