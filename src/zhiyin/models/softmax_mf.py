"""Matrix factorisation under a softmax over drawn items."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.sgd_kernels import softmax_pass
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.interest import log_interest, query_interest
from zhiyin.models.embedding import Embedding
from zhiyin.models.item_to_item import places_of
from zhiyin.models.settings import require, require_half_life
from zhiyin.types import Indexes, Vectors

_FOLD_IN_PASSES = 20


@dataclass(kw_only=True)
class SoftmaxMF(Embedding):
    """Matrix factorisation that tells what was chosen from what was drawn (sampled softmax; Wu et al. 2024).

    Descends Σ_(u,i) chosen w_ui (-s_ui + ln(exp s_ui + Σ_j exp s_uj)), where s_ui = u·v_i and one draw of `negatives`
    items j, even over the catalogue, serves all that a person chose. Each vector steps by its gradient over the root
    of its summed squares (AdaGrad, Duchi et al. 2011, one number for each vector); l2 draws a person's mean gradient,
    and an item as much as it is pulled, towards zero. A history is folded in by the same steps with the items held
    still, so everybody is a stranger here.
    """

    dimensions: int = 64
    epochs: int = 30
    learning_rate: float = 0.1
    l2: float = 0.03
    negatives: int = 256
    half_life_days: float | None = 90.0  # how fast an event of the query's history loses weight; None: not at all
    seed: int = 0
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], -1 for untouched
    factors_: Vectors = field(init=False, repr=False, compare=False)  # float32[c, d]

    def __post_init__(self) -> None:
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 32 to 256")
        require(self, "epochs", self.epochs >= 1, ">= 1", "try 10 to 50")
        require(self, "learning_rate", self.learning_rate > 0, "> 0", "try 0.03 to 0.3")
        require(self, "l2", self.l2 >= 0, ">= 0", "try 0.001 to 0.1")
        require(self, "negatives", self.negatives >= 1, ">= 1", "try 64 to 1024")
        require_half_life(self)

    def fit(self, data: Dataset) -> Self:
        """Descend, a pass over all people at a time."""
        interest = log_interest(data.interactions)
        touched = np.bincount(interest.indices, minlength=interest.shape[1]) > 0
        self.places_ = places_of(touched)
        x = interest[:, touched]  # [users, c]
        rng = np.random.default_rng(self.seed)
        deviation = np.float32(0.1 / np.sqrt(self.dimensions))
        self.factors_ = deviation * rng.standard_normal((x.shape[1], self.dimensions), np.float32)
        people = deviation * rng.standard_normal((x.shape[0], self.dimensions), np.float32)
        speeds = np.full(len(people), 1e-6, np.float32), np.full(len(self.factors_), 1e-6, np.float32)
        for epoch in range(self.epochs):
            rate = self.learning_rate * (1 - epoch / self.epochs)
            self._pass(x, rng.permutation(len(people)).astype(np.int32), people, speeds, rate, epoch, learn_items=True)
        self.item_vectors_ = np.full((len(touched), self.dimensions), np.nan, np.float32)
        self.item_vectors_[touched] = self.factors_
        return self

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]; NaN for a history without a known item."""
        history = query_interest(queries, self.places_, self.half_life_days)  # [b, c]
        people = np.zeros((len(queries), self.dimensions), np.float32)
        for row in range(len(queries)):  # each with random numbers of its own: a batch equals its rows
            speeds = np.full(1, 1e-6, np.float32), np.empty(0, np.float32)
            for turn in range(_FOLD_IN_PASSES):
                alone, rate = history[row : row + 1], self.learning_rate * (1 - turn / _FOLD_IN_PASSES)
                order = np.zeros(1, np.int32)
                self._pass(alone, order, people[row : row + 1], speeds, rate, turn, learn_items=False)
        people[np.diff(history.indptr) == 0] = np.nan
        return people

    def _pass(
        self, x: csr_array, order: Indexes, people: Vectors, speeds: tuple[Vectors, Vectors], rate: float, turn: int,
        *, learn_items: bool,
    ) -> None:  # fmt: skip
        seed = (self.seed + 1) * 1_000_003 + turn
        softmax_pass(
            order, x.indptr, x.indices, x.data, people, self.factors_, *speeds, self.negatives, rate,
            self.l2, learn_items, seed,
        )  # fmt: skip
