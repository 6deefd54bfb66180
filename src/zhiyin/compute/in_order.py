"""The first few of an order that is the same for everybody, and what each may not see of it."""

import numpy as np
from numba import njit

from zhiyin.compute.kernels import plain
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Mask, Offsets, Scores


def best_first(scores: Scores) -> Indexes:
    """int32[_]: the places of scores [n], the highest first, ties by lower index, without NaN and -inf."""
    order = np.argsort(-scores, kind="stable")  # NaN comes last
    return order[: np.count_nonzero(scores > -np.inf)].astype(np.int32)


def first_allowed(order: Indexes, k: int, allowed: Mask) -> Indexes:
    """int32[b, k]: the first k of order [_] that each row of bool[b, n] allows; a short list ends in -1."""
    found = np.full((len(allowed), k), -1, np.int32)
    arrays = plain(order, np.int32), plain(allowed, np.bool_)
    over_blocks(len(found), lambda first, last: _walk(*arrays, found, first, last))
    return found


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


@njit(cache=True, nogil=True)
def _walk(order: Indexes, allowed: Mask, found: Indexes, first: int, last: int) -> None:
    k = found.shape[1]
    for row in range(first, last):
        count = 0
        for item in order:
            if count == k:
                break
            if allowed[row, item]:
                found[row, count] = item
                count += 1
