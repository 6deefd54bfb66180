"""The k largest inner products of one vector, most of them ruled out by whole numbers of eight bits.

Each vector is also kept as codes from -127 to 127 times a step of its own, and the length of what that leaves out. The
product of the codes is at most a known margin away from the true one (Cauchy and Schwarz), and of the memory an eighth
or a quarter is read: the first dimensions of all items, the others only where they could still make a difference. The
likely items say what the k-th best has at least; of the others only those whose upper bound reaches that are multiplied
in full: exact, whatever the vectors. Items stand by falling length, so that the search ends where none is long enough.
"""

from threading import local
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.compute.best_products import lengths_of
from zhiyin.compute.inner import inner
from zhiyin.compute.kernels import plain
from zhiyin.compute.selection import (
    LANES,
    LOWEST,
    any_reaches,
    gather,
    item_of,
    largest_first,
    only_permitted,
    room_for,
    write_best,
)
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Mask, Scores, Vectors

_TILE = 256  # items whose bounds are made together and stay in the cache of a core
_STEPS = 127  # codes on each side of zero
_HEAD = (
    64  # codes that are looked at first: one line of the cache; the others come in multiples of it, zeros at the end
)
_ABOVE = np.float32(1 + 2.0**-16)  # by which a bound is put higher than it was worked out
_TINY = np.float32(1e-37)  # added to lengths, so that those too small for float32 still bound from above

Codes = NDArray[np.int8]
Wide = NDArray[np.int16]


class _Room(local):
    """What the likely products of one query at a time are written into: one array a thread, of the largest catalogue.

    A new one for each query would be given back to the system, and fetched from it page by page, each time.
    """

    array: Scores = np.empty(0, np.float32)

    def of(self, items: int) -> Scores:
        if len(self.array) < items:
            self.array = np.empty(items, np.float32)
        return self.array[:items]


_room = _Room()


class Coarse(NamedTuple):
    """Item vectors as `best_of_few` wants them, those with NaN left out, by falling length."""

    items: Indexes  # int32[c], whose vectors these are
    heads: Codes  # int8[c, 64], the codes of the first dimensions
    tails: Codes  # int8[c, _], those of the others
    steps: Scores  # float32[c]
    lengths: Scores  # float32[c], never below the true ones
    rests: Scores  # float32[c], the length of what codes times step leave out, never below the true one
    ends: Scores  # float32[c], the length of the other dimensions, never below the true one
    worst: Scores  # float32[tiles], the largest of the rests of each tile


class Asked(NamedTuple):
    """One query in the same form."""

    vector: Scores  # float32[d]
    head: Wide  # int16[64]
    tail: Wide  # int16[_]
    step: np.float32
    length: np.float32
    rest: np.float32
    end: np.float32


def coarse_of(vectors: Vectors) -> Coarse | None:
    """The codes of item vectors [n, d]; None where one of them is infinite, which codes can not bound."""
    lengths = lengths_of(vectors)
    order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(~np.isnan(lengths))].astype(np.int32)
    if len(order) and not lengths[order[0]] < np.finfo(np.float32).max / 4:
        return None
    heads, tails, steps, above, rests, ends = _coded(plain(vectors, np.float32), order)
    return Coarse(order, heads, tails, steps, above, rests, ends, _worst(rests))


def directions_of(coarse: Coarse, scales: Scores) -> Coarse:
    """The codes of the same vectors, each times its own of float32[n], one over its length; those with NaN are out."""
    own = scales[coarse.items]
    c = int(np.count_nonzero(~np.isnan(own)))  # those of length 0 are last
    own = own[:c] * _ABOVE
    longest, rests, ends = (one[:c] * own for one in (coarse.lengths, coarse.rests, coarse.ends))
    longest[:] = longest.max(initial=0)  # they no longer fall, and no search ends early
    steps = coarse.steps[:c] * scales[coarse.items[:c]]
    return Coarse(coarse.items[:c], coarse.heads[:c], coarse.tails[:c], steps, longest, rests, ends, _worst(rests))


def best_of_few(
    vectors: Vectors, coarse: Coarse, items: Vectors, scales: Scores, k: int, allowed: Mask
) -> tuple[Indexes, Scores]:
    """int32[b, k] and float32[b, k]: what `top_k` finds in vectors @ items.T, to the rounding of a float32 sum.

    Parameters
    ----------
    vectors
        float32[b, d], not infinite; a row with NaN has an empty list.
    coarse
        The codes of `items` float32[n, d], or their directions.
    scales
        float32[n], by which products with items are multiplied, or float32[0].
    allowed
        bool[b, n].
    """
    b = len(vectors)
    found, scores = np.full((b, k), -1, np.int32), np.full((b, k), -np.inf, np.float32)
    vectors, whole, permitted = plain(vectors, np.float32), plain(items, np.float32), plain(allowed, np.bool_)
    rows = np.flatnonzero(~np.isnan(vectors).any(axis=1)).astype(np.int32)
    heads, tails, *bounds = _coded(vectors, rows)

    def answer(first: int, last: int) -> None:
        likely = _room.of(len(coarse.items))
        for place in range(first, last):
            row, head, tail = rows[place], heads[place].astype(np.int16), tails[place].astype(np.int16)
            asked = Asked(vectors[row], head, tail, *(one[place] for one in bounds))
            _products(coarse.heads, head, coarse.steps, asked.step, likely)
            _best_row(asked, likely, coarse, whole, scales, permitted[row], found[row], scores[row])

    if k:
        over_blocks(len(rows), answer)
    return found, scores


def _worst(rests: Scores) -> Scores:
    return np.maximum.reduceat(rests, np.arange(0, len(rests), _TILE)) if len(rests) else rests


def _coded(vectors: Vectors, order: Indexes) -> tuple[Codes, Codes, Scores, Scores, Scores, Scores]:
    """Heads, tails, steps, lengths, rests and ends of some of the vectors [_, d]."""
    c, width = len(order), max(-(-vectors.shape[1] // _HEAD), 1) * _HEAD
    heads, tails = np.zeros((c, _HEAD), np.int8), np.zeros((c, width - _HEAD), np.int8)
    steps, lengths, rests, ends = (np.empty(c, np.float32) for _ in range(4))
    over_blocks(c, lambda first, last: _code(vectors, order, heads, tails, steps, lengths, rests, ends, first, last))
    return heads, tails, steps, lengths, rests, ends


@njit(cache=True, nogil=True)
def _code(
    vectors: Vectors, order: Indexes, heads: Codes, tails: Codes, steps: Scores, lengths: Scores, rests: Scores,
    ends: Scores, first: int, last: int,
) -> None:  # fmt: skip
    for place in range(first, last):
        vector = vectors[order[place]]
        step, square, left_out, end = np.float32(0), 0.0, 0.0, 0.0
        for j in range(len(vector)):
            step = max(step, np.float32(abs(vector[j]) / np.float32(_STEPS)))
        for j in range(len(vector)):
            code = np.int8(np.rint(vector[j] / step)) if step > _TINY else np.int8(0)
            if j < _HEAD:
                heads[place, j] = code
            else:
                tails[place, j - _HEAD] = code
                end += np.float64(vector[j]) ** 2
            square += np.float64(vector[j]) ** 2
            left_out += (np.float64(vector[j]) - np.float64(code) * np.float64(step)) ** 2
        steps[place] = step
        lengths[place] = np.float32(np.sqrt(square) * _ABOVE) + _TINY
        rests[place] = np.float32(np.sqrt(left_out) * _ABOVE) + _TINY
        ends[place] = np.float32(np.sqrt(end) * _ABOVE) + _TINY


@njit(cache=True, nogil=True)
def _products(codes: Codes, asked: Wide, steps: Scores, step: float, out: Scores) -> None:
    """The products of codes of one line each, in 32 bits, which compiles to vector code."""
    for row in range(len(codes)):
        code, total = codes[row], np.int32(0)
        for j in range(np.uint64(_HEAD)):
            total = np.int32(total + np.int32(code[j]) * np.int32(asked[j]))
        out[row] = np.float32(total) * (steps[row] * step)


@njit(cache=True, nogil=True)
def _best_row(
    asked: Asked, likely: Scores, coarse: Coarse, whole: Vectors, scales: Scores, permitted: Mask, found: Indexes,
    best: Scores,
) -> None:  # fmt: skip
    k, c = len(best), len(coarse.items)
    rest = asked.rest + asked.length * np.float32(max(len(asked.vector), 16) * 2.0**-22)  # of a sum in any order
    bar = _bar(asked.vector, likely, coarse.items, whole, scales, permitted, k)
    near, scores = np.empty(c, np.int32), np.empty(c, np.float32)  # touched as far as they are used
    picked, above, count = np.empty(_TILE, np.int64), np.empty(_TILE, np.float32), 0
    for start in range(0, c, _TILE):
        if asked.length * coarse.lengths[start] * _ABOVE < bar:
            break
        for j in range(_reaching(asked, rest, likely, coarse, start, bar, above, picked)):
            at = picked[j]
            item = coarse.items[at]
            product = likely[at] + _product(coarse.tails, at, asked.tail) * (coarse.steps[at] * asked.step)
            margin = (rest * coarse.lengths[at] + (asked.length + rest) * coarse.rests[at]) * _ABOVE
            if product + margin >= bar and permitted[item]:
                near[count], scores[count] = item, _score(asked.vector, whole, scales, item)
                count += 1
    keys = np.empty(room_for(k) + LANES, np.uint64)
    size, _ = gather(scores[:count], near[:count], permitted, keys, 0, LOWEST, k)
    write_best(keys, size, permitted, found, best)


@njit(cache=True, nogil=True)
def _reaching(
    asked: Asked, rest: float, likely: Scores, coarse: Coarse, start: int, bar: float, above: Scores,
    picked: NDArray[np.int64],
) -> int:  # fmt: skip
    """How many places of a tile went into `picked`, because by their first dimensions they may reach the bar."""
    some, count, ends = min(_TILE, len(coarse.items) - start), 0, coarse.ends
    margin = (rest * coarse.lengths[start] + (asked.length + rest) * coarse.worst[start // _TILE]) * _ABOVE
    end = asked.end * _ABOVE
    for j in range(np.uint64(some)):
        at = np.uint64(start) + j
        above[j] = likely[at] + (margin + end * ends[at])
    for line in range(0, some, LANES):
        if line + LANES <= some and not any_reaches(above, line, bar):
            continue
        for j in range(np.uint64(line), np.uint64(min(line + LANES, some))):
            picked[count] = start + np.int64(j)
            count += int(above[j] >= bar)  # no branch to guess
    return count


@njit(cache=True, nogil=True)
def _bar(
    vector: Scores, likely: Scores, items: Indexes, whole: Vectors, scales: Scores, permitted: Mask, k: int
) -> np.float32:
    """The k-th best product among the items that look best: what any other must reach."""
    most = 2 * k
    keys = np.empty(room_for(most) + LANES, np.uint64)
    size, _ = gather(likely, items, permitted, keys, 0, LOWEST, most)
    size = only_permitted(keys, size, permitted)
    if size < k:
        return LOWEST
    if size > most:
        largest_first(keys[:size], most)
    scores = np.empty(min(size, most), np.float32)
    for j in range(len(scores)):
        scores[j] = -_score(vector, whole, scales, item_of(keys[j]))
    return -np.partition(scores, k - 1)[k - 1]


@njit(cache=True, nogil=True)
def _score(vector: Scores, whole: Vectors, scales: Scores, item: int) -> np.float32:
    product = inner(vector, whole, item)
    return product * scales[item] if len(scales) else product


@njit(cache=True, nogil=True)
def _product(codes: Codes, row: int, asked: Wide) -> np.float32:
    total, at = np.int32(0), np.uint64(row)
    for start in range(0, codes.shape[1], _HEAD):
        for i in range(np.uint64(_HEAD)):  # a fixed count, which compiles to vector code
            j = np.uint64(start) + i
            total = np.int32(total + np.int32(codes[at, j]) * np.int32(asked[j]))
    return np.float32(total)
