"""What an item has to pass on its way into a list: the nouns of the funnel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from zhiyin.data.queries import Queries
from zhiyin.ranking.candidates import Candidates
from zhiyin.ranking.fuse import Opinions
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.terms import PLAIN, Terms
from zhiyin.types import Indexes, Mask


@dataclass(frozen=True)
class Stage:
    """One step on the way to the list."""

    name: str
    passed: bool
    remaining: int
    """Items that are left after this step, this one or others."""
    detail: str
    """A sentence for the operator."""


@dataclass(frozen=True, eq=False)
class Asked:
    """One person, one item and one list."""

    pipeline: Pipeline  # under the terms
    queries: Queries  # one row
    item: int  # -1 is not known
    k: int
    terms: Terms = PLAIN
    person: str = "this person"
    """How sentences call them."""

    @property
    def where(self) -> str:
        """The conditions of the request and its scenario, as an operator reads them."""
        return " AND ".join(self.terms.where)

    @cached_property
    def allowed(self) -> Mask:
        """bool[1, n]: what the rules leave, as every request asks them."""
        rules, catalog = self.pipeline.rules, self.pipeline.catalog
        items = self.pipeline.allowed_items(*self.terms.where)
        return rules.of_queries(self.queries, items, catalog, self.terms.exclude)

    @cached_property
    def pool(self) -> tuple[Indexes, Opinions]:
        """int32[1, m], what the retrievers propose, and their opinions on it."""
        return self.pipeline.opinions(self.queries, self.k, self.allowed)

    @cached_property
    def found(self) -> Candidates:
        """The list itself."""
        return self.pipeline.recommend(self.queries, self.k, self.terms)

    @cached_property
    def rank(self) -> int | None:
        """From 1; None where the item is not shown."""
        places = np.flatnonzero(self.found.items[0] == self.item) if self.item >= 0 else np.empty(0, np.int64)
        return int(places[0]) + 1 if len(places) else None


Step: TypeAlias = Callable[[Asked], Sequence[Stage]]
"""A stage, or one for each of several retrievers; none where there is nothing to say."""
