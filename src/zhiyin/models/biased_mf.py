"""Matrix factorisation of ratings."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from zhiyin.compute.sgd_kernels import rating_pass
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.models.item_to_item import places_of
from zhiyin.models.settings import require
from zhiyin.types import Floats, Indexes, Scores, Vectors


@dataclass(kw_only=True)
class BiasedMF:
    """rating = μ + b_u + b_i + p_u·q_i (Koren, Bell and Volinsky 2009, equation 4), learned a rating at a time.

    Gradient descent on Σ (r_ui - rating)² + l2 (|p_u|² + |q_i|²) + bias_l2 (b_u² + b_i²), summed over the ratings
    (equation 5). A history is folded in as the exact least of the same sum with the items held still, which is a
    ridge regression, so everybody is a stranger here. Without any rating in training all is NaN.
    """

    dimensions: int = 100
    epochs: int = 60
    learning_rate: float = 0.02  # falls to zero in a straight line
    l2: float = 0.1
    bias_l2: float = 0.02
    seed: int = 0
    mean_: float = field(init=False, repr=False, compare=False)
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], -1 for an item that nobody rated
    factors_: Vectors = field(init=False, repr=False, compare=False)  # float32[c, d + 1]: q_i and 1
    biases_: Scores = field(init=False, repr=False, compare=False)  # float32[c]

    def __post_init__(self) -> None:
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 10 to 200")
        require(self, "epochs", self.epochs >= 1, ">= 1", "try 20 to 100")
        require(self, "learning_rate", self.learning_rate > 0, "> 0", "try 0.005 to 0.03")
        require(self, "l2", self.l2 > 0, "> 0", "try 0.02 to 0.2")
        require(self, "bias_l2", self.bias_l2 > 0, "> 0", "try 0.01 to 0.1")

    def fit(self, data: Dataset) -> Self:
        """Descend, a pass over all ratings at a time."""
        log = data.interactions
        rated = np.isfinite(log.values)
        users, items, ratings = log.users[rated], log.items[rated], log.values[rated]
        known = np.bincount(items, minlength=log.n_items) > 0
        self.places_, self.mean_ = places_of(known), float(ratings.mean()) if len(ratings) else float("nan")
        rng, residuals = np.random.default_rng(self.seed), (ratings - self.mean_).astype(np.float32)
        vectors, people = self._start(rng, int(known.sum())), self._start(rng, log.n_users)
        self.biases_, user_biases = np.zeros(len(vectors), np.float32), np.zeros(len(people), np.float32)
        for epoch in range(self.epochs):
            rate = self.learning_rate * (1 - epoch / self.epochs)
            order = rng.permutation(len(ratings)).astype(np.int32)
            rating_pass(
                order, users, self.places_[items], residuals, people, vectors, user_biases, self.biases_, rate,
                self.l2, self.bias_l2,
            )  # fmt: skip
        self.factors_ = np.column_stack([vectors, np.ones(len(vectors), np.float32)])
        return self

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m], the ratings; NaN for an item that nobody rated, because nothing tells it from another."""
        places = self.places_ if items is None else np.where(items >= 0, self.places_[items], np.int32(-1))
        ratings = self._ratings(queries, np.broadcast_to(places, (len(queries), places.shape[-1])))
        return np.where(places >= 0, ratings, np.float32(np.nan))

    def rate(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m], on the scale of the data; an item that nobody rated is taken for an average one."""
        ratings = self._ratings(queries, self.places_[items])
        return np.where(items >= 0, ratings, np.float32(np.nan))

    def _ratings(self, queries: Queries, places: Indexes) -> Scores:
        """float32[b, m]: the rating at each place; at -1 that of an average item."""
        vectors = self._fold_in(queries)  # [b, d + 1]
        factors = np.vstack([self.factors_, np.eye(1, self.factors_.shape[1], self.dimensions, dtype=np.float32)])
        biases = np.append(self.biases_, np.float32(0)) + np.float32(self.mean_)
        return np.stack([
            factors[row] @ vector + biases[row] for row, vector in zip(places, vectors, strict=True)
        ]) if len(places) else np.empty(places.shape, np.float32)  # fmt: skip

    def _fold_in(self, queries: Queries) -> Vectors:
        """float32[b, d + 1]: p_u and b_u, zero without a rating."""
        past, vectors = queries.histories, np.zeros((len(queries), self.dimensions + 1), np.float32)
        known = (past.items >= 0) & (past.items < len(self.places_)) & np.isfinite(past.values)
        known[known] = self.places_[past.items[known]] >= 0
        ridge = np.append(np.full(self.dimensions, self.l2), self.bias_l2)
        for row, (first, last) in enumerate(zip(past.offsets, past.offsets[1:], strict=False)):
            rated = np.arange(first, last)[known[first:last]]
            if len(rated):
                places = self.places_[past.items[rated]]
                residuals = past.values[rated].astype(np.float64) - self.mean_ - self.biases_[places]
                vectors[row] = _ridge_regression(self.factors_[places].astype(np.float64), residuals, ridge)
        return vectors

    def _start(self, rng: np.random.Generator, rows: int) -> Vectors:
        return rng.standard_normal((rows, self.dimensions), np.float32) * np.float32(0.1 / np.sqrt(self.dimensions))


def _ridge_regression(x: Floats, y: Floats, ridge: Floats) -> Floats:
    """float64[d]: the least of Σ_t ((y_t - w·x_t)² + ridge·w²); each rating pays, as in training."""
    solution: Floats = np.linalg.solve(x.T @ x + len(y) * np.diag(ridge), x.T @ y).astype(np.float64)
    return solution
