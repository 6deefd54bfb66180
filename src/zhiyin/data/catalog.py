"""What is known of the items, row i for item i."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.data.vocabulary import Vocabulary
from zhiyin.types import Indexes, Mask, Times


@dataclass(frozen=True, eq=False)
class Catalog:
    """The shop's attributes of every item in the vocabulary; an item that only the log knows has a row of nulls."""

    frame: pl.DataFrame  # n rows, `item_id` first, aligned with the item vocabulary

    @classmethod
    def of(cls, items: Vocabulary, table: pl.DataFrame | None = None) -> "Catalog":
        """Align a table with a vocabulary; of an id that stands twice, the first row counts."""
        frame = items.texts.alias("item_id").to_frame()
        if table is not None:
            rows = table.with_columns(pl.col("item_id").cast(pl.String)).unique("item_id", keep="first")
            frame = frame.join(rows, on="item_id", how="left", maintain_order="left")
        return cls(frame)

    def __len__(self) -> int:
        return self.frame.height

    def __repr__(self) -> str:
        return f"Catalog({len(self):,} items: {', '.join(self.columns) or 'nothing known of them'})"

    @property
    def columns(self) -> list[str]:
        """The names of the attributes."""
        return [name for name in self.frame.columns if name != "item_id"]

    @cached_property
    def available(self) -> Mask:
        """bool[n]; an item of which this is not known is available."""
        return self._column("available", pl.Boolean, True)

    @cached_property
    def prices(self) -> NDArray[np.float32]:
        """float32[n], list prices; NaN where unknown."""
        return self._column("price", pl.Float32, float("nan"))

    @cached_property
    def created(self) -> Times:
        """int64[n], µs UTC from which an item exists; the smallest integer where unknown."""
        return self._column("created_at", pl.Int64, np.iinfo(np.int64).min)

    @cached_property
    def titles(self) -> pl.Series:
        """String[n]: what a person calls each item, from the column `title` or `name`, else its id."""
        ids = self.frame["item_id"]
        known = [self.frame[name].cast(pl.String) for name in ("title", "name") if name in self.frame.columns]
        return known[0].zip_with(known[0].is_not_null(), ids) if known else ids

    @cached_property
    def by_creation(self) -> tuple[Indexes, Times]:
        """int32[n], the items in the order in which they came to exist, and int64[n], when."""
        order = np.argsort(self.created, kind="stable").astype(np.int32)
        return order, self.created[order]

    def before(self, time: int) -> "Catalog":
        """What was known earlier than `time` (µs UTC): items that came later are blank and not available."""
        later = self.created >= time
        if not later.any():
            return self
        known = pl.lit(pl.Series(~later))
        blank = [pl.when(known).then(pl.col(name)).alias(name) for name in self.columns if name != "available"]
        available = pl.Series("available", self.available & ~later)
        return Catalog(self.frame.with_columns(*blank).with_columns(available))

    def _column(self, name: str, dtype: type[pl.DataType], absent: float | bool) -> NDArray[Any]:
        if name not in self.frame.columns:
            return pl.repeat(absent, len(self), dtype=dtype, eager=True).to_numpy()
        return self.frame[name].cast(dtype, strict=False).fill_null(absent).to_numpy()
