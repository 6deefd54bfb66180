"""The compiled loop of Gibbs sampling in a factorisation: one factor of one side, a weight at a time.

One thread, one order, so that a seed says everything. The slow, obvious twin stands in the tests.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.types import Floats, Offsets

Rows = NDArray[np.signedinteger[Any]]
_FAST = {"reassoc", "contract", "nsz", "arcp"}  # sums in any order; NaN stays NaN


@njit(cache=True, nogil=True, fastmath=_FAST)
def draw_weights(
    features: tuple[Rows, Rows, Floats], ratings: tuple[Offsets, Rows, Rows], errors: Floats, other: Floats,
    trusts: Floats, priors: tuple[Floats, Floats], normals: Floats, weights: Floats, factor: Floats,
) -> None:  # fmt: skip
    """Draw each weight from its conditional distribution, one after the other, as in libFM (Rendle 2012, section 3).

    A row of this side has factor = Σ_j feature_j weight_j, and a rating is predicted as … + factor · other. What the
    ratings say of a row is two sums, so that a weight costs its column of features and not all ratings of its rows.

    Parameters
    ----------
    features
        [rows, features] as the three parts of a csc matrix: where columns start, rows, values.
    ratings
        Where the ratings of each row start; of each, the row of the other side and its place in `errors`.
    errors
        float64[ratings]: rating - prediction; changed in place.
    other
        float64[rows of the other side]: the same factor there.
    trusts
        float64[ratings]: the precision of each rating, at its place.
    priors
        Two float64[features]: the mean and the precision that each weight has before any rating.
    normals
        float64[features]: the chance in the draw.
    weights, factor
        float64[features], float64[rows]; changed in place.
    """
    (starts, rows, values), (means, precisions) = features, priors
    squares, products = _sums(ratings, errors, trusts, other)
    change = np.zeros(len(factor))
    for j in range(len(weights)):
        square, product = 0.0, 0.0
        for at in range(starts[j], starts[j + 1]):
            square += values[at] * values[at] * squares[rows[at]]
            product += values[at] * products[rows[at]]
        precision = precisions[j] + square
        mean = (precisions[j] * means[j] + product + weights[j] * square) / precision
        step = mean + normals[j] / np.sqrt(precision) - weights[j]
        weights[j] += step
        for at in range(starts[j], starts[j + 1]):
            products[rows[at]] -= values[at] * step * squares[rows[at]]
            change[rows[at]] += values[at] * step
    _apply(ratings, change, other, errors)
    factor += change


@njit(cache=True, nogil=True, fastmath=_FAST)
def _sums(ratings: tuple[Offsets, Rows, Rows], errors: Floats, trusts: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Σ trust · other² and Σ trust · error · other over the ratings of each row."""
    offsets, others, places = ratings
    squares, products = np.empty(len(offsets) - 1), np.empty(len(offsets) - 1)
    for row in range(len(squares)):
        square, product = 0.0, 0.0
        for at in range(offsets[row], offsets[row + 1]):
            value, place = other[others[at]], places[at]
            square += trusts[place] * value * value
            product += trusts[place] * errors[place] * value
        squares[row], products[row] = square, product
    return squares, products


@njit(cache=True, nogil=True, fastmath=_FAST)
def _apply(ratings: tuple[Offsets, Rows, Rows], change: Floats, other: Floats, errors: Floats) -> None:
    """Take what the factor of each row has gained out of the errors."""
    offsets, others, places = ratings
    for row in range(len(change)):
        for at in range(offsets[row], offsets[row + 1]):
            errors[places[at]] -= change[row] * other[others[at]]
