"""The strongest entry of each cell, with little memory on the way."""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.compute.sparse import compact_csr
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Offsets

Keys = NDArray[np.uint64]


def strongest(
    rows: NDArray[np.integer], columns: Indexes, weights: NDArray[np.floating], shape: tuple[int, int]
) -> csr_array:
    """float32[shape], sparse: of the weights >= 0 that come for the same cell, the largest.

    Each entry takes eight bytes on the way, and no more: a column and a weight that sort as one number.
    """
    starts = np.zeros(shape[0] + 1, np.int64)
    keys = np.empty(len(rows), np.uint64)
    _by_row(_plain(rows, np.int32), _plain(columns, np.int32), _plain(weights, np.float32), starts, keys)
    counts = np.zeros(shape[0] + 1, np.int64)
    over_blocks(shape[0], lambda first, last: _sort_rows(keys, starts, counts, first, last))
    offsets = np.cumsum(counts)
    indices, data = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.float32)
    unpack(keys, starts, offsets, indices, data)
    return compact_csr(data, indices, offsets, shape)


def _plain(array: NDArray[np.generic], dtype: type[np.generic]) -> NDArray[np.generic]:
    return np.require(array, dtype, ["C", "W"])


@njit(cache=True, nogil=True)
def _by_row(rows: Indexes, columns: Indexes, weights: NDArray[np.float32], starts: Offsets, keys: Keys) -> None:
    bits = weights.view(np.uint32)  # of floats >= 0: they stand in the same order
    for row in rows:
        starts[row + 1] += 1
    for row in range(len(starts) - 1):
        starts[row + 1] += starts[row]
    places = starts.copy()
    for at in range(len(rows)):
        place = places[rows[at]]
        keys[place] = np.uint64(columns[at]) << np.uint64(32) | np.uint64(bits[at])
        places[rows[at]] += 1


@njit(cache=True, nogil=True)
def _sort_rows(keys: Keys, starts: Offsets, counts: Offsets, first: int, last: int) -> None:
    """Sort each row, and bring the last key of each column to its front."""
    for row in range(first, last):
        mine = keys[starts[row] : starts[row + 1]]
        mine.sort()
        kept = 0
        for at in range(len(mine)):
            if at + 1 == len(mine) or mine[at + 1] >> np.uint64(32) != mine[at] >> np.uint64(32):
                mine[kept] = mine[at]
                kept += 1
        counts[row + 1] = kept


@njit(cache=True, nogil=True)
def unpack(keys: Keys, starts: Offsets, offsets: Offsets, indices: Indexes, data: NDArray[np.float32]) -> None:
    """Columns and weights of the keys that stand at the front of each row."""
    bits = data.view(np.uint32)
    for row in range(len(offsets) - 1):
        for j in range(offsets[row + 1] - offsets[row]):
            key = keys[starts[row] + j]
            indices[offsets[row] + j], bits[offsets[row] + j] = key >> np.uint64(32), key & np.uint64(0xFFFFFFFF)
