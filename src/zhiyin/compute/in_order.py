"""What each of several rows may not see any more."""

import numpy as np
from numba import njit

from zhiyin.compute.kernels import plain
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Mask, Offsets


def forbid(allowed: Mask, offsets: Offsets, items: Indexes, counting: Mask) -> None:
    """Take from each row of bool[b, n] those of its items, items[offsets[i]:offsets[i + 1]], that count."""
    arrays = plain(offsets, np.int64), plain(items, np.int32), plain(counting, np.bool_)
    over_blocks(len(allowed), lambda first, last: _forbid(allowed, *arrays, first, last))


@njit(cache=True, nogil=True)
def _forbid(allowed: Mask, offsets: Offsets, items: Indexes, counting: Mask, first: int, last: int) -> None:
    for row in range(first, last):
        for at in range(offsets[row], offsets[row + 1]):
            if counting[at]:
                allowed[row, items[at]] = False
