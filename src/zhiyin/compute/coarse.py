"""The k largest inner products of one vector, most of them ruled out by whole numbers of eight bits.

Each vector is also kept as codes from -127 to 127 times a step of its own, and the length of what that leaves out. The
product of the codes is at most a known margin away from the true one (Cauchy and Schwarz), and a quarter of the memory
is read. Only items whose upper bound reaches the k-th best lower bound are multiplied in full: exact, whatever the
vectors. Items stand by falling length, so that the search ends where no length can reach what is there already.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.compute.best_products import lengths_of
from zhiyin.compute.inner import inner
from zhiyin.compute.kernels import plain
from zhiyin.compute.selection import LANES, LOWEST, any_reaches, gather, lowest_of_best, room_for, write_best
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Mask, Scores, Vectors

_TILE = 256  # items whose bounds are made together and stay in the cache of a core
_STEPS = 127  # codes on each side of zero
_LANES = 64  # codes are padded with zeros to a multiple, so that the loop over them has no remainder
_ABOVE = np.float32(1 + 2.0**-16)  # by which a bound is put higher than it was worked out
_TINY = np.float32(1e-37)  # added to lengths, so that those too small for float32 still bound from above

Codes = NDArray[np.int8]


class Coarse(NamedTuple):
    """Item vectors as `best_of_few` wants them, those with NaN left out, by falling length."""

    items: Indexes  # int32[c], whose vectors these are
    codes: Codes  # int8[c, d and a few zeros]
    steps: Scores  # float32[c]
    lengths: Scores  # float32[c], never below the true ones
    rests: Scores  # float32[c], the length of what codes times step leave out, never below the true one


def coarse_of(vectors: Vectors) -> Coarse | None:
    """The codes of item vectors [n, d]; None where one of them is infinite, which codes can not bound."""
    lengths = lengths_of(vectors)
    order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(~np.isnan(lengths))].astype(np.int32)
    if len(order) and not lengths[order[0]] < np.finfo(np.float32).max / 4:
        return None
    width = -(-vectors.shape[1] // _LANES) * _LANES
    codes = np.zeros((len(order), width), np.int8)
    steps, above, rests = (np.empty(len(order), np.float32) for _ in range(3))
    vectors = np.require(vectors, np.float32, ["C", "W"])
    over_blocks(len(order), lambda first, last: _code(vectors, order, codes, steps, above, rests, first, last))
    return Coarse(order, codes, steps, above, rests)


def best_of_few(vectors: Vectors, coarse: Coarse, items: Vectors, k: int, allowed: Mask) -> tuple[Indexes, Scores]:
    """int32[b, k] and float32[b, k]: what `top_k` finds in vectors @ items.T, to the rounding of a float32 sum.

    Parameters
    ----------
    vectors
        float32[b, d], not infinite; a row with NaN has an empty list.
    coarse
        The codes of `items` float32[n, d].
    allowed
        bool[b, n].
    """
    b = len(vectors)
    found, scores = np.full((b, k), -1, np.int32), np.full((b, k), -np.inf, np.float32)
    asked, whole, permitted = plain(vectors, np.float32), plain(items, np.float32), plain(allowed, np.bool_)
    rows = np.flatnonzero(~np.isnan(vectors).any(axis=1)).astype(np.int32)
    codes = np.zeros((len(rows), coarse.codes.shape[1]), np.int8)
    steps, lengths, rests = (np.empty(len(rows), np.float32) for _ in range(3))
    if k and len(rows):
        _code(asked, rows, codes, steps, lengths, rests, 0, len(rows))
        questions = asked, rows, codes.astype(np.int16), steps, lengths, rests
        over_blocks(
            len(rows),
            lambda first, last: _best_rows(*questions, *coarse, whole, permitted, found, scores, first, last),
        )
    return found, scores


@njit(cache=True, nogil=True)
def _code(
    vectors: Vectors, order: Indexes, codes: Codes, steps: Scores, lengths: Scores, rests: Scores, first: int, last: int
) -> None:
    """Write the codes of the vectors of `order`."""
    for place in range(first, last):
        vector, code = vectors[order[place]], codes[place]
        step = np.float32(np.abs(vector).max() / np.float32(_STEPS)) if len(vector) else np.float32(0)
        square = left_out = 0.0
        for j in range(len(vector)):
            if step > _TINY:
                code[j] = np.int8(np.rint(vector[j] / step))
            rest = np.float64(vector[j]) - np.float64(code[j]) * np.float64(step)
            square += np.float64(vector[j]) ** 2
            left_out += rest**2
        steps[place] = step
        lengths[place] = np.float32(np.sqrt(square) * _ABOVE) + _TINY
        rests[place] = np.float32(np.sqrt(left_out) * _ABOVE) + _TINY


@njit(cache=True, nogil=True)
def _best_rows(
    vectors: Vectors, rows: Indexes, asked: NDArray[np.int16], asked_steps: Scores, asked_lengths: Scores,
    asked_rests: Scores, items: Indexes, codes: Codes, steps: Scores, lengths: Scores, rests: Scores,
    whole: Vectors, allowed: Mask, found: Indexes, best: Scores, first: int, last: int,
) -> None:  # fmt: skip
    k, d = best.shape[1], vectors.shape[1]
    keys = np.empty(room_for(k) + LANES, np.uint64)
    near, scores = np.empty(len(items), np.int32), np.empty(len(items), np.float32)  # touched as far as they are used
    rounding = np.float32(max(d, 16) * 2.0**-22)  # of a sum of d products in any order, many times over
    for place in range(first, last):
        row, length = rows[place], asked_lengths[place]
        count, bar = _near(
            asked[place], asked_steps[place], length, asked_rests[place] + rounding * length, items, codes, steps,
            lengths, rests, allowed[row], keys, k, near, scores,
        )  # fmt: skip
        kept = 0
        for j in range(count):
            if scores[j] >= bar:
                near[kept], scores[kept] = near[j], inner(vectors[row], whole[near[j]])
                kept += 1
        size, _ = gather(scores[:kept], near[:kept], allowed[row], keys, 0, LOWEST, k)
        write_best(keys, size, allowed[row], found[row], best[row])


@njit(cache=True, nogil=True)
def _near(
    asked: NDArray[np.int16], step: float, length: float, rest: float, items: Indexes, codes: Codes, steps: Scores,
    lengths: Scores, rests: Scores, permitted: Mask, keys: NDArray[np.uint64], k: int, near: Indexes, upper: Scores,
) -> tuple[int, np.float32]:  # fmt: skip
    """How many items went into `near`, with upper bounds, and what an upper bound must reach."""
    likely, lower, above = np.empty(_TILE, np.float32), np.empty(_TILE, np.float32), np.empty(_TILE, np.float32)
    count, size, bar = 0, 0, LOWEST
    for start in range(0, len(items), _TILE):
        if length * lengths[start] * _ABOVE < bar:
            break
        end = min(start + _TILE, len(items))
        _products(codes[start:end], asked, likely)
        for j in range(np.uint64(end - start)):
            at = np.uint64(start) + j
            product = likely[j] * (steps[at] * step)
            margin = (rest * lengths[at] + (length + rest) * rests[at]) * _ABOVE
            lower[j], above[j] = product - margin, product + margin
        size, bar = gather(lower[: end - start], items[start:end], permitted, keys, size, bar, k)
        for from_ in range(0, end - start, LANES):
            if from_ + LANES <= end - start and not any_reaches(above, from_, bar):
                continue
            for j in range(from_, min(from_ + LANES, end - start)):
                if above[j] >= bar and permitted[items[start + j]]:
                    near[count], upper[count] = items[start + j], above[j]
                    count += 1
    return count, lowest_of_best(keys, size, permitted, k)


@njit(cache=True, nogil=True)
def _products(codes: Codes, asked: NDArray[np.int16], out: Scores) -> None:
    """The inner products with codes; 32 bits throughout, and pieces of a fixed length, compile to vector code."""
    for row in range(len(codes)):
        code, total = codes[row], np.int32(0)
        for start in range(0, len(code), _LANES):
            part, other = code[start : start + _LANES], asked[start : start + _LANES]
            for j in range(np.uint64(_LANES)):
                total = np.int32(total + np.int32(part[j]) * np.int32(other[j]))
        out[row] = np.float32(total)
