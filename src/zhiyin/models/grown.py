"""A model over a catalogue that has grown since it was trained: new items stand behind those that it knows."""

import dataclasses
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.fields import unfitted
from zhiyin.models.content import Content
from zhiyin.models.embedding import Embedding, share_codes
from zhiyin.models.graph_filter import GraphFilter
from zhiyin.models.item_to_item import ItemToItem
from zhiyin.models.popularity import Popularity
from zhiyin.models.recommender import Recommender
from zhiyin.types import Indexes, Scores

M = TypeVar("M")


@singledispatch
def grown(model: Any, catalog: Catalog, known: int) -> Any:
    """Another recommender of the same opinions, for `catalog`, whose first `known` items are those of training.

    A new item is NaN for everyone and does not speak in a history, except where a model reads what is said of items:
    then it counts like any other.
    """
    return Narrow(model, known, len(catalog))


@grown.register
def _(model: Popularity, catalog: Catalog, known: int) -> Popularity:
    return _with(model, item_scores_=_padded(model.item_scores_, len(catalog) - known, np.nan))


@grown.register
def _(model: ItemToItem, catalog: Catalog, known: int) -> ItemToItem:
    return _with(model, places_=_padded(model.places_, len(catalog) - known, -1))


@grown.register
def _(model: GraphFilter, catalog: Catalog, known: int) -> GraphFilter:
    low_pass = None if model.low_pass_ is None else grown(model.low_pass_, catalog, known)
    return _with(model, places_=_padded(model.places_, len(catalog) - known, -1), low_pass_=low_pass)


@grown.register
def _(model: Embedding, catalog: Catalog, known: int) -> Embedding:
    more = len(catalog) - known
    other = _with(
        model,
        item_vectors_=_padded(model.item_vectors_, more, np.nan),
        places_=_padded(model.places_, more, -1),  # type: ignore[attr-defined]  # every embedding of ours has them
    )
    share_codes(model, other, known)
    return other


@grown.register
def _(model: Content, catalog: Catalog, known: int) -> Content:
    vectors = model.vectors_of(catalog.frame[known:])
    places = np.where(np.isnan(vectors[:, 0]), -1, np.arange(known, len(catalog))).astype(np.int32)
    other = _with(
        model,
        item_vectors_=np.concatenate([model.item_vectors_, vectors]),
        places_=np.concatenate([model.places_, places]),
    )
    share_codes(model, other, known)
    return other


@dataclass(frozen=True)
class Narrow:
    """A model that knows the first `known` of `n` items, whatever its shape."""

    model: Recommender
    known: int
    n: int

    def fit(self, data: Dataset) -> Self:
        """Learn the whole catalogue: nothing is new any more."""
        n = len(data.items)
        return dataclasses.replace(self, model=self.model.fit(data), known=n, n=n)

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]; see `Recommender.score`."""
        past = queries.histories
        own = np.where(past.items < self.known, past.items, np.int32(-1))
        queries = dataclasses.replace(queries, histories=dataclasses.replace(past, items=own))
        if items is None:
            scores = np.full((len(queries), self.n), np.nan, np.float32)
            scores[:, : self.known] = self.model.score(queries)
            return scores
        return self.model.score(queries, np.where(items < self.known, items, np.int32(-1)))


def _with(model: M, **learnt: Any) -> M:
    """Another with the same settings, and what it has learnt but for some of it; what it keeps at hand is made anew."""
    other = unfitted(model)
    for field in dataclasses.fields(model):  # type: ignore[arg-type]
        if field.name.endswith("_") and hasattr(model, field.name):
            setattr(other, field.name, learnt.get(field.name, getattr(model, field.name)))
    return other


def _padded(array: NDArray[Any], more: int, value: float) -> NDArray[Any]:
    """The rows of an array, and `more` rows of one value behind them."""
    rows = np.full((more, *array.shape[1:]), value, array.dtype)
    return np.concatenate([array, rows])
