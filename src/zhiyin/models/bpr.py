"""Bayesian personalised ranking."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.sgd_kernels import bpr_pass
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.interest import log_interest, query_interest
from zhiyin.models.embedding import Embedding
from zhiyin.models.item_to_item import places_of
from zhiyin.models.settings import require, require_half_life
from zhiyin.types import Indexes, Scores, Vectors

_FOLD_IN_PASSES = 20
_FOLD_IN_RATE = 0.1  # of the learning rate at the start of training


@dataclass(kw_only=True)
class BPR(Embedding):
    """Matrix factorisation that sets what was chosen above what was not (Rendle et al. 2009).

    Gradient ascent on Σ ln σ(s_ui - s_uj) - l2/2 |·|² with s_ui = u·v_i + b_i, where i was chosen and j is the best
    scored of `negatives` items drawn at random that were not (Zhang et al. 2013; 1 is the even draw of 2009). A
    history is folded in by the same steps with the items held still, so everybody is a stranger here.
    """

    dimensions: int = 64
    epochs: int = 30
    learning_rate: float = 0.3  # falls to zero in a straight line
    l2: float = 0.01
    negatives: int = 16
    half_life_days: float | None = 90.0  # how fast an event of the query's history loses weight; None: not at all
    seed: int = 0
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], -1 for untouched
    factors_: Vectors = field(init=False, repr=False, compare=False)  # float32[c, d]
    biases_: Scores = field(init=False, repr=False, compare=False)  # float32[c]

    def __post_init__(self) -> None:
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 32 to 256")
        require(self, "epochs", self.epochs >= 1, ">= 1", "try 20 to 100")
        require(self, "learning_rate", self.learning_rate > 0, "> 0", "try 0.03 to 0.5")
        require(self, "l2", self.l2 >= 0, ">= 0", "try 0.001 to 0.1")
        require(self, "negatives", self.negatives >= 1, ">= 1", "try 1 to 16")
        require_half_life(self)

    def fit(self, data: Dataset) -> Self:
        """Climb, a pass over all that was chosen at a time."""
        interest = log_interest(data.interactions)
        touched = np.bincount(interest.indices, minlength=interest.shape[1]) > 0
        self.places_ = places_of(touched)
        x = interest[:, touched]  # [users, c]
        rng = np.random.default_rng(self.seed)
        self.factors_ = self._start(rng, x.shape[1])
        self.biases_ = np.zeros(x.shape[1], np.float32)
        people = self._start(rng, x.shape[0])
        for epoch in range(self.epochs):
            rate = self.learning_rate * (1 - epoch / self.epochs)
            self._pass(x, rng.permutation(x.nnz).astype(np.int32), people, rate, epoch, learn_items=True)
        self.item_vectors_ = np.full((len(touched), self.dimensions + 1), np.nan, np.float32)
        self.item_vectors_[touched] = np.column_stack([self.factors_, self.biases_])
        return self

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d + 1], the last for the bias; NaN for a history without a known item."""
        history = query_interest(queries, self.places_, self.half_life_days)  # [b, c]
        people = np.zeros((len(queries), self.dimensions), np.float32)
        for row in range(len(queries)):  # each with random numbers of its own: a batch equals its rows
            alone = history[row : row + 1]
            order = np.tile(np.arange(alone.nnz, dtype=np.int32), _FOLD_IN_PASSES)
            self._pass(alone, order, people[row : row + 1], _FOLD_IN_RATE * self.learning_rate, 0, learn_items=False)
        vectors = np.column_stack([people, np.ones(len(people), np.float32)])
        vectors[np.diff(history.indptr) == 0] = np.nan
        return vectors

    def _start(self, rng: np.random.Generator, rows: int) -> Vectors:
        return rng.standard_normal((rows, self.dimensions), np.float32) * np.float32(0.1 / np.sqrt(self.dimensions))

    def _pass(
        self, x: csr_array, order: Indexes, people: Vectors, rate: float, epoch: int, *, learn_items: bool
    ) -> None:
        rows = np.repeat(np.arange(x.shape[0], dtype=np.int32), np.diff(x.indptr))
        seed = (self.seed + 1) * 1_000_003 + epoch
        bpr_pass(
            order, rows, x.indptr, x.indices, x.data, people, self.factors_, self.biases_, self.negatives, rate,
            self.l2, learn_items, seed,
        )  # fmt: skip
