"""Some items are rated higher than others, and some people rate higher than others."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.models.columns import shared
from zhiyin.models.settings import require
from zhiyin.types import Indexes, Scores


@dataclass(kw_only=True)
class RatingBaseline:
    """rating = μ + b_i + b_u (Koren 2010, section 2.1).

    b_i = Σ_u (r_ui - μ) / (item_shrinkage + |R(i)|) is learned; b_u = Σ_i (r_ui - μ - b_i) / (user_shrinkage + |R(u)|)
    is folded in from the ratings in the query's history. Without any rating in training all is NaN.
    """

    item_shrinkage: float = 5.0  # λ2 in the paper, 25 for the many ratings of Netflix; 2 to 5 is best on ML-100K
    user_shrinkage: float = 5.0  # λ3 in the paper, 10 on Netflix
    item_biases_: Scores = field(init=False, repr=False, compare=False)  # float32[n]; NaN: nobody rated it
    mean_: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require(self, "item_shrinkage", self.item_shrinkage >= 0, ">= 0", "try 1 to 30")
        require(self, "user_shrinkage", self.user_shrinkage >= 0, ">= 0", "try 1 to 30")

    def fit(self, data: Dataset) -> Self:
        """Average the ratings."""
        log = data.interactions
        rated = np.isfinite(log.values)
        items, ratings = log.items[rated], log.values[rated].astype(np.float64)
        self.mean_ = float(ratings.mean()) if len(ratings) else float("nan")
        biases, counts = _shrunk(ratings - self.mean_, items, log.n_items, self.item_shrinkage)
        self.item_biases_ = np.where(counts > 0, biases, np.nan).astype(np.float32)
        return self

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m], the ratings; NaN for an item that nobody rated, because nothing tells it from another."""
        biases = self._user_biases(queries)[:, None] + shared(self.item_biases_, len(queries), items)
        return np.float32(self.mean_) + biases

    def rate(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m], on the scale of the data; an item that nobody rated is taken for an average one."""
        biases = np.where(items >= 0, np.nan_to_num(self.item_biases_)[items], np.float32(np.nan))
        return np.float32(self.mean_) + self._user_biases(queries)[:, None] + biases

    def _user_biases(self, queries: Queries) -> NDArray[np.float32]:
        """float32[b]."""
        histories = queries.histories
        known = (histories.items >= 0) & (histories.items < len(self.item_biases_)) & np.isfinite(histories.values)
        expected = self.mean_ + np.nan_to_num(self.item_biases_)[histories.items[known]]
        biases, _ = _shrunk(
            histories.values[known] - expected, histories.rows[known], len(queries), self.user_shrinkage
        )
        return biases.astype(np.float32)


def _shrunk(
    residuals: NDArray[np.floating], groups: NDArray[np.integer], size: int, shrinkage: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """float64[size], the mean of each group's residuals drawn to zero, and int64[size], how many there are."""
    counts = np.bincount(groups, minlength=size)
    return np.bincount(groups, residuals, size) / np.maximum(counts + shrinkage, 1e-9), counts
