"""The shape of models that say how much each item of the history speaks for each other item."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.contributions import sparse_contributions
from zhiyin.compute.kernels import product
from zhiyin.compute.recent import Rows
from zhiyin.compute.sparse import compact_csr
from zhiyin.compute.spoken import Spoken, best_heard, heard, spoken
from zhiyin.data.queries import Queries
from zhiyin.features.interest import event_interest, query_rows
from zhiyin.models.columns import columns_of
from zhiyin.models.derived import derived
from zhiyin.models.reading import Reading, Scored
from zhiyin.models.settings import require_half_life
from zhiyin.types import Indexes, Mask, Scores, Vectors


@dataclass(kw_only=True)
class ItemToItem:
    """score = history @ weights_. A subclass writes `fit`, which sets `weights_` and `places_`.

    A query without any item that training knew is NaN everywhere, an item that training did not know is NaN for
    everyone. With sparse weights, an item that no item of the history speaks for is NaN too.
    """

    timeless: ClassVar[bool] = True
    half_life_days: float | None = 90.0  # how fast an event of the history loses weight; None: not at all
    weights_: csr_array | Vectors = field(init=False, repr=False, compare=False)  # float32[c, c], from row to column
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], an item's row and column, -1 for none

    def __post_init__(self) -> None:
        require_half_life(self)

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]; see `Recommender.score`."""
        columns = columns_of(self.places_, items)  # [1 or b, m]
        history = query_rows(queries, self.places_, self.half_life_days)  # [b, c]
        if isinstance(self.weights_, csr_array) and items is not None and items.ndim == 2:
            return heard(spoken(history, self.weights_), columns)
        return self._product(history, columns)

    def reading(self, queries: Queries) -> Reading:
        """See `Reads.reading`."""
        if not isinstance(self.weights_, csr_array):
            return Scored(self.score(queries))
        history = query_rows(queries, self.places_, self.half_life_days)  # [b, c]
        return Neighbours(spoken(history, self.weights_), self.places_, self._items())

    def explain(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m, t]; see `Explains.explain`."""
        voices, interest, _ = event_interest(queries, self.places_, self.half_life_days)  # [b, t]
        columns = columns_of(self.places_, items)  # [b, m]
        if isinstance(self.weights_, csr_array):
            return sparse_contributions(self.weights_, voices, interest, columns)
        known = (columns >= 0)[:, :, None] & (voices >= 0)[:, None, :]  # [b, m, t]
        weights = self.weights_[voices[:, None, :], columns[:, :, None]]
        return np.where(known, weights * interest[:, None, :], np.float32(np.nan))

    def similar(self, items: Indexes) -> Scores:
        """float32[m, n]: how much each item speaks for all others; NaN for itself and for what it says nothing of."""
        scores = self._product(self._alone(items), columns_of(self.places_, None))
        known = items >= 0
        scores[known, items[known]] = np.nan
        return scores

    def alike(self, items: Indexes) -> Reading:
        """See `ReadsItems.alike`."""
        if not isinstance(self.weights_, csr_array):
            return Scored(self.similar(items))
        return Neighbours(spoken(self._alone(items), self.weights_), self.places_, self._items())

    def _product(self, history: Rows, columns: Indexes) -> Scores:
        offsets, places, weights = history
        matrix = compact_csr(weights, places, offsets, (len(offsets) - 1, self.weights_.shape[0]))
        sparse = isinstance(self.weights_, csr_array)
        return product(matrix, self.weights_, columns) if sparse else _dense_product(matrix, self.weights_, columns)

    def _alone(self, items: Indexes) -> Rows:
        """[m, c]: a history of one item each."""
        rows = columns_of(self.places_, items)[0]  # [m]
        offsets = np.append(0, np.cumsum(rows >= 0))
        return offsets, rows[rows >= 0], np.ones(offsets[-1], np.float32)

    def _items(self) -> Indexes:
        """int32[c], the item of each column."""
        return derived(self, "items", self.places_, lambda: items_of(self.places_))


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The reading of a model with sparse weights: what the items of the history speak for, and nothing else."""

    tables: Spoken
    places: Indexes  # int32[n], the column of each item, -1 for none
    items: Indexes  # int32[c], the item of each column

    def best(self, k: int, allowed: Mask) -> tuple[Indexes, Scores]:
        """See `Reading.best`."""
        return best_heard(self.tables, self.items, min(k, len(self.places)), allowed)

    def of(self, items: Indexes) -> Scores:
        """See `Reading.of`."""
        return heard(self.tables, columns_of(self.places, items))


def items_of(places: Indexes) -> Indexes:
    """int32[c]: the item of each column; the inverse of `places_of`."""
    items = np.full(int(places.max(initial=-1)) + 1, -1, np.int32)
    known = np.flatnonzero(places >= 0)
    items[places[known]] = known
    return items


def places_of(known: Mask) -> Indexes:
    """int32[n]: the known items numbered in their order, -1 for the others."""
    return np.where(known, np.cumsum(known) - 1, -1).astype(np.int32)


def _dense_product(history: csr_array, weights: Vectors, columns: Indexes) -> Scores:
    rows = len(columns)
    if rows == 1:
        scores = np.full((history.shape[0], columns.shape[1]), np.nan, np.float32)
        known = columns[0] >= 0
        scores[:, known] = (history @ weights)[:, columns[0, known]]
    else:
        scores = np.empty(columns.shape, np.float32)
        for row, (first, last) in enumerate(zip(history.indptr, history.indptr[1:], strict=False)):
            spoken_for = weights[np.ix_(history.indices[first:last], columns[row])]  # [t, m]
            scores[row] = np.where(columns[row] >= 0, history.data[first:last] @ spoken_for, np.nan)
    scores[np.diff(history.indptr) == 0] = np.nan
    return scores
