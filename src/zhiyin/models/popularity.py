"""What everybody likes, lately."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from zhiyin.compute.first_allowed import best_first, first_allowed
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.recency import halved
from zhiyin.models.columns import shared
from zhiyin.models.derived import derived
from zhiyin.models.settings import require, require_half_life
from zhiyin.types import MICROSECONDS_PER_DAY, Indexes, Mask, Scores


@dataclass(kw_only=True)
class Popularity:
    """The weight of an item's events, halved by age; the baseline that everything else must beat.

    Ages count from the last event of training, so that no clock is read. The score is the same for everybody;
    an item without an event in the window is NaN.
    """

    timeless: ClassVar[bool] = True
    half_life_days: float | None = 14.0  # None: an old event counts like a new one, which was worse in every time split
    window_days: float | None = None  # None: the whole log counts
    item_scores_: Scores = field(init=False, repr=False, compare=False)  # float32[n]

    def __post_init__(self) -> None:
        require_half_life(self)
        window = self.window_days
        require(self, "window_days", window is None or window > 0, "> 0", "leave it out for the whole log")

    def fit(self, data: Dataset) -> Self:
        """Add the events up."""
        log = data.interactions
        ages = log.times.max(initial=0) - log.times
        recent = np.True_ if self.window_days is None else ages <= self.window_days * MICROSECONDS_PER_DAY
        weights = log.weights * halved(ages, self.half_life_days) * recent
        totals = np.bincount(log.items, weights, minlength=log.n_items)
        self.item_scores_ = np.where(totals > 0, totals, np.nan).astype(np.float32)
        return self

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]; see `Recommender.score`."""
        return shared(self.item_scores_, len(queries), items)

    def reading(self, queries: Queries) -> "Common":
        """See `Reads.reading`."""
        order = derived(self, "order", self.item_scores_, lambda: best_first(self.item_scores_))
        return Common(self.item_scores_, order, len(queries))


@dataclass(frozen=True, eq=False)
class Common:
    """The reading of a model that gives everybody the same scores."""

    item_scores: Scores  # float32[n]
    order: Indexes  # int32[_], the best first, without those of which there is no opinion
    rows: int

    def best(self, k: int, allowed: Mask) -> tuple[Indexes, Scores]:
        """See `Reading.best`."""
        items = first_allowed(self.order, min(k, len(self.item_scores)), allowed)
        return items, np.where(items >= 0, self.item_scores[items], np.float32(-np.inf))

    def of(self, items: Indexes) -> Scores:
        """See `Reading.of`."""
        return shared(self.item_scores, self.rows, items)
