"""From columns as they were written to canonical columns: ids as text, numbers, times, yes and no.

What is missing (empty, NULL, NaN, …) becomes null. What is there but cannot be read becomes null too and is recorded.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from zhiyin.compute.threads import together
from zhiyin.data.codes import distinct, replaced
from zhiyin.data.settings import TableName
from zhiyin.data.sources.reading import Unreadable
from zhiyin.data.sources.times import SECOND, parsed
from zhiyin.errors import DataError

MISSING = ("", "NULL", "null", "NaN", "nan", "NA", "N/A", "None", "\\N")
WHOLE_FLOATS = r"^-?\d+(?:\.0+)?$"
EXAMPLES = 5
LONGEST_EXAMPLE = 80
START_OF_ORDER = 946_684_800 * SECOND  # 2000-01-01: where time starts when only the order of rows is known

FREE = ("free", "gratis", "免费")
YES = ("true", "yes", "y", "1", "1.0", "t", "on", "是", "有", "in stock", "instock", "available", "在售", "有货")
NO = (
    "false",
    "no",
    "n",
    "0",
    "0.0",
    "f",
    "off",
    "否",
    "无",
    "out of stock",
    "outofstock",
    "unavailable",
    "停售",
    "缺货",
)

IDS = ("user_id", "item_id", "friend_id")
CODED = ("user_id", "item_id", "event_type")
TIMES = ("timestamp", "created_at")
TEXTS = ("title", "description", "category", "brand", "image")
NUMBERS = ("value", "price", "quantity")
NUMERIC: dict[str, pl.DataType] = {**dict.fromkeys(NUMBERS, pl.Float32()), **dict.fromkeys(TIMES, pl.Int64())}

Read: TypeAlias = tuple[pl.Series, str]
"""The canonical column, and a note on how it was read (empty when there is nothing to say)."""


@dataclass(frozen=True)
class Canonical:
    """A table in canonical columns, what could not be read in it, and notes."""

    frame: pl.DataFrame
    unreadable: tuple[Unreadable, ...]
    notes: tuple[str, ...]


def canonical(
    table: TableName, frame: pl.DataFrame, rows: pl.Series, day_first: bool | None, mapped: frozenset[str]
) -> Canonical:
    """The canonical form of a table whose columns already have canonical names; `rows` numbers its rows."""
    unreadable: list[Unreadable] = []
    columns, notes = [], []
    if table == "events":
        texts = [name for name in CODED if frame.schema.get(name) == pl.String]
        frame = frame.with_columns(pl.col(texts).cast(pl.Categorical))  # together: on all cores
    found = together(*(functools.partial(_column, table, column, day_first, mapped) for column in frame))
    for column, read in zip(frame, found, strict=True):
        if read is None:
            notes.append(f"column {column.name!r} is left out, because it holds {str(column.dtype)[:60]}")
            continue
        values, note = read
        if note:
            notes.append(f"{column.name}: {note}")
        columns.append(values.alias(column.name))
        if column.name not in IDS:
            unreadable += _unreadable(table, column, values, rows)
    if table == "events":
        columns.append(rows.alias("row"))
    return Canonical(pl.DataFrame(columns), tuple(unreadable), tuple(notes))


def _column(table: TableName, column: pl.Series, day_first: bool | None, mapped: frozenset[str]) -> Read | None:
    """One column in its canonical form; None where it holds something other than plain values."""
    reader = _reader(table, column.name, mapped)
    if _is_nested(column.dtype) or (reader not in (None, _texts) and column.dtype.is_nested()):
        if reader:
            raise DataError(_not_plain(table, column))
        return None
    return reader(column, day_first) if reader else (_kept(column), "")


def order_as_time(rows: pl.Series) -> pl.Series:
    """Int64 µs: one second per row, from 2000-01-01."""
    return (rows.cast(pl.Int64) * SECOND + START_OF_ORDER).alias("timestamp")


def ids(column: pl.Series) -> pl.Series:
    """String: ids as text, stripped, 17850.0 as "17850" where a column of integers was written as floats."""
    text = id_text(column)
    return _tidied(text, text.unique())


def coded_ids(column: pl.Series) -> pl.Series:
    """Categorical: the same, where the few distinct ids are looked at instead of every row."""
    coded = (column if column.dtype == pl.Categorical else id_text(column)).cast(pl.Categorical)
    found = distinct(coded)
    tidy = _tidied(found.texts, found.texts)
    return coded if tidy.equals(found.texts, null_equal=True) else replaced(coded, found, tidy)


def id_text(column: pl.Series) -> pl.Series:
    """Text of a column of ids of any plain type; whole numbers without a decimal point."""
    if column.dtype.is_float():
        column = column.cast(pl.Float64).fill_nan(None)
        whole = column.cast(pl.Int64, strict=False)
        exact = (whole.cast(pl.Float64) == column).fill_null(False)
        return whole.cast(pl.String).zip_with(exact, column.cast(pl.String))
    return column.cast(pl.String)


def _tidied(text: pl.Series, distinct: pl.Series) -> pl.Series:
    stripped = text.str.strip_chars()
    present = _without_missing(distinct.str.strip_chars()).drop_nulls()
    if present.str.contains(r"\.0+$").any() and present.str.contains(WHOLE_FLOATS).all():
        stripped = stripped.str.replace(r"\.0+$", "")
    return _without_missing(stripped)


def _without_missing(text: pl.Series) -> pl.Series:
    gone = text.is_in(MISSING)
    return text.set(gone, None) if gone.any() else text


def _reader(table: TableName, name: str, mapped: frozenset[str]) -> Callable[[pl.Series, bool | None], Read] | None:
    if name not in mapped:  # a column that only keeps its own name
        return None
    if name in IDS:
        return _coded if table == "events" else _texts_of_ids
    if name in TIMES:
        return _times
    if name in NUMBERS:
        return _floats
    if name == "event_type":
        return _coded
    if name in TEXTS:
        return _texts
    return _flags if name == "available" else None


def _coded(column: pl.Series, _: bool | None) -> Read:
    return coded_ids(column), ""


def _texts_of_ids(column: pl.Series, _: bool | None) -> Read:
    return ids(column), ""


def _times(column: pl.Series, day_first: bool | None) -> Read:
    times = parsed(column, day_first)
    return times.values, times.note


def _floats(column: pl.Series, _: bool | None) -> Read:
    """Float32; a text may have a currency sign, thousands separators, a decimal comma. Infinity and NaN stay."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return column.cast(pl.Float32, strict=False), ""
    text = column.cast(pl.String, strict=False).str.strip_chars()
    values = text.cast(pl.Float64, strict=False)
    if values.null_count() > text.null_count():
        plain = text.str.replace_all(r"[\s£$€¥￥元]", "").str.replace(r"^(-?\d+),(\d{1,2})$", "$1.$2")
        plain = plain.str.replace_all(r",(\d{3})", "$1")
        plain = plain.set(plain.str.to_lowercase().is_in(FREE), "0")
        values = values.zip_with(values.is_not_null(), plain.cast(pl.Float64, strict=False))
    return values.cast(pl.Float32), ""


def _flags(column: pl.Series, _: bool | None) -> Read:
    if column.dtype == pl.Boolean:
        return column, ""
    word = pl.col(column.name).cast(pl.String).str.strip_chars().str.to_lowercase()
    flag = pl.when(word.is_in(YES)).then(True).when(word.is_in(NO)).then(False)
    return column.to_frame().select(flag.alias(column.name)).to_series(), ""


def _texts(column: pl.Series, _: bool | None) -> Read:
    """Text as it is; the texts of a list are joined by |."""
    if isinstance(column.dtype, pl.List):
        return column.list.join("|"), ""
    text = column.cast(pl.String)
    empty = text == ""
    return (text.set(empty, None) if empty.any() else text), ""


def _kept(column: pl.Series) -> pl.Series:
    """A column that keeps its name; texts that are all numbers become numbers, unless one is written like 007."""
    text = _texts(column, None)[0] if column.dtype in (pl.String, pl.List(pl.String)) else column
    if text.dtype != pl.String:
        return text
    present = _without_missing(text.str.strip_chars())
    if present.null_count() == present.len() or present.str.contains(r"^[+-]?0\d").any():
        return text
    for dtype in (pl.Int64, pl.Float64):
        numbers = present.cast(dtype, strict=False)
        if numbers.null_count() == present.null_count():
            return numbers
    return text


def _is_nested(dtype: pl.DataType) -> bool:
    """Whether a column holds something other than plain values and lists of texts."""
    return (dtype.is_nested() and dtype != pl.List(pl.String)) or dtype in (pl.Binary, pl.Object)


def _not_plain(table: TableName, column: pl.Series) -> str:
    return (
        f"{column.name} of the {table} holds {str(column.dtype)[:60]}, not plain values: "
        f'name another column in zhiyin.toml under [columns.{table}], or "" for none'
    )


def _unreadable(table: TableName, raw: pl.Series, values: pl.Series, rows: pl.Series) -> list[Unreadable]:
    """What had a value and lost it."""
    if raw.dtype.is_nested() or values.null_count() == raw.null_count():
        return []
    text = raw.cast(pl.String, strict=False)
    lost = values.is_null() & text.is_not_null() & ~text.str.strip_chars().is_in(MISSING).fill_null(True)
    count = int(lost.sum())
    if not count:
        return []
    where = lost.arg_true().head(EXAMPLES)
    found = [
        (int(row), value[:LONGEST_EXAMPLE]) for row, value in zip(rows.gather(where), text.gather(where), strict=True)
    ]
    return [Unreadable(table, raw.name, count, tuple(found))]
