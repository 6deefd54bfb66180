"""What is wanted more than before."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.features.recency import halved
from zhiyin.models.columns import shared
from zhiyin.models.settings import require
from zhiyin.types import Floats, Indexes, Scores


@dataclass(kw_only=True)
class Trending:
    """The weight of an item's last days against what was to be expected from before.

    Two sums that forget at different speeds, as in SigniTrend (Schubert, Weiler, Kriegel, KDD 2014): score = (recent -
    expected) / sqrt(expected + prior), which for counts is how many standard deviations they exceed the expectation
    (of a Poisson variable). What is expected grows and shrinks with the shop as a whole, so that a busy week does not
    make everything a trend. The score is the same for everybody; an item without an event is NaN.
    """

    recent_days: float = 2.0  # half-life of what is recent: a weekend shows, a single evening hardly
    before_days: float = 14.0  # half-life of what it is compared with
    prior: float = 3.0  # weight that is expected of every item beyond its own past: few events are no trend
    item_scores_: Scores = field(init=False, repr=False, compare=False)  # float32[n]

    def __post_init__(self) -> None:
        require(self, "recent_days", self.recent_days > 0, "> 0", "try 1 to 7")
        slower = self.before_days > self.recent_days
        require(self, "before_days", slower, "greater than recent_days", "try seven times as much")
        require(self, "prior", self.prior > 0, "> 0", "try 1 to 10")

    def fit(self, data: Dataset) -> Self:
        """Add up twice, compare once."""
        return self.learnt(data.interactions, len(data.items))

    def learnt(self, log: Interactions | Histories, n_items: int) -> Self:
        """The same from events in any order."""
        events = np.flatnonzero((log.items >= 0) & (log.weights > 0))
        items, weights = log.items[events], log.weights[events]
        ages = log.times.max(initial=0) - log.times[events]
        fast, slow = halved(ages, self.recent_days), halved(ages, self.before_days)
        recent: Floats = np.bincount(items, weights * fast, minlength=n_items).astype(np.float64)
        before: Floats = np.bincount(items, weights * np.maximum(slow - fast, 0.0), minlength=n_items).astype(
            np.float64
        )
        total = before.sum()
        expected = before * (recent.sum() / total) if total > 0 else before
        scores = (recent - expected) / np.sqrt(expected + self.prior)
        touched = np.bincount(items, minlength=n_items) > 0
        self.item_scores_ = np.where(touched, scores, np.nan).astype(np.float32)
        return self

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]; see `Recommender.score`."""
        return shared(self.item_scores_, len(queries), items)
