"""The last step of a search that has ruled out most items by bounds: to multiply in full those that are left."""

import numpy as np
from numba import njit

from zhiyin.compute.inner import inner
from zhiyin.compute.selection import LANES, LOWEST, gather, room_for, write_best
from zhiyin.types import Indexes, Mask, Scores, Vectors


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
