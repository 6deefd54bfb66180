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

    s_ij = x_i·x_j / (|x_i| |x_j| + shrinkage), with the shrinkage of Ferrari Dacrema et al. (2019, section 3.2.2),
    where a row of x is one person, scaled by the number of their items to the power -activity_exponent / 2, because
    who chose everything likens nothing (Breese et al. 1998, section 2.2.2, of items). Each item of the history speaks
    for its `neighbours` nearest alone.
    """

    neighbours: int = 100
    shrinkage: float = 5.0  # likeness that rests on few people counts less
    activity_exponent: float = 0.5  # 0: what a busy person chose together counts like anybody's; 1: h items, one h-th

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "neighbours", self.neighbours >= 1, ">= 1", "try 20 to 500")
        require(self, "shrinkage", self.shrinkage >= 0, ">= 0", "try 0 to 100")
        require(self, "activity_exponent", self.activity_exponent >= 0, ">= 0", "try 0 to 1")

    def fit(self, data: Dataset) -> Self:
        """Find the nearest items of each."""
        interest = log_interest(data.interactions)
        self.places_ = np.arange(interest.shape[1], dtype=np.int32)
        counts = np.diff(interest.indptr)  # [users]
        interest.data *= np.repeat(np.maximum(counts, 1) ** np.float32(-self.activity_exponent / 2), counts)
        self.weights_ = top_neighbours(interest, self.neighbours, self.shrinkage)
        return self
