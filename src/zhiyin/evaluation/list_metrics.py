"""What lists do besides hitting: how much of the catalogue they show, how obvious, how alike, how unequal they are.

Lists are int32[b, k], best first, −1 = padding. None of these needs to know what was wanted.
"""

import numpy as np
from numpy.typing import NDArray

from zhiyin.types import Floats, Indexes, Mask, Vectors


def exposure(recommended: Indexes, n_items: int) -> NDArray[np.int64]:
    """int64[n]: in how many places each item is shown."""
    return np.bincount(recommended[recommended >= 0], minlength=n_items)


def coverage(exposures: NDArray[np.int64]) -> float:
    """The share of the catalogue that is shown to anybody."""
    return float(np.mean(exposures > 0)) if len(exposures) else np.nan


def gini(exposures: NDArray[np.int64]) -> float:
    """How unequally items are shown: 0 all alike, towards 1 a single one; NaN when nothing is shown."""
    n, total = len(exposures), exposures.sum()
    if total == 0:
        return np.nan
    ranks = np.arange(1, n + 1)
    return float(((2 * ranks - n - 1) * np.sort(exposures)).sum() / (n * total))


def personalisation(exposures: NDArray[np.int64], n_lists: int, k: int) -> float:
    """1 − the mean share of k places that two people's lists have in common: 0 = everybody sees the same."""
    if n_lists < 2:
        return np.nan
    shared = (exposures * (exposures - 1)).sum() / (n_lists * (n_lists - 1))
    return float(1.0 - shared / k)


def novelty(recommended: Indexes, touched_by: NDArray[np.integer], n_users: int) -> Floats:
    """float64[b]: mean surprise −log2 p of the items shown, in bits; p is the share of training users who touched it.

    An item that nobody touched counts as touched by one, which bounds its surprise by log2(n_users)
    (Zhou et al. 2010, "Solving the apparent diversity-accuracy dilemma"). NaN for an empty list.
    """
    shares = np.maximum(touched_by, 1) / max(n_users, 1)
    return _mean_over_list(-np.log2(shares), recommended)


def average_popularity(recommended: Indexes, touched_by: NDArray[np.integer]) -> Floats:
    """float64[b]: how many training users touched the items shown, on average (ARP); NaN for an empty list."""
    return _mean_over_list(touched_by.astype(np.float64), recommended)


def vector_diversity(recommended: Indexes, vectors: Vectors) -> Floats:
    """float64[b]: mean cosine distance over the pairs of a list, 0 = all alike.

    vectors is float32[n, d]; an item whose vector is zero or not finite is left out. NaN below two items.
    """
    norms = np.linalg.norm(vectors, axis=1)
    known = np.isfinite(norms) & (norms > 0)
    units = np.where(known[:, None], vectors, 0) / np.where(known, norms, 1)[:, None]
    shown = (recommended >= 0) & known[recommended]
    total = np.zeros((len(recommended), vectors.shape[1]))
    for place in range(recommended.shape[1]):  # one place of every list at a time keeps memory at [b, d]
        total += np.where(shown[:, place, None], units[recommended[:, place]], 0)
    m = shown.sum(axis=1)
    alike = (total**2).sum(axis=1) - m  # |Σu|² = m + Σ_{i≠j} cos(i, j)
    return 1.0 - _over_pairs(alike, m)


def category_diversity(recommended: Indexes, categories: Indexes) -> Floats:
    """float64[b]: the share of a list's pairs that differ in category (int32[n], −1 unknown: left out)."""
    codes = np.where(recommended >= 0, categories[recommended], -1)  # [b, k]
    same = np.zeros(len(codes), np.int64)
    for apart in range(1, codes.shape[1]):
        same += ((codes[:, apart:] == codes[:, :-apart]) & (codes[:, apart:] >= 0)).sum(axis=1)
    return 1.0 - _over_pairs(2.0 * same, (codes >= 0).sum(axis=1))


def _over_pairs(alike: NDArray[np.floating], m: NDArray[np.integer]) -> Floats:
    return np.divide(alike, m * (m - 1), out=np.full(len(m), np.nan), where=m > 1)


def _mean_over_list(values: Floats, recommended: Indexes) -> Floats:
    shown: Mask = recommended >= 0
    totals = np.where(shown, values[recommended], 0.0).sum(axis=1)
    return np.divide(totals, shown.sum(axis=1), out=np.full(len(totals), np.nan), where=shown.any(axis=1))
