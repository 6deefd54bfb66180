"""Non-negative factors: topics that a person can read."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.kernels import top_k
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.interest import chosen_items, query_interest
from zhiyin.models.embedding import Embedding
from zhiyin.models.settings import require, require_half_life
from zhiyin.types import Indexes, Scores, Vectors

_LEAST = np.float32(1e-8)  # a factor at zero could never rise again
_FOLD_IN_SWEEPS = 100


@dataclass(kw_only=True)
class NMF(Embedding):
    """Non-negative matrix factorisation X ≈ W H, whose rows of H are topics (Lee and Seung 2001).

    Least |X - W H|² + l1 Σ W for W, H >= 0, one topic at a time in closed form while the others stand still
    (fast hierarchical alternating least squares, Cichocki and Phan 2009): w_t = max(0, w_t + (X h_t - W H h_t - l1/2) /
    h_t·h_t), then the same for H. The dense people × items is never made. A history is folded in by the same update of
    W with H held still.
    """

    dimensions: int = 64  # topics
    l1: float = 0.1  # fewer topics for each person
    epochs: int = 30
    half_life_days: float | None = 90.0  # how fast an event of the query's history loses weight; None: not at all
    seed: int = 0
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], an item's own index, -1 for untouched
    gram_: Vectors = field(init=False, repr=False, compare=False)  # float32[d, d], H Hᵀ

    def __post_init__(self) -> None:
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 16 to 128")
        require(self, "l1", self.l1 >= 0, ">= 0", "try 0 to 1")
        require(self, "epochs", self.epochs >= 1, ">= 1", "try 20 to 100")
        require_half_life(self)

    def fit(self, data: Dataset) -> Self:
        """Sweep over people and items in turn; each topic's share of the catalogue has length 1 in the end."""
        x, _, touched = chosen_items(data.interactions)  # [m, c], [n]
        items = self._items_of(x)
        self.gram_ = items.T @ items
        self.places_ = np.where(touched, np.arange(len(touched)), -1).astype(np.int32)
        self.item_vectors_ = np.full((len(touched), self.dimensions), np.nan, np.float32)
        self.item_vectors_[touched] = items
        return self

    def _items_of(self, x: csr_array) -> Vectors:
        """float32[c, d]: Hᵀ, the strongest topic first."""
        rng = np.random.default_rng(self.seed)
        people = rng.random((x.shape[0], self.dimensions), np.float32)  # W
        items = rng.random((x.shape[1], self.dimensions), np.float32)  # Hᵀ
        for _ in range(self.epochs):
            items /= _lengths(items)  # the size of a topic is the people's: l1 cannot be evaded
            _improve(people, x @ items, items.T @ items, self.l1)
            _improve(items, x.T @ people, people.T @ people, 0.0)  # scipy turns x in its product: no copy of it
        items /= _lengths(items)
        order = np.argsort(-_strengths(x, people, items, self.l1), kind="stable")
        return np.take(items, order, axis=1)

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]: how much each topic says of each history; NaN for a history without a known item."""
        history = query_interest(queries, self.places_, self.half_life_days)  # [b, <= n]
        known = np.nan_to_num(self.item_vectors_[: history.shape[1]])
        people = np.zeros((len(queries), self.dimensions), np.float32)
        image = np.asarray(history @ known, np.float32)
        for _ in range(_FOLD_IN_SWEEPS):
            _improve(people, image, self.gram_, self.l1)
        people[np.diff(history.indptr) == 0] = np.nan
        return people

    def topics(self, k: int = 10) -> tuple[Indexes, Scores]:
        """int32[d, k] and float32[d, k]: the k items that weigh most in each topic, and their weights; -1 past the end.

        The topics that explain most come first.
        """
        return top_k(np.ascontiguousarray(self.item_vectors_.T), k)


def _lengths(items: Vectors) -> Scores:
    """float32[d]: of each topic, without the passing copies that numpy's norm makes."""
    return np.sqrt(np.einsum("nd,nd->d", items, items))


def _improve(factors: Vectors, image: Vectors, gram: Vectors, l1: float) -> None:
    """One closed-form step for each topic of one side: image = X @ others, gram = othersᵀ @ others."""
    for topic in range(gram.shape[0]):
        slope = image[:, topic] - factors @ gram[:, topic] - np.float32(l1 / 2)
        factors[:, topic] = np.maximum(factors[:, topic] + slope / np.maximum(gram[topic, topic], _LEAST), _LEAST)


def _strengths(x: csr_array, people: Vectors, items: Vectors, l1: float) -> Scores:
    """float32[d]: how much of all choices each topic explains."""
    _improve(people, x @ items, items.T @ items, l1)
    return people.sum(axis=0) * items.sum(axis=0)
