"""The lists that one release can make, by kind: one way for the service and the command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.latest import Latest
from zhiyin.models.recommender import Recommender
from zhiyin.models.trending import Trending
from zhiyin.ranking.basket import POOLINGS, goes_with
from zhiyin.ranking.candidates import Candidates
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.scenario import Kind
from zhiyin.ranking.terms import PLAIN, Terms
from zhiyin.types import Indexes


@dataclass(frozen=True, eq=False)
class Lists:
    """A pipeline and the log it was trained on; what the pipeline has no model of is computed when first asked for."""

    pipeline: Pipeline
    histories: Histories

    def of(
        self, kind: Kind, queries: Queries, k: int, terms: Terms = PLAIN, basket: Indexes | None = None
    ) -> Candidates:
        """The k items that a kind of list has for each query.

        Parameters
        ----------
        basket
            int32[_], the items that "similar" and "cart" start from.
        """
        if kind in ("similar", "cart"):
            start = np.empty(0, np.int32) if basket is None else basket
            return goes_with(self.pipeline, start, POOLINGS[kind], queries, k, terms)
        return self.proposing(kind).recommend(queries, k, terms)

    def proposing(self, kind: Kind) -> Pipeline:
        """Who makes a kind of list that starts from no item."""
        makers: Mapping[str, Callable[[], Pipeline]] = {
            "popular": lambda: self._popular,
            "trending": lambda: self._trending,
            "latest": lambda: self._latest,
        }
        return makers[kind]() if kind in makers else self.pipeline

    @cached_property
    def _popular(self) -> Pipeline:
        return self._alone("popular", self.pipeline.fallback)

    @cached_property
    def _trending(self) -> Pipeline:
        return self._alone("trending", Trending().learnt(self.histories, len(self.pipeline.catalog)))

    @cached_property
    def _latest(self) -> Pipeline:
        return self._alone("latest", Latest().learnt(self.histories, self.pipeline.catalog))

    def _alone(self, name: str, model: Recommender) -> Pipeline:
        return self.pipeline.proposing({name: model})
