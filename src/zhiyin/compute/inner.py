"""Inner products of chosen pairs of vectors, without gathering them first."""

import numpy as np
from numba import njit

from zhiyin.compute.kernels import plain
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Scores, Vectors


def inner_of_each(vectors: Vectors, items: Vectors, chosen: Indexes) -> Scores:
    """float32[b, m]: of each of vectors [b, d] with its own chosen [b, m] of items [n, d]; NaN for -1."""
    out = np.empty(chosen.shape, np.float32)
    arrays = plain(vectors, np.float32), plain(items, np.float32), plain(chosen, np.int32)
    over_blocks(len(out), lambda first, last: _of_rows(*arrays, out, first, last))
    return out


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def inner(vector: Scores, items: Vectors, item: int) -> np.float32:
    """float32: the product of a vector with that of one item, summed in any order; NaN stays NaN."""
    total, row = np.float32(0), np.uint64(item)
    for j in range(np.uint64(len(vector))):
        total += vector[j] * items[row, j]
    return total


@njit(cache=True, nogil=True)
def _of_rows(vectors: Vectors, items: Vectors, chosen: Indexes, out: Scores, first: int, last: int) -> None:
    for row in range(first, last):
        for place in range(chosen.shape[1]):
            item = chosen[row, place]
            out[row, place] = inner(vectors[row], items, item) if item >= 0 else np.nan
