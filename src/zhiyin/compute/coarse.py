"""The k largest inner products of one vector, most of them ruled out by whole numbers of eight bits.

Each vector is also kept as codes from -127 to 127 times a step of its own, and the length of what that leaves out. The
product of the codes is at most a known margin away from the true one (Cauchy and Schwarz), and of the memory an eighth
or a quarter is read: the first dimensions of all items, the others only where they could still make a difference. The
likely items say what the k-th best has at least; of the others only those whose upper bound reaches that are multiplied
in full: exact, whatever the vectors. Items stand by falling length, so that the search ends where none is long enough.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.compute.best_products import lengths_of
from zhiyin.compute.kernels import plain
from zhiyin.compute.near import kept, write_best_of_near
from zhiyin.compute.selection import (
    LOWEST,
    low_bits,
    raised,
    room_for,
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
        for place in range(first, last):
            row, head, tail = rows[place], heads[place].astype(np.int16), tails[place].astype(np.int16)
            asked = Asked(vectors[row], head, tail, *(one[place] for one in bounds))
            _best_row(asked, coarse, whole, scales, permitted[row], found[row], scores[row])

    if k:
        over_blocks(len(rows), answer, serial_below=2)
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
def _best_row(
    asked: Asked, coarse: Coarse, whole: Vectors, scales: Scores, permitted: Mask, found: Indexes, best: Scores
) -> None:
    items, heads, tails, steps, lengths, rests, ends, worst = coarse  # named once: tuples are slow to pass
    vector, head, tail, step, length, own_rest, end = asked
    k, c, bar = len(best), len(items), LOWEST
    rest = own_rest + length * np.float32(max(len(vector), 16) * 2.0**-22)  # of a sum in any order
    near, most, count = np.empty(c, np.int32), np.empty(c, np.float32), 0  # touched as far as they are used
    lows, known = np.empty(room_for(k), np.uint64), 0
    products, picked = np.empty(_TILE, np.float32), np.empty(_TILE, np.int64)
    for start in range(0, c, _TILE):
        if length * lengths[start] * _ABOVE < bar:
            break
        line = products[: min(_TILE, c - start)]
        _products(heads, head, steps, step, start, line)
        widest = (rest * lengths[start] + (length + rest) * worst[start // _TILE]) * _ABOVE
        some = _reaching(line, ends, start, widest, end * _ABOVE, bar, picked)
        for j in range(kept(picked, products, some, tails, tail, steps, step, ends, np.float32(0), widest, bar)):
            at, product = np.uint64(picked[j]), products[j]
            margin = (rest * lengths[at] + (length + rest) * rests[at]) * _ABOVE
            if not (product + margin >= bar and permitted[items[at]]):
                continue
            near[count], most[count] = items[at], product + margin
            count += 1
            lows[known] = low_bits(product - margin)
            known += 1
            if known == len(lows):
                bar, known = raised(lows, k), k
    if known > k:
        bar = raised(lows[:known], k)
    write_best_of_near(vector, near[:count], most[:count], bar, whole, scales, permitted, found, best)


@njit(cache=True, nogil=True)
def _products(heads: Codes, asked: Wide, steps: Scores, step: float, start: int, out: Scores) -> None:
    """The products of codes of one line each, in 32 bits, which compiles to vector code."""
    for j in range(np.uint64(len(out))):
        at, total = np.uint64(start) + j, np.int32(0)
        for i in range(np.uint64(_HEAD)):
            total = np.int32(total + np.int32(heads[at, i]) * np.int32(asked[i]))
        out[j] = np.float32(total) * (steps[at] * step)


@njit(cache=True, nogil=True)
def _reaching(
    first: Scores, ends: Scores, start: int, margin: np.float32, end: np.float32, bar: np.float32,
    picked: NDArray[np.int64],
) -> int:  # fmt: skip
    """How many places of a tile may reach the bar by their first dimensions: they are `picked`, products in front."""
    count = 0
    for j in range(np.uint64(len(first))):
        at = np.uint64(start) + j
        product = first[j]
        picked[count], first[count] = np.int64(at), product
        count += int(product + (margin + end * ends[at]) >= bar)  # no branch to guess
    return count
