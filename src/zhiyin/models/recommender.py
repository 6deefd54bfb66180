"""The protocol that every model speaks, and the optional talents beside it."""

from collections.abc import Callable
from typing import Literal, Protocol, Self, TypeAlias, runtime_checkable

from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.types import Indexes, Mask, Scores, Vectors

Precision: TypeAlias = Literal["float32", "int8"]
"""How many bits a weight has where a model answers."""


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
class Retrieves(Protocol):
    """A model that finds the best items of many queries faster than by scoring all items."""

    def retrieve(self, queries: Queries, k: int, allowed: Callable[[Queries], Mask]) -> tuple[Indexes, Scores]:
        """int32[b, <= k] and float32[b, <= k]: what sorting `score` finds, to the rounding of a sum.

        Best first, ties by lower index, a short list ends in -1 with score -inf; NaN and -inf are never among them.

        Parameters
        ----------
        allowed
            bool[rows, n] of some of the queries, asked for each once, perhaps from several threads.
        """
        ...


@runtime_checkable
class Rates(Protocol):
    """A model that predicts ratings on their own scale."""

    def rate(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m]: the rating each query would give each of its items [b, m]; NaN is "no opinion"."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A model that knows exactly what each event of the history adds to a score."""

    def explain(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m, t]: what each of the newest 50 events (`MOST_EXPLAINED`) adds to the score of items [b, m].

        The events stand at the right, as in `Histories.padded(t)`; t is no longer than the longest history. What is
        not NaN adds up to the score, if the history has no more events than t. NaN is an event that says nothing of
        an item: padding, an unknown item on either side, an event of an item for which a stronger one counts. Of an
        item on which the model has no opinion all is NaN.
        """
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


@runtime_checkable
class Updates(Protocol):
    """A model that goes on learning where it has stopped."""

    def update(self, data: Dataset, items: Indexes) -> Self:
        """Another, of the same settings, that knows all of `data`; this one stays as it is.

        Parameters
        ----------
        data
            What happened by now: what this one has learned from, and more.
        items
            int32[n]: the index that each item of `data` had when this one was fitted, -1 for a new one.
        """
        ...


@runtime_checkable
class Exports(Protocol):
    """A model that can be put into a form that answers without what trained it."""

    precision: Precision  # of the form that is released

    def exported(self, precision: Precision) -> Self:
        """Another that answers alike: in float32 to 1e-4 of the largest score, in int8 more roughly."""
        ...


def is_timeless(model: Recommender) -> bool:
    """Whether the same history gets the same scores at any moment of asking; a model says so by `timeless = True`."""
    return bool(getattr(model, "timeless", False))
