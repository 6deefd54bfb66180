"""People with a similar history."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.ranking.candidates import best
from zhiyin.types import Indexes, Scores

MOST_PAST = 1_000
"""Of a person's newest events, how many are compared."""


@dataclass(frozen=True, eq=False)
class People:
    """All people of a release, by their items; attributes never enter."""

    histories: Histories
    n_items: int

    def alike(self, queries: Queries, k: int) -> tuple[Indexes, Scores]:
        """int32[b, k] people and float32[b, k] the cosine of the sets of items; the person is left out.

        A short list ends in -1: nobody else has an item in common.
        """
        own = queries.histories.last(MOST_PAST).matrix(self.n_items)  # [b, n]
        shared = (own @ self._holders).toarray()  # [b, people]
        sizes = np.sqrt(np.outer(np.maximum(np.diff(own.indptr), 1), np.maximum(self._sizes, 1)))
        scores = np.where(shared > 0, shared / sizes, np.nan).astype(np.float32)
        known = np.flatnonzero(queries.people >= 0)
        scores[known, queries.people[known]] = np.nan
        return best(scores, k)

    @cached_property
    def _holders(self) -> csr_array:
        """float32[n, people], sparse: who had to do with each item."""
        return csr_array(self.histories.matrix(self.n_items).T)

    @cached_property
    def _sizes(self) -> np.ndarray:
        """How many items each person had to do with."""
        return np.bincount(self._holders.indices, minlength=len(self.histories))
