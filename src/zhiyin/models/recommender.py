"""The protocol that every model speaks, and the optional talents beside it."""

from typing import Protocol, Self, runtime_checkable

from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.types import Indexes, Scores, Vectors


@runtime_checkable
class Recommender(Protocol):
    """Learn from a dataset; then say how much each query wants each item. Nothing else.

    A model does not sort, cut, filter, translate ids or fetch histories. It is a dataclass: its fields are its
    hyper-parameters, and what it learns ends in `_`.
    """

    def fit(self, data: Dataset) -> Self:
        """Learn; the same data and seed give the same model."""
        ...

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]: `items` is [m] shared, [b, m] per query (-1 is padding, scored NaN), or None for all n.

        NaN is "no opinion". An empty history gives NaN everywhere or a real order, never a tie of zeros.
        """
        ...


@runtime_checkable
class Rates(Protocol):
    """A model that predicts ratings on their own scale."""

    def rate(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m]: the rating each query would give each of its items [b, m]; NaN is "no opinion"."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """A model whose score is an inner product."""

    item_vectors_: Vectors  # float32[n, d]

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]; a NaN row is a query this model knows nothing about."""
        ...


@runtime_checkable
class SimilarItems(Protocol):
    """A model that knows which items go with an item."""

    def similar(self, items: Indexes) -> Scores:
        """float32[m, n]: how alike each item is to each of `items` [m]; NaN is "no opinion"."""
        ...
