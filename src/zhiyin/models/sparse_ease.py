"""EASE for catalogues of any size."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from zhiyin.compute.local_regression import ridge
from zhiyin.data.dataset import Dataset
from zhiyin.features.interest import chosen_items
from zhiyin.models.ease import MOST_ITEMS, dense_gigabytes, dense_weights
from zhiyin.models.item_to_item import ItemToItem, places_of
from zhiyin.models.settings import require
from zhiyin.models.slim import candidates


@dataclass(kw_only=True)
class SparseEASE(ItemToItem):
    """EASE (Steck 2019), dense and exact where it fits into `memory_gb`, else of each item's neighbourhood alone.

    Column j of EASE is the ridge regression of item j on all others; here on the `neighbours` items of the greatest
    cosine, which is exact when these are all, and needs no items × items at any time. Larger neighbourhoods come
    nearer, at a cost that grows with their square. SANSA (Spišák et al. 2023) truncates the inverse instead: what it
    drops has no bound of its own, while here every column stays the optimum of its neighbourhood.
    """

    l2: float = 500.0
    neighbours: int = 200
    memory_gb: float = 4.0  # that training may take before it becomes sparse: 25,000 items

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "l2", self.l2 > 0, "> 0", "try 20 to 1000")
        require(self, "neighbours", self.neighbours >= 1, ">= 1", "try 100 to 400")
        require(self, "memory_gb", self.memory_gb > 0, "> 0", "4 is enough for 25,000 items")

    def fit(self, data: Dataset) -> Self:
        """Invert if the inverse fits; else regress each item on its neighbourhood."""
        x, _, touched = chosen_items(data.interactions)  # [users, c], [n]
        self.places_ = places_of(touched)
        items = x.shape[1]
        if items <= MOST_ITEMS and dense_gigabytes(items) <= self.memory_gb:
            self.weights_ = dense_weights(x, self.l2)
        else:
            self.weights_ = ridge(x, candidates(x, self.neighbours), np.full(items, self.l2, np.float32))
        return self
