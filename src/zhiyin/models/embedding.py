"""The shape of models whose score is an inner product of two vectors."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import numpy as np

from zhiyin.compute.best_of_groups import best_of_groups
from zhiyin.compute.best_products import best_products, lengths_of, tiles_of
from zhiyin.compute.coarse import Coarse, best_of_few, coarse_of, directions_of
from zhiyin.compute.grouped import Grouped, grouped_directions, grouped_of
from zhiyin.compute.inner import inner_of_each
from zhiyin.data.queries import Queries
from zhiyin.models.derived import derived, keep, known
from zhiyin.models.reading import Reading, Scored
from zhiyin.types import Indexes, Mask, Scores, Vectors

_NO_SCALES: Scores = np.empty(0, np.float32)
_GROUPED = 30_000
"""Vectors of similar length from which on they are searched by groups: below it, to look at all of them is quicker."""

MOST_PARTS = 8
"""How often a model may grow from one that has grown before all of its codes are made anew."""

_SIMILAR = 1.5  # the longest to the shortest; where lengths differ more, to look at the longest first rules out more
_MANY = 64  # queries from which on it pays to bring the items into order first


Parts: TypeAlias = tuple[Coarse | Grouped, ...]
"""Codes of item vectors, each in one of them."""


@dataclass(kw_only=True)
class Embedding(ABC):
    """score = encode(queries) @ item_vectors_ᵀ. A subclass writes `fit` and `encode`.

    A NaN row on either side is "no opinion" and stays it.
    """

    timeless: ClassVar[bool] = True
    item_vectors_: Vectors = field(init=False, repr=False, compare=False)  # float32[n, d]

    @abstractmethod
    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]; a NaN row is a query this model knows nothing about."""

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]; see `Recommender.score`."""
        vectors = self.encode(queries)  # [b, d]
        if items is None:
            return vectors @ self.item_vectors_.T
        if items.ndim == 2:
            return inner_of_each(vectors, self.item_vectors_, items)
        return np.where(items >= 0, vectors @ self.item_vectors_[items].T, np.float32(np.nan))

    def reading(self, queries: Queries) -> Reading:
        """See `Reads.reading`."""
        vectors = self.encode(queries)
        coarse = self._coarse() if len(queries) < _MANY and not np.isinf(vectors).any() else None
        return (
            Scored(vectors @ self.item_vectors_.T)
            if coarse is None
            else Encoded(vectors, self.item_vectors_, coarse, _NO_SCALES)
        )

    def retrieve(self, queries: Queries, k: int, allowed: Callable[[Queries], Mask]) -> tuple[Indexes, Scores]:
        """int32[b, <= k] and float32[b, <= k]; see `Retrieves.retrieve`."""
        k = min(k, len(self.item_vectors_))
        if len(queries) < _MANY:
            return self.reading(queries).best(k, allowed(queries))
        tiles = tiles_of(self.item_vectors_)
        return best_products(self.encode(queries), tiles, k, lambda rows: allowed(queries[rows]))

    def similar(self, items: Indexes) -> Scores:
        """float32[m, n]: the cosine of each pair of items; NaN for an item with itself and for an unknown one."""
        cosines = self._directions(items) @ self.item_vectors_.T * self._scales()
        cosines[np.arange(len(items)), items] = np.nan
        return cosines

    def _contributions(self, voices: Vectors, items: Indexes) -> Scores:
        """float32[b, m, t]: what each event adds, where the code of a query is the sum of vectors [b, t, d]."""
        vectors = self.item_vectors_[items]  # [b, m, d]
        return np.where((items >= 0)[:, :, None], vectors @ voices.transpose(0, 2, 1), np.float32(np.nan))

    def alike(self, items: Indexes) -> Reading:
        """See `ReadsItems.alike`."""
        coarse = self._coarse() if len(items) < _MANY else None
        if coarse is None:
            return Scored(self.similar(items))
        scales = self._scales()
        codes = derived(
            self, "directions", self.item_vectors_, lambda: tuple(_directions_of(one, scales) for one in coarse)
        )
        return Encoded(self._directions(items), self.item_vectors_, codes, scales)

    def _directions(self, items: Indexes) -> Vectors:
        """float32[m, d], each of length 1; NaN where there is none."""
        vectors = self.item_vectors_[items] * self._scales()[items, None]
        vectors[items < 0] = np.nan
        return vectors

    def _scales(self) -> Scores:
        """float32[n], one over the length of each vector; NaN where it is 0 or unknown."""
        return derived(self, "scales", self.item_vectors_, lambda: _one_over_lengths(self.item_vectors_))

    def _coarse(self) -> Parts | None:
        return derived(self, "coarse", self.item_vectors_, lambda: _codes_of(self.item_vectors_))


@dataclass(frozen=True, eq=False)
class Encoded:
    """The reading of a model whose score is an inner product: most items are ruled out by their codes."""

    vectors: Vectors  # float32[b, d]
    item_vectors: Vectors  # float32[n, d]
    parts: Parts
    scales: Scores  # float32[n], by which products are multiplied, or float32[0]

    def best(self, k: int, allowed: Mask) -> tuple[Indexes, Scores]:
        """See `Reading.best`."""
        k = min(k, len(self.item_vectors))
        lists = [self._best(part, k, allowed) for part in self.parts]
        if len(lists) == 1:
            return lists[0]
        items, scores = (np.concatenate(one, axis=1) for one in zip(*lists, strict=True))  # [b, parts * k]
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # items of a later part have higher indexes
        return np.take_along_axis(items, order, axis=1), np.take_along_axis(scores, order, axis=1)

    def _best(self, part: Coarse | Grouped, k: int, allowed: Mask) -> tuple[Indexes, Scores]:
        if isinstance(part, Grouped):
            return best_of_groups(self.vectors, part, self.item_vectors, self.scales, k, allowed)
        return best_of_few(self.vectors, part, self.item_vectors, self.scales, k, allowed)

    def of(self, items: Indexes) -> Scores:
        """See `Reading.of`."""
        scores = inner_of_each(self.vectors, self.item_vectors, items)
        return scores * self.scales[items] if len(self.scales) else scores


def share_codes(model: Embedding, other: Embedding, count: int) -> None:
    """Let `other`, whose first `count` vectors are those of `model`, look for them as `model` does.

    So that a catalogue can grow by an item without coding all others again; the new ones are a part of their own.
    """
    parts: Parts | None = known(model, "coarse", model.item_vectors_)
    if parts is None or len(parts) == MOST_PARTS:
        return
    if (last := coarse_of(other.item_vectors_[count:])) is not None:
        more = last._replace(items=last.items + np.int32(count))
        keep(other, "coarse", other.item_vectors_, (*parts, more))


def _codes_of(vectors: Vectors) -> Parts | None:
    lengths = lengths_of(vectors)
    lengths = lengths[~np.isnan(lengths)]
    if len(lengths) >= _GROUPED and lengths.max() <= _SIMILAR * lengths.min():
        return (grouped_of(vectors),)
    coarse = coarse_of(vectors)
    return None if coarse is None else (coarse,)


def _directions_of(codes: Coarse | Grouped, scales: Scores) -> Coarse | Grouped:
    return grouped_directions(codes, scales) if isinstance(codes, Grouped) else directions_of(codes, scales)


def _one_over_lengths(vectors: Vectors) -> Scores:
    lengths = lengths_of(vectors)
    return np.asarray(1 / np.where(lengths > 0, lengths, np.nan), np.float32)
