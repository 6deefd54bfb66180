"""The strongest event of each row with each column, weaker with its age."""

from typing import TypeAlias

import numpy as np
from numba import njit

from zhiyin.compute.kernels import plain
from zhiyin.compute.strongest import Keys, unpack
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Offsets, Scores, Times

Rows: TypeAlias = tuple[Offsets, Indexes, Scores]
"""A sparse matrix of b rows: offsets int64[b + 1], columns, ascending in each row, and weights."""


def recent(
    offsets: Offsets, items: Indexes, places: Indexes, times: Times, weights: Scores, half_life: float, most: float
) -> Rows:
    """The rows of ragged events.

    An event without a column or without weight does not count. Ages count from the last one of a row that does.

    Parameters
    ----------
    places
        int32[n], the column of each item, -1 for none; an item below 0 or past the end has none either.
    times
        int64[events], ascending in each row.
    half_life
        In the unit of `times`; infinite: no event is weaker than another.
    most
        Half-lives after which an event grows no weaker.
    """
    rows, starts = len(offsets) - 1, plain(offsets, np.int64)
    events = plain(items, np.int32), plain(places, np.int32), plain(times, np.int64), plain(weights, np.float32)
    keys, counts = np.empty(len(items), np.uint64), np.zeros(rows + 1, np.int64)
    over_blocks(rows, lambda first, last: _weigh(starts, *events, half_life, most, keys, counts, first, last))
    found = np.cumsum(counts)
    indices, data = np.empty(found[-1], np.int32), np.empty(found[-1], np.float32)
    unpack(keys, starts, found, indices, data)
    return found, indices, data


@njit(cache=True, nogil=True)
def _weigh(
    starts: Offsets, items: Indexes, places: Indexes, times: Times, weights: Scores, half_life: float, most: float,
    keys: Keys, counts: Offsets, first: int, last: int,
) -> None:  # fmt: skip
    """Bring columns and weights, as keys that sort, to the front of each row."""
    value = np.empty(1, np.float32)
    bits = value.view(np.uint32)
    for row in range(first, last):
        mine, size, newest = keys[starts[row] : starts[row + 1]], 0, np.int64(0)
        for at in range(starts[row], starts[row + 1]):
            if 0 <= items[at] < len(places) and places[items[at]] >= 0 and weights[at] > 0:
                newest = times[at]
        for at in range(starts[row], starts[row + 1]):
            if 0 <= items[at] < len(places) and places[items[at]] >= 0 and weights[at] > 0:
                halvings = min(max((newest - times[at]) / half_life, 0.0), most)
                value[0] = np.float32(weights[at] * np.exp2(-halvings))
                mine[size] = np.uint64(places[items[at]]) << np.uint64(32) | np.uint64(
                    bits[0]
                )  # floats >= 0 sort by bits
                size += 1
        mine[:size].sort()
        kept = 0
        for at in range(size):
            if at + 1 == size or mine[at + 1] >> np.uint64(32) != mine[at] >> np.uint64(32):
                mine[kept] = mine[at]
                kept += 1
        counts[row + 1] = kept
