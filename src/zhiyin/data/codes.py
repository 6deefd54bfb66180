"""Categorical columns by their codes: ten million rows cost a look into a table each, and never a text."""

from typing import NamedTuple, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.compute.threads import over_blocks

Number = TypeVar("Number", bound=np.generic)

ROWS = 2**18  # at a time


class Distinct(NamedTuple):
    """The ids that occur in a categorical column, ascending by code."""

    codes: NDArray[np.int64]  # [ids], physical codes
    texts: pl.Series  # String[ids]
    counts: NDArray[np.int64]  # [ids], in how many rows each occurs


def distinct(column: pl.Series) -> Distinct:
    """The ids of a categorical column; missing ones are left out."""
    codes = _codes(column)
    counts = np.zeros(int(codes.max(initial=0)) + 1, np.int64)
    somewhere = np.zeros(len(counts), np.uint32)
    for start in range(0, len(codes), ROWS):  # in blocks: NumPy would copy all codes as int64
        block = codes[start : start + ROWS]
        counts += np.bincount(block, minlength=len(counts))
        somewhere[block] = np.arange(start, start + len(block), dtype=np.uint32)  # any row of an id tells its text
    present = np.flatnonzero(counts)
    present = present[:-1] if column.null_count() else present  # the last stands for what is missing
    return Distinct(present, column.gather(somewhere[present]).cast(pl.String), counts[present])


def looked_up(column: pl.Series, ids: Distinct, values: NDArray[np.int32]) -> NDArray[np.int32]:
    """int32[rows]: for each row of a column the value of its id, -1 where it is missing."""
    table = np.full(int(ids.codes.max(initial=0)) + 2, -1, np.int32)
    table[ids.codes] = values
    return taken(table, _codes(column))


def taken(table: NDArray[Number], codes: NDArray[np.uint32]) -> NDArray[Number]:
    """table[codes], in threads, and in blocks because NumPy would copy all codes as int64."""
    found = np.empty(len(codes), table.dtype)

    def take(first: int, last: int) -> None:
        for start in range(first, last, ROWS):
            rows = slice(start, min(start + ROWS, last))
            found[rows] = table[codes[rows]]

    over_blocks(len(codes), take, serial_below=ROWS)
    return found


def replaced(column: pl.Series, ids: Distinct, texts: pl.Series) -> pl.Series:
    """The column with other texts for its ids; a null text makes an id missing."""
    places = pl.Series(looked_up(column, ids, np.arange(len(texts), dtype=np.int32)))
    return texts.cast(pl.Categorical).gather(places.cast(pl.UInt32, strict=False)).alias(column.name)  # null for -1


def _codes(column: pl.Series) -> NDArray[np.uint32]:
    """uint32[rows]: physical codes; for a missing id the one above all others."""
    codes = column.to_physical()
    highest = codes.max()
    return codes.fill_null(highest + 1 if isinstance(highest, int) else 0).to_numpy()
