"""The shape of models whose score is an inner product of two vectors."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from zhiyin.compute.best_products import best_products, tiles_of
from zhiyin.compute.coarse import Coarse, best_of_few, coarse_of
from zhiyin.compute.inner import inner_of_each
from zhiyin.data.queries import Queries
from zhiyin.models.derived import derived
from zhiyin.models.reading import Reading, Scored
from zhiyin.types import Indexes, Mask, Scores, Vectors

_MANY = 64  # queries from which on it pays to bring the items into order first


@dataclass(kw_only=True)
class Embedding(ABC):
    """score = encode(queries) @ item_vectors_ᵀ. A subclass writes `fit` and `encode`.

    A NaN row on either side is "no opinion" and stays it.
    """

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

    def read(self, queries: Queries) -> Reading:
        """See `Reads.read`."""
        vectors = self.encode(queries)
        coarse = self._coarse() if len(queries) < _MANY and not np.isinf(vectors).any() else None
        return (
            Scored(vectors @ self.item_vectors_.T) if coarse is None else Encoded(vectors, self.item_vectors_, coarse)
        )

    def retrieve(self, queries: Queries, k: int, allowed: Callable[[Queries], Mask]) -> tuple[Indexes, Scores]:
        """int32[b, <= k] and float32[b, <= k]; see `Retrieves.retrieve`."""
        k = min(k, len(self.item_vectors_))
        if len(queries) < _MANY:
            return self.read(queries).best(k, allowed(queries))
        tiles = tiles_of(self.item_vectors_)
        return best_products(self.encode(queries), tiles, k, lambda rows: allowed(queries[rows]))

    def similar(self, items: Indexes) -> Scores:
        """float32[m, n]: the cosine of each pair of items; NaN for an item with itself and for an unknown one."""
        lengths = np.linalg.norm(self.item_vectors_, axis=1)  # [n]
        lengths = np.where(lengths > 0, lengths, np.float32(np.nan))
        cosines = (self.item_vectors_[items] @ self.item_vectors_.T) / (lengths[items, None] * lengths)
        cosines[items < 0] = np.nan
        cosines[np.arange(len(items)), items] = np.nan
        return cosines

    def _coarse(self) -> Coarse | None:
        return derived(self, "coarse", self.item_vectors_, lambda: coarse_of(self.item_vectors_))


@dataclass(frozen=True, eq=False)
class Encoded:
    """The reading of a model whose score is an inner product: most items are ruled out by their codes."""

    vectors: Vectors  # float32[b, d]
    item_vectors: Vectors  # float32[n, d]
    coarse: Coarse

    def best(self, k: int, allowed: Mask) -> tuple[Indexes, Scores]:
        """See `Reading.best`."""
        return best_of_few(self.vectors, self.coarse, self.item_vectors, min(k, len(self.item_vectors)), allowed)

    def of(self, items: Indexes) -> Scores:
        """See `Reading.of`."""
        return inner_of_each(self.vectors, self.item_vectors, items)
