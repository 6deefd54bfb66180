"""Categorical columns by their codes: ten million rows cost a look into a table each, and never a text."""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray


class Distinct(NamedTuple):
    """The ids that occur in a categorical column, ascending by code."""

    codes: NDArray[np.int64]  # [ids], physical codes
    texts: pl.Series  # String[ids]
    counts: NDArray[np.int64]  # [ids], in how many rows each occurs


def distinct(column: pl.Series) -> Distinct:
    """The ids of a categorical column; missing ones are left out."""
    known = column.drop_nulls() if column.null_count() else column
    codes = known.to_physical().to_numpy()
    counts = np.bincount(codes)
    present = np.flatnonzero(counts)
    somewhere = np.zeros(len(counts), np.uint32)
    somewhere[codes] = np.arange(len(codes), dtype=np.uint32)  # any row of an id serves to look up its text
    return Distinct(present, known.gather(somewhere[present]).cast(pl.String), counts[present])


def looked_up(column: pl.Series, ids: Distinct, values: NDArray[np.int32]) -> NDArray[np.int32]:
    """int32[rows]: for each row of a column the value of its id, -1 where it is missing."""
    codes = column.to_physical()
    table = np.full(int(ids.codes.max(initial=0)) + 1, -1, np.int32)
    table[ids.codes] = values
    found = table[codes.fill_null(0).to_numpy()]
    return np.where(codes.is_not_null().to_numpy(), found, np.int32(-1)) if codes.null_count() else found


def replaced(column: pl.Series, ids: Distinct, texts: pl.Series) -> pl.Series:
    """The column with other texts for its ids; a null text makes an id missing."""
    places = pl.Series(looked_up(column, ids, np.arange(len(texts), dtype=np.int32)))
    places = places.set(places < 0, None) if column.null_count() else places
    return texts.cast(pl.Categorical).gather(places.cast(pl.UInt32)).alias(column.name)
