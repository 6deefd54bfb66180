"""What a history says at a moment, as codes: the same reading in training and in answering."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.histories import Histories
from zhiyin.features.table import Encoded, Layout
from zhiyin.types import Indexes, Mask, Offsets, Times

_HOUR = 3_600_000_000  # µs
_COUNTS, _AGES = 16, 16  # powers of two that are told apart: of events, of hours
_REPEATS = 4  # how often an item stands among the newest: never, once, twice, more often


@dataclass(frozen=True, eq=False)
class Pasts:
    """Row i knows the events `starts[i]:ends[i]` of flat arrays, and asks at `nows[i]`."""

    items: Indexes  # int32[events]
    times: Times  # int64[events], ascending within a row
    starts: Offsets  # int64[b]
    ends: Offsets  # int64[b]
    nows: Times  # int64[b]

    @classmethod
    def of(cls, histories: Histories, known: Mask, nows: Times) -> Self:
        """Of items that are known and events that weigh something, all; known is bool[n]."""
        kept = counted(histories, known)
        sums = np.concatenate([[0], np.cumsum(kept)])[histories.offsets]
        return cls(histories.items[kept], histories.times[kept], sums[:-1], sums[1:], nows)

    @classmethod
    def before_each(cls, histories: Histories, known: Mask) -> Self:
        """A row for each event that `of` would keep, which knows only what its person did earlier.

        Where no event has a time of its own, it knows all of that person's events, itself among them.
        """
        kept = counted(histories, known)
        people, items, times = histories.rows[kept], histories.items[kept], histories.times[kept]
        if are_timeless(times):
            starts, ends = np.searchsorted(people, people, "left"), np.searchsorted(people, people, "right")
            return cls(items, times, starts, ends, times)
        whole = cls(items, times, np.searchsorted(people, people, "left"), np.arange(len(items)) + 1, times)
        return whole.earlier(np.zeros(len(items), np.int64))

    def earlier(self, gaps: Times) -> Self:
        """The same rows asking `gaps` [b] µs sooner, and knowing only what was before that."""
        nows = self.nows - gaps
        low, high = self.starts.copy(), self.ends.copy()
        while (low < high).any():  # for every row at once, the first event that is not before its moment
            middle = (low + high) // 2
            before = (low < high) & (self.times[np.minimum(middle, len(self.times) - 1)] < nows)
            high = np.where(before | (low >= high), high, middle)
            low = np.where(before, middle + 1, low)
        return type(self)(self.items, self.times, self.starts, low, nows)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: NDArray[np.integer]) -> "Pasts":
        return Pasts(self.items, self.times, self.starts[rows], self.ends[rows], self.nows[rows])

    def newest(self, window: int, without: Indexes | None = None) -> Indexes:
        """int32[b, window]: the newest items, the last first; -1 after them, and in place of the item `without` [b]."""
        places = self.ends[:, None] - 1 - np.arange(window)  # [b, window]
        there = places >= self.starts[:, None]
        if not there.any():
            return np.full(there.shape, -1, np.int32)
        found = np.where(there, self.items[np.maximum(places, 0)], np.int32(-1))
        return found if without is None else np.where(found == without[:, None], np.int32(-1), found)

    def moments(self) -> Indexes:
        """int32[b, 4]: how many events, how long ago the last, the hour, the day of the week; sizes in MOMENTS."""
        counts = self.ends - self.starts
        last = self.times[np.maximum(self.ends - 1, 0)] if len(self.times) else self.nows
        hours = np.maximum(self.nows - last, 0) // _HOUR
        ages = np.where(counts > 0, 1 + np.minimum(_bits(hours), _AGES - 2), 0)
        clock = self.nows // _HOUR
        days = (clock // 24 + 3) % 7  # 1970-01-01 was a Thursday, Monday is 0
        return np.column_stack([np.minimum(_bits(counts), _COUNTS - 1), ages, clock % 24, days]).astype(np.int32)


MOMENTS = Layout((_COUNTS, _AGES, 24, 7), (1, 1, 1, 1))
REPEATS = Layout((_REPEATS,), (1,))


def are_timeless(times: Times) -> bool:
    """Whether all events have the same time, which then says nothing."""
    return len(times) > 0 and bool(times.min() == times.max())


def counted(histories: Histories, known: Mask) -> Mask:
    """bool[events]: of items that are known, and weighing something."""
    items = histories.items
    inside = (items >= 0) & (items < len(known))
    return inside & known[np.where(inside, items, 0)] & (histories.weights > 0)


def read(items: Encoded, layout: Layout, newest: Indexes, moments: Indexes) -> Encoded:
    """What the newest items were like, what the last one was like, and the moment; columns as in `reading`.

    Parameters
    ----------
    items
        What each item [n] is like, in `layout`, without numbers.
    """
    rows, window = newest.shape
    known = newest >= 0
    codes = np.where(known[:, :, None], items.codes[np.where(known, newest, 0)], np.int32(-1))  # [b, window, columns]
    starts = np.cumsum([0, *layout.widths])
    bags = [codes[:, :, start:stop].reshape(rows, window * (stop - start)) for start, stop in pairwise(starts)]
    found = np.hstack([*bags, codes[:, 0], moments])
    return Encoded(np.ascontiguousarray(found), np.empty((rows, 0), np.float32))


def reading(layout: Layout, window: int) -> Layout:
    """The layout of `read`."""
    bags = Layout(layout.sizes, tuple(width * window for width in layout.widths))
    return bags + layout + MOMENTS


def repeats(newest: Indexes, rows: NDArray[np.int64], items: Indexes) -> Encoded:
    """How often each item [r] stands among the newest items of its row [r]; laid out as REPEATS."""
    counts = (newest[rows] == items[:, None]).sum(axis=1, dtype=np.int32)
    return Encoded(np.minimum(counts, _REPEATS - 1)[:, None], np.empty((len(items), 0), np.float32))


def _bits(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64: how many binary digits a number >= 0 has."""
    return np.frexp(numbers.astype(np.float64))[1].astype(np.int64)
