"""What a model makes of some queries: read once, then asked for its best items and for its score of any other."""

from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast, runtime_checkable

import numpy as np

from zhiyin.compute.kernels import top_k
from zhiyin.data.queries import Queries
from zhiyin.models.recommender import Recommender, SimilarItems
from zhiyin.types import Indexes, Mask, Scores


class Reading(Protocol):
    """The opinion of one model on b queries."""

    def best(self, k: int, allowed: Mask) -> tuple[Indexes, Scores]:
        """int32[b, <= k] and float32[b, <= k]: what sorting `score` finds among bool[b, n], see `Retrieves`."""
        ...

    def of(self, items: Indexes) -> Scores:
        """float32[b, m]: what `score` gives each of its items [b, m]; NaN is "no opinion", and for -1."""
        ...


@runtime_checkable
class Reads(Protocol):
    """A model that need not score every item to know its best."""

    def reading(self, queries: Queries) -> Reading:
        """Both of what follows without looking at everything twice."""
        ...


@runtime_checkable
class ReadsItems(Protocol):
    """A model that knows what goes with an item, and need not compare it with every other."""

    def alike(self, items: Indexes) -> Reading:
        """How alike items are to each of `items` [m], as `similar` says; nobody asks how alike one is to itself."""
        ...


@dataclass(frozen=True, eq=False)
class Scored:
    """The reading of a model that has scored everything."""

    scores: Scores  # float32[b, n]

    def best(self, k: int, allowed: Mask) -> tuple[Indexes, Scores]:
        """See `Reading.best`."""
        return top_k(self.scores, min(k, self.scores.shape[1]), allowed)

    def of(self, items: Indexes) -> Scores:
        """See `Reading.of`."""
        scores = np.take_along_axis(self.scores, np.maximum(items, 0), axis=1)
        return np.where(items >= 0, scores, np.float32(np.nan))


def read(model: Recommender, queries: Queries) -> Reading:
    """What any model makes of some queries."""
    return cast(Reads, model).reading(queries) if _reads(type(model)) else Scored(model.score(queries))


def read_items(model: SimilarItems, items: Indexes) -> Reading:
    """What any model makes of some items that knows which items go with an item."""
    return model.alike(items) if isinstance(model, ReadsItems) else Scored(model.similar(items))


@cache
def _reads(kind: type) -> bool:
    """Remembered, because the question takes as long as a small model."""
    return issubclass(kind, Reads)
