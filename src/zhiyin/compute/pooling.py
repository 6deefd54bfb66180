"""Several lists made into one pool, and what several say of it made comparable: compiled, for one query as for many."""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.compute.kernels import plain
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Offsets, Scores

_SCATTER = np.uint64(11400714819323198485)  # 2^64 over the golden ratio (Knuth, volume 3, section 6.4)


def merged(lists: Sequence[Indexes]) -> tuple[Indexes, Indexes]:
    """int32[b, m], what r lists [b, _] name, the first list first, once; int32[r, b, m], its place in each of them.

    m is the length of all lists together; rows end in -1, which is also the place of an item in a list without it.
    """
    flat = plain(np.concatenate(lists, axis=1), np.int32)
    starts = np.cumsum([0, *(one.shape[1] for one in lists)])
    items, places = np.full(flat.shape, -1, np.int32), np.full((len(lists), *flat.shape), -1, np.int32)
    over_blocks(len(flat), lambda first, last: _merge(flat, starts, items, places, first, last))
    return items, places


def features(scores: Scores, ranks: Indexes, offset: float, least: float) -> NDArray[np.float32]:
    """float32[b, m, 2r] of [r, b, m]: scores standardised within each query, NaN as 0, then offset / (offset + rank).

    A spread of at most `least` of the mean is none; where a rank is -1, its feature is 0.
    """
    r, b, m = scores.shape
    out = np.empty((b, m, 2 * r), np.float32)
    arrays = plain(scores, np.float32), plain(ranks, np.int32)
    over_blocks(b, lambda first, last: _standardise(*arrays, offset, least, out, first, last))
    return out


def best_of_pool(
    items: Indexes, fused: Scores, ranks: Indexes, k: int
) -> tuple[Indexes, Scores, NDArray[np.int8]]:  # fmt: skip
    """int32[b, <= k], float32[b, <= k] and int8[b, <= k]: the best of a pool, and who ranks each of them highest.

    Best first, ties as they stand in the pool; NaN is never among them, and a short list ends in -1, -inf and -1.

    Parameters
    ----------
    items, fused
        int32[b, m], -1 for none, and float32[b, m].
    ranks
        int32[r, b, m], -1 for none.
    """
    shape = len(items), min(k, items.shape[1])
    found, scores = np.full(shape, -1, np.int32), np.full(shape, -np.inf, np.float32)
    origins = np.full(shape, -1, np.int8)
    given = plain(items, np.int32), plain(fused, np.float32), plain(ranks, np.int32)
    if shape[1]:
        over_blocks(len(items), lambda first, last: _choose(*given, found, scores, origins, first, last))
    return found, scores, origins


@njit(cache=True, nogil=True)
def _choose(
    items: Indexes, fused: Scores, ranks: Indexes, found: Indexes, scores: Scores, origins: NDArray[np.int8],
    first: int, last: int,
) -> None:  # fmt: skip
    k = found.shape[1]
    places = np.empty(k, np.int64)
    for row in range(first, last):
        best, count = scores[row], 0
        for at in range(items.shape[1]):
            value = fused[row, at]
            if items[row, at] < 0 or not value > -np.inf or (count == k and not value > best[k - 1]):
                continue
            place = min(count, k - 1)
            while place > 0 and value > best[place - 1]:
                best[place], places[place] = best[place - 1], places[place - 1]
                place -= 1
            best[place], places[place] = value, at
            count = min(count + 1, k)
        for place in range(count):
            at, highest = places[place], np.int32(np.iinfo(np.int32).max)
            found[row, place] = items[row, at]
            for one in range(len(ranks)):
                if 0 <= ranks[one, row, at] < highest:
                    highest, origins[row, place] = ranks[one, row, at], one


@njit(cache=True, nogil=True)
def _merge(flat: Indexes, starts: Offsets, items: Indexes, places: Indexes, first: int, last: int) -> None:
    size = 4
    while size < 2 * flat.shape[1]:
        size *= 2
    table, mask = np.empty(size, np.int32), np.uint64(size - 1)  # of the places in items that are taken, hashed
    for row in range(first, last):
        table[:] = -1
        count = 0
        for one in range(len(starts) - 1):
            for at in range(starts[one], starts[one + 1]):
                item = flat[row, at]
                if item < 0:
                    continue
                slot = (np.uint64(item) * _SCATTER >> np.uint64(32)) & mask
                while table[slot] >= 0 and items[row, table[slot]] != item:
                    slot = (slot + np.uint64(1)) & mask
                if table[slot] < 0:
                    table[slot], items[row, count] = count, item
                    count += 1
                places[one, row, table[slot]] = at - starts[one]


@njit(cache=True, nogil=True)
def _standardise(
    scores: Scores, ranks: Indexes, offset: float, least: float, out: NDArray[np.float32], first: int, last: int
) -> None:
    r, m = len(scores), scores.shape[2]
    for row in range(first, last):
        for one in range(r):
            line, count, mean, square = scores[one, row], 0, 0.0, 0.0
            for j in range(m):
                if not np.isnan(line[j]):
                    mean += line[j]
                    count += 1
            mean /= max(count, 1)
            for j in range(m):
                if not np.isnan(line[j]):
                    square += (line[j] - mean) ** 2
            scale = np.sqrt(square / max(count, 1))
            factor = 1 / scale if scale > least * abs(mean) else 0.0
            for j in range(m):
                out[row, j, one] = 0.0 if np.isnan(line[j]) else (line[j] - mean) * factor
                rank = ranks[one, row, j]
                out[row, j, r + one] = offset / (offset + rank) if rank >= 0 else 0.0
