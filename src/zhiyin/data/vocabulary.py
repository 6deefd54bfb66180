"""The one door between the caller's ids and dense indexes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from zhiyin.data.codes import distinct, looked_up
from zhiyin.types import Indexes


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Every id that is known, ascending; an id's index is its place. Unknown is -1.

    Ids are text: an integer id 42 is "42". Order by text makes indexes independent of the order of the rows. Ids that
    came after training stand behind the others, as they came.
    """

    texts: pl.Series  # String, ascending but for those that came later, unique, no null

    @classmethod
    def of(cls, ids: Iterable[object] | pl.Series) -> "Vocabulary":
        """The vocabulary of some ids, in any order, with repeats."""
        series = ids if isinstance(ids, pl.Series) else pl.Series([str(one) for one in ids], dtype=pl.String)
        return cls(series.cast(pl.String).drop_nulls().unique().sort())

    @classmethod
    def encoding(cls, column: pl.Series, more: pl.Series | None = None) -> "tuple[Vocabulary, Indexes]":
        """The vocabulary of a categorical column (and of `more` ids beside it), and that column as indexes.

        Works on the categories, never row by row: ten million rows cost one table look-up each.
        """
        found = distinct(column)
        vocabulary = cls.of(found.texts if more is None else pl.concat([found.texts, more.cast(pl.String)]))
        return vocabulary, looked_up(column, found, vocabulary.indexes(found.texts))

    def extended(self, ids: pl.Series) -> "Vocabulary":
        """The same indexes, and behind them those of the ids that are not known yet, in their order."""
        more = ids.cast(pl.String).drop_nulls().unique(maintain_order=True)
        return Vocabulary(pl.concat([self.texts, more.filter(self.indexes(more) < 0)], rechunk=True))

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self):,} ids)"

    def __contains__(self, id_: object) -> bool:
        return bool(self.indexes([id_])[0] >= 0)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {text: place for place, text in enumerate(self.texts)}

    @cached_property
    def names(self) -> list[str]:
        """The same texts, to look up one by one: they are those of `indexes`, so the list takes 8 bytes an id."""
        return list(self._places)

    def indexes(self, ids: Iterable[object] | pl.Series) -> Indexes:
        """int32[len(ids)]; -1 for an id that is not known."""
        if isinstance(ids, pl.Series) and len(ids) > 1_000:
            places = pl.DataFrame({"id": self.texts, "place": np.arange(len(self), dtype=np.int32)})
            asked = ids.cast(pl.String).rename("id").to_frame()
            found = asked.join(places, on="id", how="left", maintain_order="left")["place"]
            return found.fill_null(-1).to_numpy().astype(np.int32, copy=False)
        return np.array([self._places.get(str(one), -1) for one in ids], dtype=np.int32)

    def ids(self, indexes: Indexes) -> pl.Series:
        """String[len(indexes)]; null for -1."""
        places = pl.Series(indexes, dtype=pl.Int64)
        return self.texts.gather(places.set(places < 0, None))
