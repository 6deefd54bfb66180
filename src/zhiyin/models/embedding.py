"""The shape of models whose score is an inner product of two vectors."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from zhiyin.compute.best_products import best_products, tiles_of
from zhiyin.compute.kernels import top_k
from zhiyin.data.queries import Queries
from zhiyin.types import Indexes, Mask, Scores, Vectors

_BLOCK = 1 << 24  # numbers of the items' vectors gathered at once: 64 MiB
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
        of_each = items.ndim == 2
        scores = self._of_each(vectors, items) if of_each else vectors @ self.item_vectors_[items].T  # [b, m]
        return np.where(items >= 0, scores, np.float32(np.nan))

    def retrieve(self, queries: Queries, k: int, allowed: Callable[[Queries], Mask]) -> tuple[Indexes, Scores]:
        """int32[b, <= k] and float32[b, <= k]; see `Retrieves.retrieve`."""
        k = min(k, len(self.item_vectors_))
        if len(queries) < _MANY:
            return top_k(self.score(queries), k, allowed(queries))
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

    def _contributions(self, voices: Vectors, items: Indexes) -> Scores:
        """float32[b, m, t]: what each event adds, where the code of a query is the sum of vectors [b, t, d]."""
        vectors = self.item_vectors_[items]  # [b, m, d]
        return np.where((items >= 0)[:, :, None], vectors @ voices.transpose(0, 2, 1), np.float32(np.nan))

    def _of_each(self, vectors: Vectors, items: Indexes) -> Scores:
        """float32[b, m], in blocks of rows, because each row has vectors of its own."""
        scores = np.empty(items.shape, np.float32)
        block = max(_BLOCK // max(items.shape[1] * self.item_vectors_.shape[1], 1), 1)
        for first in range(0, len(items), block):
            rows = slice(first, first + block)
            scores[rows] = np.einsum("bd,bmd->bm", vectors[rows], self.item_vectors_[items[rows]])
        return scores
