"""Who chose this also chose that, as rules that a person can read."""

from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.compute.kernels import top_neighbours
from zhiyin.data.dataset import Dataset
from zhiyin.features.interest import chosen_items
from zhiyin.models.item_to_item import ItemToItem, places_of
from zhiyin.models.settings import require
from zhiyin.types import Floats, Mask

_BLOCK = 1 << 16  # rules that are held against the bounds at once


@dataclass(kw_only=True)
class AssociationRules(ItemToItem):
    """Rules i → j between two items (Agrawal et al. 1993); the items of the history vote with the weight of each rule.

    Of N people, n_i chose i and n_ij both: the support of the rule is n_ij, its confidence n_ij / n_i, its lift
    N n_ij / (n_i n_j) (Brin et al. 1997, there called interest). Of each item's `neighbours` strongest rules with
    enough support, those stay that pass the other two bounds.
    """

    measure: Literal["confidence", "lift"] = "confidence"  # what a rule votes with; lift likes what is rare
    least_support: int = 2  # people who must have chosen both: one is chance
    least_confidence: float = 0.0
    least_lift: float = 1.0  # below 1 the items keep apart
    neighbours: int = 100
    weights_: csr_array = field(init=False, repr=False, compare=False)  # float32[c, c], from row to column
    counts_: NDArray[np.int64] = field(init=False, repr=False, compare=False)  # [c], people who chose each item
    people_: int = field(init=False, repr=False, compare=False)  # who chose anything

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "measure", self.measure in ("confidence", "lift"), '"confidence" or "lift"', "try confidence")
        require(self, "least_support", self.least_support >= 1, ">= 1", "try 2 to 20")
        require(self, "least_confidence", 0 <= self.least_confidence <= 1, "from 0 to 1", "try 0 to 0.1")
        require(self, "least_lift", self.least_lift >= 0, ">= 0", "try 0 to 2")
        require(self, "neighbours", self.neighbours >= 1, ">= 1", "try 20 to 500")

    def fit(self, data: Dataset) -> Self:
        """Count, and keep the strongest rules."""
        x, people, touched = chosen_items(data.interactions)  # [users, c], [c], [n]
        x.data[:] = 1.0  # chosen or not, however strongly
        self.places_ = places_of(touched)
        self.counts_, self.people_ = people.astype(np.int64), x.shape[0]
        ones, counts = np.ones(x.shape[1], np.float32), people.astype(np.float32)
        norms = (counts, ones) if self.measure == "confidence" else (counts / np.float32(max(self.people_, 1)), counts)
        self.weights_ = top_neighbours(x, self.neighbours, 0.0, norms, least=float(self.least_support))
        self.weights_.data *= self._strong()
        self.weights_.eliminate_zeros()
        self.weights_ = self.weights_.copy()  # without the room of those that went
        return self

    def rules(self) -> pl.DataFrame:
        """One row per rule, the strongest of each item first: item, then (item indexes), support, confidence, lift."""
        items = np.flatnonzero(self.places_ >= 0).astype(np.int32)  # [c]
        confidences = self._confidences()
        rules = pl.DataFrame({
            "item": items[self._rows()],
            "then": items[self.weights_.indices],
            "support": np.rint(confidences * self.counts_[self._rows()]).astype(np.int64),
            "confidence": confidences,
            "lift": self._lifts(),
        })  # fmt: skip
        return rules.sort("item", self.measure, descending=[False, True], maintain_order=True)

    def _rows(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(len(self.counts_)), np.diff(self.weights_.indptr))

    def _strong(self) -> Mask:
        """bool[rules]: which pass both bounds; in blocks, because confidences and lifts have 64 bits."""
        strong = np.empty(self.weights_.nnz, np.bool_)
        for first in range(0, len(strong), _BLOCK):
            some = slice(first, first + _BLOCK)
            confident = self._confidences(some) >= self.least_confidence
            strong[some] = confident & (self._lifts(some) >= self.least_lift)
        return strong

    def _confidences(self, rules: slice = slice(None)) -> Floats:
        weights = self.weights_.data[rules]
        if self.measure == "confidence":
            return weights.astype(np.float64)
        return weights * self.counts_[self.weights_.indices[rules]] / max(self.people_, 1)

    def _lifts(self, rules: slice = slice(None)) -> Floats:
        weights = self.weights_.data[rules]
        if self.measure == "lift":
            return weights.astype(np.float64)
        return weights * self.people_ / self.counts_[self.weights_.indices[rules]]
