"""Items that are alike in what is said of them."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from zhiyin import fields
from zhiyin.compute.dense_product import product_of_rows
from zhiyin.compute.svd import right_singular_vectors
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.features.attributes import Attributes
from zhiyin.features.interest import event_interest, query_rows
from zhiyin.models.embedding import Embedding
from zhiyin.models.settings import require, require_half_life
from zhiyin.types import Indexes, Scores, Vectors


@dataclass(kw_only=True)
class Content(Embedding):
    """Latent semantic analysis of the catalogue (Deerwester et al. 1990); a query is the mean of its history.

    Reads texts in any language, categories and numbers; an item that nobody ever touched has its vector like any
    other, and one that enters later gets it from `vectors_of`. An item without any attribute is NaN.
    """

    dimensions: int = 128
    half_life_days: float | None = 90.0  # how fast an event of the history loses weight; None: not at all
    max_terms: int = 50_000  # a bound on memory: dimensions × max_terms floats
    ignore: tuple[str, ...] = ()  # columns that say nothing about what an item is like, such as a web address
    seed: int = 0
    attributes_: Attributes = field(init=False, repr=False, compare=False)
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], an item's own index, -1 without vector
    components_: Vectors = field(init=False, repr=False, compare=False)  # float32[terms, d]

    def __post_init__(self) -> None:
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 64 to 256")
        require(self, "max_terms", self.max_terms >= 1, ">= 1", "try 10000 to 200000")
        require_half_life(self)

    def fit(self, data: Dataset) -> Self:
        """Learn the terms and their strongest directions."""
        for name in self.ignore:
            if name not in data.catalog.columns:
                raise ConfigError(
                    fields.unknown(f"Content.ignore: the item column {name!r}", name, data.catalog.columns)
                )
        self.attributes_ = Attributes.of(data.catalog.frame.drop(self.ignore), self.max_terms)
        matrix = self.attributes_.matrix(data.catalog.frame)  # [n, terms]
        self.components_ = right_singular_vectors(matrix, self.dimensions, np.random.default_rng(self.seed))
        self.item_vectors_ = _directions(matrix, self.components_)
        known = ~np.isnan(self.item_vectors_[:, 0])
        self.places_ = np.where(known, np.arange(len(known)), -1).astype(np.int32)
        return self

    def vectors_of(self, frame: pl.DataFrame) -> Vectors:
        """float32[rows, d]: the vectors of catalogue rows that training need not have seen; NaN without attributes."""
        return _directions(self.attributes_.matrix(frame), self.components_)

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]: the weighted mean of the items of the history; NaN where none has a vector."""
        offsets, items, weights = query_rows(queries, self.places_, self.half_life_days)  # [b, n]
        totals = np.diff(np.append(0.0, np.cumsum(weights, dtype=np.float64))[offsets])  # [b]
        totals[totals == 0] = np.nan  # no history, no opinion
        means = product_of_rows((offsets, items, weights), self.item_vectors_) / totals[:, None]
        return means.astype(np.float32)

    def explain(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m, t]; see `Explains.explain`."""
        voices, interest, total = event_interest(queries, self.places_, self.half_life_days)  # [b, t], [b]
        total[total == 0] = np.nan
        shares = interest / total[:, None]
        return self._contributions(self.item_vectors_[voices] * shares[:, :, None], items)


def _directions(matrix: csr_array, components: Vectors) -> Vectors:
    """float32[rows, d], each of length 1; NaN for an empty row."""
    vectors: Vectors = np.asarray(matrix @ components, np.float32)
    if vectors.shape[1] == 0:
        return np.full((len(vectors), 1), np.nan, np.float32)
    lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float32)
    lengths[lengths < 1e-6] = np.nan
    return vectors / lengths
