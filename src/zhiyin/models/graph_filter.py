"""A linear filter for near neighbours and a low-pass filter for what many agree on, added up."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.kernels import top_neighbours
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.interest import chosen_items
from zhiyin.models.item_to_item import ItemToItem, places_of
from zhiyin.models.low_pass import LowPass, degree_normalised
from zhiyin.models.reading import Reading, Scored
from zhiyin.models.settings import require
from zhiyin.types import Indexes, Mask, Scores, Vectors


@dataclass(kw_only=True)
class GraphFilter(ItemToItem):
    """Graph filtering (Shen et al. 2021, GF-CF): x W + low_pass · x F, two filters of a history x.

    W = D^-in_exponent Xᵀ U^-user_exponent X D^-out_exponent, where U and D hold the degrees of people and items, is
    the linear filter, of which each item keeps its `neighbours` largest weights; GF-CF has U^-1 and halves. F is
    `LowPass` of the same data. Both are scaled to the same Frobenius norm, so that `low_pass` is a ratio of strengths.
    """

    neighbours: int = 300  # more hardly helps: 400 of 41,000 items lost 0.3 % of the recall of all on Gowalla
    user_exponent: float = 1.0  # the more, the less a busy person speaks; 1: a person's items share one voice
    in_exponent: float = 0.65  # the more, the less a popular item of the history speaks
    out_exponent: float = 0.25  # the more, the worse popular items score
    low_pass: float = 1.0  # strength of the low-pass filter beside the linear one; 0: the linear one alone
    dimensions: int = 256  # of the low-pass filter
    sharpness: float = 0.25  # of the low-pass filter
    seed: int = 0
    low_pass_: LowPass | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "neighbours", self.neighbours >= 1, ">= 1", "try 100 to 500")
        for name in ("user_exponent", "in_exponent", "out_exponent"):
            require(self, name, -2 <= getattr(self, name) <= 2, "from -2 to 2", "try 0 to 1")
        require(self, "low_pass", self.low_pass >= 0, ">= 0", "try 0 to 2")
        self._low_pass()

    def fit(self, data: Dataset) -> Self:
        """Keep the strongest weights of the linear filter, and decompose for the low-pass filter."""
        self.weights_, touched = self._linear(data)
        self.places_ = places_of(touched)
        self.low_pass_ = None
        if self.low_pass > 0:
            self.low_pass_ = self._low_pass().fit(data)
            known = self.low_pass_.item_vectors_[touched]
            self.low_pass_.inputs_ *= np.float32(self.low_pass / _product_norm(self.low_pass_.inputs_, known))
        return self

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]; see `Recommender.score`."""
        near = super().score(queries, items)
        if self.low_pass_ is None:
            return near
        return self.low_pass_.score(queries, items) + np.nan_to_num(near)  # far off items have no neighbour's opinion

    def explain(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m, t]; see `Explains.explain`."""
        near = super().explain(queries, items)
        return near if self.low_pass_ is None else self.low_pass_.explain(queries, items) + np.nan_to_num(near)

    def reading(self, queries: Queries) -> Reading:
        """See `Reads.reading`."""
        return super().reading(queries) if self.low_pass_ is None else Scored(self.score(queries))

    def _linear(self, data: Dataset) -> tuple[csr_array, Mask]:
        """The strongest weights of the linear filter [c, c], and which items they are of [n]."""
        x, degrees, touched = chosen_items(data.interactions)  # [users, c], [c], [n]
        norms = (degrees**self.in_exponent).astype(np.float32), (degrees**self.out_exponent).astype(np.float32)
        shared = degree_normalised(x, self.user_exponent / 2, np.ones(x.shape[1]))
        weights = top_neighbours(shared, self.neighbours, 0.0, norms)
        weights.data /= _norm(weights)
        return weights, touched

    def _low_pass(self) -> LowPass:
        return LowPass(
            dimensions=self.dimensions, sharpness=self.sharpness, half_life_days=self.half_life_days, seed=self.seed
        )


def _norm(weights: csr_array) -> np.float32:
    return np.float32(np.linalg.norm(weights.data) or 1.0)


def _product_norm(inputs: Vectors, outputs: Vectors) -> float:
    """The Frobenius norm of inputs @ outputsᵀ [c, c], which is never made."""
    return float(np.sqrt(max(np.sum((inputs.T @ inputs) * (outputs.T @ outputs)), 0.0))) or 1.0
