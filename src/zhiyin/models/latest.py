"""What is new."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.models.columns import shared
from zhiyin.types import MICROSECONDS_PER_DAY, Indexes, Scores

_UNKNOWN = np.iinfo(np.int64).max


@dataclass(kw_only=True)
class Latest:
    """Items by the day that they came: `created_at` of the catalogue, or their first event where that is not known.

    The score is minus the age in days at the newest event or item; an item of which neither is known is NaN.
    """

    item_scores_: Scores = field(init=False, repr=False, compare=False)  # float32[n]

    def fit(self, data: Dataset) -> Self:
        """Look up when each item came."""
        return self.learnt(data.interactions, data.catalog)

    def learnt(self, log: Interactions | Histories, catalog: Catalog) -> Self:
        """The same from events in any order."""
        came = np.full(len(catalog), _UNKNOWN)
        known = log.items >= 0
        np.minimum.at(came, log.items[known], log.times[known])
        told = catalog.created > np.iinfo(np.int64).min
        came[told] = catalog.created[told]
        dated = came < _UNKNOWN
        newest = came[dated].max(initial=0)
        self.item_scores_ = np.full(len(catalog), np.nan, np.float32)
        self.item_scores_[dated] = (came[dated] - newest) / MICROSECONDS_PER_DAY
        return self

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]; see `Recommender.score`."""
        return shared(self.item_scores_, len(queries), items)
