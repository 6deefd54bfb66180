"""Named columns of any kind as codes and numbers: what a network with a vector for each feature reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.features.attributes import kind_of
from zhiyin.types import Indexes

FeatureKind = Literal["category", "tags", "bins", "number"]
"""One value of many, a list of such, a number by the neighbourhood it lies in, or a number as it is."""

UNKNOWN, MISSING, FIRST = 0, 1, 2
"""Codes of what training never (or hardly ever) saw, of null, and of the first value."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Rows of features."""

    codes: Indexes  # int32[rows, columns]; -1 pads a list
    numbers: NDArray[np.float32]  # [rows, numbers], about 0 ± 1; NaN where missing

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> "Encoded":
        return Encoded(self.codes[rows], self.numbers[rows])


@dataclass(frozen=True)
class Layout:
    """How the columns of `Encoded` belong together: several of them may be one list, which is one field."""

    sizes: tuple[int, ...]  # codes of each field
    widths: tuple[int, ...]  # columns of each field
    numbers: int = 0

    @property
    def fields(self) -> int:
        """How many vectors stand for a row: one for each field and number."""
        return len(self.sizes) + self.numbers

    @property
    def offsets(self) -> NDArray[np.int64]:
        """int64[columns]: where the codes of each column begin in one table of all fields."""
        starts = [0, *accumulate(self.sizes)][: len(self.sizes)]
        return np.repeat(np.array(starts, np.int64), self.widths)

    @property
    def padding(self) -> int:
        """The row behind the table of all fields, for -1; its vector is zero."""
        return sum(self.sizes)

    @property
    def runs(self) -> list[tuple[slice, int]]:
        """Neighbouring columns whose fields are equally wide, and that width."""
        found, column = [], 0
        for width, fields in groupby(self.widths):
            columns = sum(fields)
            found.append((slice(column, column + columns), width))
            column += columns
        return found

    def __add__(self, other: "Layout") -> "Layout":
        """These columns, then those of another."""
        return Layout(self.sizes + other.sizes, self.widths + other.widths, self.numbers + other.numbers)


@dataclass(frozen=True, eq=False)
class Column:
    """What was learned of one column."""

    name: str
    kind: FeatureKind
    values: pl.Series  # String, ascending: of a category or of tags
    knots: tuple[float, ...] = ()  # of bins: the borders; of a number: its mean and its deviation
    width: int = 1  # of tags: how many of a row are read

    @property
    def size(self) -> int:
        """How many codes there are; none for a plain number."""
        if self.kind == "number":
            return 0
        return FIRST + (len(self.knots) + 1 if self.kind == "bins" else len(self.values))

    @classmethod
    def of(cls, column: pl.Series, kind: FeatureKind, least: int, bins: int) -> Self:
        """Learn one."""
        nothing = pl.Series(values=[], dtype=pl.String)
        if kind in ("category", "tags"):
            tokens = _tokens(column, kind)
            counts = tokens.group_by("token").len().filter(pl.col("len") >= least)
            lengths = tokens.group_by("row").len()["len"]
            return cls(column.name, kind, counts["token"].sort(), width=max(1, min(_LONGEST, _most(lengths))))
        known = _finite(column)
        known = known[np.isfinite(known)]
        if kind == "bins":
            borders = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else known
            return cls(column.name, kind, nothing, tuple(borders.tolist()))
        mean, deviation = (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)
        return cls(column.name, kind, nothing, (mean, deviation))

    def codes(self, column: pl.Series) -> Indexes:
        """int32[rows, width]."""
        if self.kind == "bins":
            values = _finite(column)
            places = FIRST + np.searchsorted(np.array(self.knots), values, "right")
            return np.where(np.isnan(values), MISSING, places).astype(np.int32)[:, None]
        known = pl.DataFrame({"token": self.values}).with_row_index("code", FIRST)
        tokens = _tokens(column, self.kind).join(known, on="token", how="left", maintain_order="left")
        place = pl.int_range(pl.len()).over("row")
        tokens = tokens.with_columns(pl.col("code").fill_null(UNKNOWN), place=place).filter(
            pl.col("place") < self.width
        )
        codes = np.full((len(column), self.width), -1, np.int32)
        codes[:, 0] = MISSING
        codes[tokens["row"].to_numpy(), tokens["place"].to_numpy()] = tokens["code"].to_numpy()
        return codes

    def numbers(self, column: pl.Series) -> NDArray[np.float32]:
        """float32[rows, 1]: how many deviations from the mean, at most ten; NaN where missing."""
        mean, deviation = self.knots
        return np.clip((_finite(column) - mean) / deviation, -10, 10).astype(np.float32)[:, None]


_LONGEST = 10  # tags of one row that are read
_BINS = 10


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Learned on the rows of training; a column that is absent later is missing in every row."""

    columns: tuple[Column, ...]

    @classmethod
    def of(
        cls, frame: pl.DataFrame, kinds: Mapping[str, FeatureKind] | None = None, *, least: int = 1, bins: int = _BINS
    ) -> Self:
        """Learn the values and the scale of each column.

        Parameters
        ----------
        kinds
            What to make of a column; where it is not given, every column that can be used is guessed.
        least
            A value of fewer rows is unknown, so that training sees what that is like.
        bins
            Into how many neighbourhoods, each of about as many rows, numbers fall.
        """
        kinds = guessed(frame) if kinds is None else kinds
        return cls(tuple(Column.of(frame[name], kind, least, bins) for name, kind in kinds.items()))

    @property
    def layout(self) -> Layout:
        """Which columns `encode` gives."""
        coded = [column for column in self.columns if column.kind != "number"]
        return Layout(
            tuple(column.size for column in coded),
            tuple(column.width for column in coded),
            len(self.columns) - len(coded),
        )

    def encode(self, frame: pl.DataFrame) -> Encoded:
        """Any rows, those of training or others."""
        found = {
            column.name: frame[column.name]
            if column.name in frame.columns
            else pl.Series(column.name, [None], dtype=pl.String).extend_constant(None, frame.height).head(frame.height)
            for column in self.columns
        }
        codes = [column.codes(found[column.name]) for column in self.columns if column.kind != "number"]
        numbers = [column.numbers(found[column.name]) for column in self.columns if column.kind == "number"]
        return Encoded(
            np.hstack([np.empty((frame.height, 0), np.int32), *codes]),
            np.hstack([np.empty((frame.height, 0), np.float32), *numbers]),
        )


def guessed(frame: pl.DataFrame) -> dict[str, FeatureKind]:
    """What to make of each column: categories and lists as they are, numbers in bins; texts and times are left out."""
    found: dict[str, FeatureKind] = {}
    for name in frame.columns:
        kind = kind_of(frame[name])
        if kind == "number":
            found[name] = "bins"
        elif kind == "category":
            found[name] = "tags" if isinstance(frame[name].dtype, pl.List) else "category"
    return found


def _tokens(column: pl.Series, kind: FeatureKind) -> pl.DataFrame:
    """row, token: String, in the order of the rows, without nulls."""
    tokens = column.rename("token").to_frame().with_row_index("row")
    if kind == "tags" and isinstance(column.dtype, pl.List):
        tokens = tokens.explode("token")
    return tokens.with_columns(pl.col("token").cast(pl.String)).drop_nulls()


def _finite(column: pl.Series) -> NDArray[np.float64]:
    """float64[rows], NaN for all that is no number."""
    values = column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(values), values, np.nan)


def _most(lengths: pl.Series) -> int:
    return int(lengths.to_numpy().max(initial=1))
