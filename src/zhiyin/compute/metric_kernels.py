"""Compiled loops of the ranking metrics: one pass per user, no users × items memory."""

import numpy as np
from numba import njit

from zhiyin.types import Floats, Indexes, Mask, Offsets, Scores


@njit(cache=True, nogil=True)
def found(recommended: Indexes, offsets: Offsets, items: Indexes, n_items: int) -> Mask:
    """bool[b, k]: which places hold a relevant item; an item that a list repeats is found once."""
    b, k = recommended.shape
    hits = np.zeros((b, k), np.bool_)
    wanted_by = np.full(n_items, -1, np.int64)
    for row in range(b):
        for at in range(offsets[row], offsets[row + 1]):
            wanted_by[items[at]] = row
        for place in range(k):
            item = recommended[row, place]
            if item >= 0 and wanted_by[item] == row:
                hits[row, place] = True
                wanted_by[item] = -1
    return hits


@njit(cache=True, nogil=True)
def _key(score: float) -> float:
    """A score as a number that sorts: ignorance (NaN) below the lowest opinion, even below −inf."""
    if np.isnan(score):
        return -np.inf
    return max(float(score), -1e300)


@njit(cache=True, nogil=True)
def areas(scores: Scores, allowed: Mask, offsets: Offsets, items: Indexes) -> Floats:
    """float64[b]: P(relevant above irrelevant allowed), ties one half; allowed is bool[b, n] or bool[1, n].

    A relevant item that is not allowed can not be shown, so it loses to every allowed one.
    """
    b, n = scores.shape
    area = np.full(b, np.nan)
    relevant = np.zeros(n, np.bool_)
    for row in range(b):
        permitted = allowed[row if allowed.shape[0] > 1 else 0]
        wanted = items[offsets[row] : offsets[row + 1]]
        for item in wanted:
            relevant[item] = True
        keys = np.sort(np.array([_key(scores[row, item]) for item in wanted if permitted[item]], np.float64))
        wins, others = 0.0, 0
        for item in range(n):
            if permitted[item] and not relevant[item]:
                others += 1
                key = _key(scores[row, item])
                wins += len(keys) - 0.5 * (np.searchsorted(keys, key) + np.searchsorted(keys, key, "right"))
        for item in wanted:
            relevant[item] = False
        if others > 0 and len(wanted) > 0:
            area[row] = wins / (others * len(wanted))
    return area
