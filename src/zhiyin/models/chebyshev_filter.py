"""A graph filter of any shape, as a polynomial: nothing is decomposed, and nothing items × items is made."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.polynomial.chebyshev import chebfit, chebpts1
from scipy.sparse import csr_array

from zhiyin.compute.dense_product import dense_product
from zhiyin.compute.svd import strongest_directions
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.interest import chosen_items, query_interest
from zhiyin.models.columns import columns_of
from zhiyin.models.item_to_item import places_of
from zhiyin.models.low_pass import degree_normalised
from zhiyin.models.settings import require, require_half_life
from zhiyin.types import Floats, Indexes, Scores, Vectors

_BLOCK = 1 << 24  # numbers of filtered histories held at once: 64 MiB


@dataclass(kw_only=True)
class ChebyshevFilter:
    """The plateau filter of ChebyCF (Kim et al. 2025), degree-normalised.

    R = U^-1/2 X D^-item_exponent, where U and D hold the degrees of people and items, and the eigenvalues of RᵀR are
    stretched to z from -1 to 1. A history x scores x D^-in_exponent f(RᵀR) D^out_exponent, with the plateau
    f(z) = (1 + sign(z) |z|^flatness) / 2 as a Chebyshev series of the given order, summed by its recurrence. Training
    only normalises; a query costs 2 order passes over the interactions.
    """

    order: int = 5  # of the polynomial: how sharp an edge it can follow
    flatness: float = 3.0  # the more, the flatter the middle; 1: the linear filter
    item_exponent: float = 0.4  # of an item's degree, in what is filtered
    in_exponent: float = 0.4  # the more, the less a popular item of the history speaks
    out_exponent: float = 0.4  # the more, the better popular items score
    half_life_days: float | None = 90.0  # how fast an event of the query's history loses weight; None: not at all
    normalised_: csr_array = field(init=False, repr=False, compare=False)  # float32[users, c], R over its largest value
    by_item_: csr_array = field(init=False, repr=False, compare=False)  # float32[c, users], its transpose
    degrees_: Scores = field(init=False, repr=False, compare=False)  # float32[c], people of each item
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], an item's column, -1 for none

    def __post_init__(self) -> None:
        require(self, "order", self.order >= 1, ">= 1", "try 4 to 16")
        require(self, "flatness", self.flatness > 0, "> 0", "try 1 to 10")
        for name in ("item_exponent", "in_exponent", "out_exponent"):
            require(self, name, -2 <= getattr(self, name) <= 2, "from -2 to 2", "try 0 to 1")
        require_half_life(self)

    def fit(self, data: Dataset) -> Self:
        """Normalise, so that the largest eigenvalue is 1."""
        x, degrees, touched = chosen_items(data.interactions)  # [users, c], [c], [n]
        self.places_ = places_of(touched)
        self.degrees_ = degrees.astype(np.float32)
        normalised = degree_normalised(x, 0.5, degrees**-self.item_exponent)
        largest = strongest_directions(normalised, 1, np.random.default_rng(0))[1]
        normalised.data /= np.sqrt(largest[0]) if len(largest) and largest[0] > 0 else np.float32(1)
        self.normalised_, self.by_item_ = normalised, normalised.T.tocsr()
        return self

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]; see `Recommender.score`."""
        history = query_interest(queries, self.places_, self.half_life_days)  # [b, c]
        columns = columns_of(self.places_, items)  # [1 or b, m]
        scores = np.empty((len(queries), columns.shape[1]), np.float32)
        block = max(_BLOCK // max(sum(self.normalised_.shape), 1), 1)
        for first in range(0, len(queries), block):
            rows = slice(first, first + block)
            wanted = columns if len(columns) == 1 else columns[rows]
            scores[rows] = _at(self._filtered(history[rows]), wanted)
        scores[np.diff(history.indptr) == 0] = np.nan
        return scores

    def coefficients(self) -> Floats:
        """float64[order + 1]: the plateau as a Chebyshev series, interpolated at the Chebyshev points."""
        z = chebpts1(self.order + 1)
        return np.asarray(chebfit(z, (1 + np.sign(z) * np.abs(z) ** self.flatness) / 2, self.order), np.float64)

    def _filtered(self, history: csr_array) -> Scores:
        """float32[b, c]: Σ_k c_k T_k(2 RᵀR - I) of each history, by T_k = 2 z T_(k-1) - T_(k-2)."""
        series = self.coefficients().astype(np.float32)
        before: Vectors = history.toarray().T * self.degrees_[:, None] ** np.float32(-self.in_exponent)  # [c, b]
        now = self._stretched(before)
        total = series[0] * before + series[1] * now
        for coefficient in series[2:]:
            before, now = now, 2 * self._stretched(now) - before
            total += coefficient * now
        return (total * self.degrees_[:, None] ** np.float32(self.out_exponent)).T

    def _stretched(self, vectors: Vectors) -> Vectors:
        """float32[c, b]: 2 RᵀR - I of each column."""
        return 2 * dense_product(self.by_item_, dense_product(self.normalised_, vectors)) - vectors


def _at(scores: Scores, columns: Indexes) -> Scores:
    """float32[b, m]: some columns of scores [b, c], NaN for -1."""
    if scores.shape[1] == 0:
        return np.full((len(scores), columns.shape[1]), np.nan, np.float32)
    chosen = scores[:, columns[0]] if len(columns) == 1 else np.take_along_axis(scores, columns.astype(np.int64), 1)
    return np.where(columns >= 0, chosen, np.float32(np.nan))
