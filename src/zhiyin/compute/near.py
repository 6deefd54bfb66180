"""What searches share that rule out most items by bounds: by their codes, and at last by multiplying in full."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.compute.inner import inner
from zhiyin.compute.selection import LANES, LOWEST, gather, room_for, write_best
from zhiyin.types import Indexes, Mask, Scores, Vectors

LINE = 64
"""Codes of one line of the cache; there is a whole number of lines of them, zeros at the end."""


@njit(cache=True, nogil=True)
def kept(
    places: NDArray[np.int64], products: Scores, count: int, codes: NDArray[np.int8], asked: NDArray[np.int16],
    steps: Scores, step: np.float32, ends: Scores, end: np.float32, margin: np.float32, bar: np.float32,
) -> int:  # fmt: skip
    """How many of the places stay, because with these codes too they may reach the bar; codes add to their products."""
    staying = 0
    for j in range(count):
        at, total = np.uint64(places[j]), np.int32(0)
        for start in range(0, codes.shape[1], LINE):
            for i in range(np.uint64(LINE)):  # a fixed count, which compiles to vector code
                total = np.int32(
                    total + np.int32(codes[at, np.uint64(start) + i]) * np.int32(asked[np.uint64(start) + i])
                )
        product = products[j] + np.float32(total) * (steps[at] * step)
        places[staying], products[staying] = places[j], product
        staying += int(product + (margin + end * ends[at]) >= bar)
    return staying


@njit(cache=True, nogil=True)
def write_best_of_near(
    vector: Scores, near: Indexes, most: Scores, bar: np.float32, whole: Vectors, scales: Scores, permitted: Mask,
    found: Indexes, best: Scores,
) -> None:  # fmt: skip
    """Fill one row of items and of scores with the best of some items, best first.

    Parameters
    ----------
    vector
        float32[d].
    near, most
        int32[m] and float32[m]: items, and what their scores are at most.
    bar
        What is at most below it is not among the best.
    whole, scales
        float32[n, d], and float32[n] or float32[0]: a score is the product with a vector, times the scale if any.
    permitted
        bool[n].
    """
    count, scores, kept = 0, np.empty(len(near), np.float32), np.empty(len(near), np.int32)
    for j in range(len(near)):
        if most[j] >= bar:
            product = inner(vector, whole, near[j])
            kept[count], scores[count] = near[j], product * scales[near[j]] if len(scales) else product
            count += 1
    keys = np.empty(room_for(len(best)) + LANES, np.uint64)
    size, _ = gather(scores[:count], kept[:count], permitted, keys, 0, LOWEST, len(best))
    write_best(keys, size, permitted, found, best)
