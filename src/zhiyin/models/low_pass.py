"""Only what many people agree on: the smooth part of the graph of people and items."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.dense_product import product_of_rows
from zhiyin.compute.svd import strongest_directions
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.interest import chosen_items, event_interest, query_rows
from zhiyin.models.embedding import Embedding
from zhiyin.models.item_to_item import places_of
from zhiyin.models.settings import require, require_half_life
from zhiyin.types import Floats, Indexes, Scores, Vectors


@dataclass(kw_only=True)
class LowPass(Embedding):
    """The ideal low-pass filter of graph signal processing (Shen et al. 2021, GF-CF, equation 9), generalised.

    R = U^-user_exponent X D^-item_exponent, where U and D hold the degrees of people and items, has the first right
    singular vectors V and squared singular values s. A history x scores x D^-in_exponent V s^sharpness Vᵀ
    D^out_exponent. GF-CF has all four exponents at a half and a sharpness of 0 (every direction passes alike); a
    sharpness of 1 is the linear filter of the same rank, between them lies a soft edge, as in the plateau of ChebyCF
    (Kim et al. 2025, section 4.2).
    """

    dimensions: int = 256  # more for large catalogues with many tastes: 1024 on Gowalla
    user_exponent: float = 0.5  # of a person's degree, in what is decomposed
    item_exponent: float = 0.4  # of an item's degree, in what is decomposed
    in_exponent: float = 0.4  # the more, the less a popular item of the history speaks
    out_exponent: float = 0.2  # the more, the better popular items score
    sharpness: float = 0.25  # 0: every direction passes alike; 1: as strongly as people agree on it
    half_life_days: float | None = 90.0  # how fast an event of the query's history loses weight; None: not at all
    seed: int = 0
    inputs_: Vectors = field(init=False, repr=False, compare=False)  # float32[c, d]
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], an item's row in inputs_, -1 for none

    def __post_init__(self) -> None:
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 64 to 1024")
        for name in ("user_exponent", "item_exponent", "in_exponent", "out_exponent"):
            require(self, name, -2 <= getattr(self, name) <= 2, "from -2 to 2", "try 0 to 1")
        require(self, "sharpness", 0 <= self.sharpness <= 4, "from 0 to 4", "try 0 to 1")
        require_half_life(self)

    def fit(self, data: Dataset) -> Self:
        """Decompose the normalised matrix."""
        x, degrees, touched = chosen_items(data.interactions)  # [users, c], [c], [n]
        self.places_ = places_of(touched)
        rng = np.random.default_rng(self.seed)
        vectors, energies = strongest_directions(
            degree_normalised(x, self.user_exponent, degrees**-self.item_exponent), self.dimensions, rng
        )
        passed = energies.astype(np.float64) ** self.sharpness if self.sharpness else np.ones(len(energies))  # [d]
        self.inputs_ = vectors * _column(degrees**-self.in_exponent)
        self.inputs_ *= passed.astype(np.float32)
        vectors *= _column(degrees**self.out_exponent)
        self.item_vectors_ = np.full((len(touched), len(energies)), np.nan, np.float32)
        self.item_vectors_[touched] = vectors
        return self

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]; a history without a known item is NaN."""
        history = query_rows(queries, self.places_, self.half_life_days)  # [b, c]
        vectors = product_of_rows(history, self.inputs_)
        vectors[np.diff(history[0]) == 0] = np.nan
        return vectors

    def explain(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m, t]; see `Explains.explain`."""
        voices, interest, _ = event_interest(queries, self.places_, self.half_life_days)  # [b, t]
        return self._contributions(self.inputs_[voices] * interest[:, :, None], items)


def _column(weights: Floats) -> Vectors:
    """float32[c, 1]: so that a product with vectors is float32 throughout."""
    return weights.astype(np.float32)[:, None]


def degree_normalised(x: csr_array, user_exponent: float, column_weights: Floats) -> csr_array:
    """float32[users, c], sparse: each row by its number of entries to the power -user_exponent, each column weighed."""
    degrees = np.diff(x.indptr)
    data = np.repeat(np.maximum(degrees, 1).astype(np.float64) ** -user_exponent, degrees)
    data *= x.data  # in place: three such arrays at once would be more than the rest of a training takes
    data *= column_weights[x.indices]
    return csr_array((data.astype(np.float32), x.indices, x.indptr), shape=x.shape)
