"""What an item is, as a row of weighted terms: words of its texts, its categories, the neighbourhood of its numbers."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.features.text import words

Kind = Literal["text", "category", "number"]

NOT_CONTENT = ("item_id", "created_at", "available", "image")
"""Columns that say nothing about what an item is like."""

_KNOWN: dict[str, Kind] = {"title": "text", "description": "text", "category": "category", "brand": "category"}
_ITEMS_PER_CATEGORY = 4  # a text column whose values come back this often on average is a category
_KNOTS = 10  # places on the number line that an item can be near to
_LEAST_ITEMS = 2  # a term that only one item has likens it to nothing


@dataclass(frozen=True, eq=False)
class Attributes:
    """TF-IDF of a catalogue (Salton and Buckley 1988), each column of an item of length 1, so that none drowns another.

    A term is "column=token". What was learned is plain data, so that rows that come later read the same way.
    """

    kinds: dict[str, Kind]  # by column
    knots: dict[str, list[float]]  # by number column, ascending
    terms: pl.Series  # String, ascending
    idf: NDArray[np.float32]  # [terms]

    @classmethod
    def of(cls, frame: pl.DataFrame, max_terms: int) -> Self:
        """Learn the columns, knots and terms of a catalogue; of too many terms, those of the most items stay."""
        kinds = {name: kind for name in frame.columns if (kind := kind_of(frame[name])) is not None}
        knots = {name: _quantiles(frame[name]) for name, kind in kinds.items() if kind == "number"}
        counts = _counts(frame, kinds, knots)
        items = max(counts["row"].n_unique(), 1)
        common = (
            counts.group_by("term")
            .agg(pl.col("row").n_unique().alias("items"))
            .filter((pl.col("items") >= _LEAST_ITEMS) & (pl.col("items") < items))  # one that all have tells nothing
            .sort("items", "term", descending=[True, False])
            .head(max_terms)
            .sort("term")
        )
        idf = np.log((1 + items) / (1 + common["items"].to_numpy())).astype(np.float32)
        return cls(kinds, knots, common["term"], idf)

    def matrix(self, frame: pl.DataFrame) -> csr_array:
        """float32[rows, terms], sparse; a row without any known term is empty, a missing column is unknown."""
        places = pl.DataFrame({"term": self.terms, "idf": self.idf}).with_row_index("place")
        cells = (
            _counts(frame, self.kinds, self.knots)
            .join(places, on="term")
            .with_columns(weight=pl.col("weight") * pl.col("idf"))
            .with_columns(weight=pl.col("weight") / pl.col("weight").pow(2).sum().over("row", "column").sqrt())
            .sort("row", "place")
        )
        rows, columns = cells["row"].to_numpy(), cells["place"].to_numpy()
        shape = (frame.height, len(self.terms))
        return csr_array((cells["weight"].to_numpy().astype(np.float32), (rows, columns)), shape=shape)


def kind_of(column: pl.Series) -> Kind | None:
    """What to make of a column; None where nothing can be made of it."""
    if column.name in NOT_CONTENT:
        return None
    if column.dtype.is_numeric():
        return "number"
    if column.dtype == pl.Boolean or isinstance(column.dtype, pl.List):
        return "category"
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return None
    if column.name in _KNOWN:
        return _KNOWN[column.name]
    known = column.drop_nulls()
    return "category" if known.n_unique() * _ITEMS_PER_CATEGORY <= len(known) else "text"


def _quantiles(column: pl.Series) -> list[float]:
    """Knots so that about as many items lie between any two neighbours."""
    values = column.cast(pl.Float64).to_numpy()
    values = values[np.isfinite(values)]
    return np.unique(np.quantile(values, np.linspace(0, 1, _KNOTS))).tolist() if len(values) else []


def _counts(frame: pl.DataFrame, kinds: dict[str, Kind], knots: dict[str, list[float]]) -> pl.DataFrame:
    """row, column, term, weight: how much of each term each item has; texts grow with the logarithm of the count."""
    parts = [_EMPTY]
    for name, kind in kinds.items():
        if name not in frame.columns:
            continue
        tokens = _near_knots(frame[name], knots[name]) if kind == "number" else _tokens(frame[name], kind)
        term = pl.format("{}={}", pl.lit(name), pl.col("token")).alias("term")
        parts.append(tokens.select("row", pl.lit(name).alias("column"), term, "weight"))
    return pl.concat(parts)


_EMPTY = pl.DataFrame(schema={"row": pl.UInt32, "column": pl.String, "term": pl.String, "weight": pl.Float64})


def _tokens(column: pl.Series, kind: Kind) -> pl.DataFrame:
    """row, token, weight = 1 + ln(count)."""
    if kind == "text":
        tokens = words(column)
    else:
        tokens = column.rename("token").to_frame().with_row_index("row")
        tokens = tokens.explode("token") if isinstance(column.dtype, pl.List) else tokens
        tokens = tokens.with_columns(pl.col("token").cast(pl.String)).drop_nulls()
    return tokens.group_by("row", "token").agg(weight=pl.len().log() + 1.0)


def _near_knots(column: pl.Series, knots: list[float]) -> pl.DataFrame:
    """row, token, weight: the two knots around a number, each the more the nearer, so that near numbers are alike."""
    values = column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    rows = np.flatnonzero(np.isfinite(values)) if len(knots) > 1 else np.empty(0, np.int64)
    spot = np.interp(values[rows], knots or [0.0], np.arange(max(len(knots), 1)))  # clipped at both ends
    below = np.floor(spot)
    weights = np.concatenate([below + 1 - spot, spot - below])
    tokens = np.concatenate([below, below + 1]).astype(np.int64)
    frame = pl.DataFrame({"row": np.tile(rows, 2).astype(np.uint32), "token": tokens, "weight": weights})
    return frame.filter(pl.col("weight") > 0)
