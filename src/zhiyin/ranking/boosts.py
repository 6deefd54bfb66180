"""More or less of what the shop says, without leaving the person out of account."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zhiyin.ranking.candidates import FALLBACK, Candidates, ordered
from zhiyin.ranking.masks import Masks

LEAST_FACTOR, MOST_FACTOR = 0.01, 100.0


def boosted(found: Candidates, lifts: NDArray[np.float32]) -> Candidates:
    """The candidates in the order of score + scale × lift; a lift [b, m] is the sum of the logarithms of the factors.

    The scale is the standard deviation of what was proposed for the query, so that exp(score / scale) is multiplied by
    the factor: with a choice in proportion to it (a softmax), an item with factor 2 would be chosen twice as often
    against the others as without. A factor above 1 therefore always lifts, of a negative score too, a greater one
    lifts higher, and two factors of one item multiply.
    """
    known = found.items >= 0
    proposed = known & (found.origins != _fallback(found.origin_names))
    proposed = np.where(proposed.sum(axis=1, keepdims=True) > 1, proposed, known)
    scale = _deviation(np.where(known, found.scores, 0.0), proposed)  # [b, 1]
    scores = np.where(known, found.scores + scale * lifts, -np.inf).astype(np.float32)
    places = ordered(found.items, scores, scores.shape[1])
    return Candidates(
        np.take_along_axis(found.items, places, axis=1),
        np.take_along_axis(scores, places, axis=1),
        np.take_along_axis(found.origins, places, axis=1),
        found.origin_names,
    )


def lifts_of(found: Candidates, boosts: Sequence[tuple[str, float]], masks: Masks) -> NDArray[np.float32]:
    """float32[b, m]: the logarithms of all factors whose condition holds, added up."""
    places, lifts = np.maximum(found.items, 0), np.zeros(found.items.shape, np.float32)
    for condition, factor in boosts:
        lifts += masks.matching(condition)[places] * np.float32(np.log(factor))
    return lifts


def _deviation(scores: NDArray[np.float64], among: NDArray[np.bool_]) -> NDArray[np.float64]:
    """float64[b, 1]; 1 where all are equal, so that a boost still decides."""
    counts = np.maximum(among.sum(axis=1, keepdims=True), 1)
    means = np.where(among, scores, 0.0).sum(axis=1, keepdims=True) / counts
    apart = np.where(among, scores - means, 0.0)
    scale: NDArray[np.float64] = np.sqrt((apart**2).sum(axis=1, keepdims=True) / counts)
    return np.where(scale > 1e-6 * np.abs(means), scale, 1.0)  # what differs by rounding alone is equal


def _fallback(names: Sequence[str]) -> int:
    return names.index(FALLBACK) if FALLBACK in names else -2
