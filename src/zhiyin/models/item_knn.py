"""Items that the same people chose."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from zhiyin.compute.kernels import top_neighbours
from zhiyin.data.dataset import Dataset
from zhiyin.features.interest import log_interest
from zhiyin.models.item_to_item import ItemToItem
from zhiyin.models.settings import require


@dataclass(kw_only=True)
class ItemKNN(ItemToItem):
    """The items nearest to those of the history, by cosine (Deshpande and Karypis 2004, section 4.1).

    s_ij = x_i·x_j / (|x_i| |x_j| + shrinkage), with the shrinkage of Bell and Koren (2007) and Ferrari Dacrema et
    al. (2019, section 3.2.2); each item of the history speaks for its `neighbours` nearest alone.
    """

    neighbours: int = 100
    shrinkage: float = 10.0  # likeness that rests on few people counts less

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "neighbours", self.neighbours >= 1, ">= 1", "try 20 to 500")
        require(self, "shrinkage", self.shrinkage >= 0, ">= 0", "try 0 to 100")

    def fit(self, data: Dataset) -> Self:
        """Find the nearest items of each."""
        interest = log_interest(data.interactions)
        self.places_ = np.arange(interest.shape[1], dtype=np.int32)
        self.weights_ = top_neighbours(interest, self.neighbours, self.shrinkage)
        return self
