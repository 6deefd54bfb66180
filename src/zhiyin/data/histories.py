"""What each of several people did, oldest first: rows of different length in flat arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.types import Indexes, Mask, Offsets, Times


@dataclass(frozen=True, eq=False)
class Histories:
    """Row i is the slice `offsets[i]:offsets[i + 1]` of every other array; an item may be -1 (unknown)."""

    offsets: Offsets  # int64[b + 1]
    items: Indexes  # int32[events]
    times: Times  # int64[events], µs UTC, ascending within a row
    weights: NDArray[np.float32]  # [events], how strong a sign of interest
    values: NDArray[np.float32]  # [events], a rating or an amount; NaN where there is none
    kinds: NDArray[np.uint8]  # [events], index into kind_names
    kind_names: tuple[str, ...] = ("interaction",)

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> "Histories":
        """Histories from lists of item indexes, oldest first, an hour apart, each with weight 1 and the first kind."""
        lists = [np.asarray(row, dtype=np.int32) for row in rows]
        lengths = [len(row) for row in lists]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        items = np.concatenate([np.empty(0, np.int32), *lists])
        times = np.concatenate([np.empty(0, np.int64), *(np.arange(length) for length in lengths)]) * 3_600_000_000
        unit = np.ones(len(items), np.float32)
        unrated, kinds = np.full(len(items), np.nan, np.float32), np.zeros(len(items), np.uint8)
        return cls(offsets, items, times.astype(np.int64), unit, unrated, kinds)

    @classmethod
    def empty(cls, rows: int) -> "Histories":
        """Rows of people of whom nothing is known."""
        return cls.of([[]] * rows)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"Histories({len(self):,} rows, {len(self.items):,} events)"

    def __getitem__(self, rows: slice | Indexes | NDArray[np.int64] | Sequence[int]) -> "Histories":
        if isinstance(rows, slice) and rows.step in (None, 1):
            start, stop, _ = rows.indices(len(self))
            stop = max(start, stop)
            first, last = self.offsets[start], self.offsets[stop]
            return self._cut(self.offsets[start : stop + 1] - first, slice(first, last))
        chosen = np.arange(len(self))[rows]
        lengths = self.lengths[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        flat = np.repeat(self.offsets[:-1][chosen] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return self._cut(offsets, flat)

    def _cut(self, offsets: Offsets, flat: slice | NDArray[np.int64]) -> "Histories":
        return Histories(
            offsets, self.items[flat], self.times[flat], self.weights[flat], self.values[flat], self.kinds[flat],
            self.kind_names,
        )  # fmt: skip

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64[b], events in each row."""
        return np.diff(self.offsets)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """int64[events], the row each event belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def matrix(self, n_items: int) -> csr_array:
        """float32[b, n], sparse: 1 where an item occurs; unknown items are left out."""
        known = (self.items >= 0) & (self.items < n_items)
        rows, items = self.rows[known], self.items[known]
        matrix = csr_array((np.ones(len(items), np.float32), (rows, items)), shape=(len(self), n_items))
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        return matrix

    def of_kinds(self, names: Iterable[str]) -> Mask:
        """bool[events]: which events are of these kinds."""
        wanted = set(names)
        return np.array([name in wanted for name in self.kind_names], np.bool_)[self.kinds]

    def last(self, t: int) -> "Histories":
        """The newest `t` events of each row."""
        lengths = np.minimum(self.lengths, t)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        flat = np.repeat(self.offsets[1:] - lengths - offsets[:-1], lengths) + np.arange(offsets[-1])
        return self._cut(offsets, flat)

    def padded(self, t: int) -> Indexes:
        """int32[b, t], the newest `t` items of each row at the right, -1 before them."""
        newest = self.last(t)
        table = np.full((len(self), t), -1, np.int32)
        places = np.arange(len(newest.items)) - np.repeat(newest.offsets[1:], newest.lengths) + t
        table[newest.rows, places] = newest.items
        return table

    def before(self, times: Times) -> "Histories":
        """Row i without what happened at `times[i]` or later."""
        return self.kept(self.times < np.repeat(times, self.lengths))

    def kept(self, keep: Mask) -> "Histories":
        """The same rows with the events of a mask bool[events] alone."""
        offsets = np.concatenate([[0], np.cumsum(np.bincount(self.rows[keep], minlength=len(self)))])
        return self._cut(offsets.astype(np.int64), np.flatnonzero(keep))
