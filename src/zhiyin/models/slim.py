"""Each item explained by a few others, none of which counts against it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.kernels import neighbour_lists
from zhiyin.compute.local_regression import nonnegative_net
from zhiyin.data.dataset import Dataset
from zhiyin.features.interest import chosen_items
from zhiyin.models.item_to_item import ItemToItem, places_of
from zhiyin.models.low_pass import degree_normalised
from zhiyin.models.settings import require
from zhiyin.types import Indexes

_SWEEPS = 20  # of coordinate descent; more changed no list


@dataclass(kw_only=True)
class SLIM(ItemToItem):
    """Sparse linear methods with a non-negative elastic net, on each item's nearest items (Ning and Karypis 2011).

    Column j of W minimises Σ_u a_u (x_uj - x_u w)² / 2 + Σ_i l2_i w_i² / 2 + l1 Σ_i w_i with w >= 0 and w_j = 0
    over the `neighbours` items of the greatest cosine (fsSLIM). Two exponents go beyond the paper: person u with h
    items weighs a_u = h^-user_exponent, and l2_i grows as the degree of i to the power l2_exponent; both are 0 there.
    l1 and l2 are in units of the mean of Σ_u a_u x_ui² over the items.
    """

    neighbours: int = 100  # that may explain an item
    l1: float = 0.0  # greater than 0 makes fewer weights, not better ones
    l2: float = 5.0
    user_exponent: float = 1.0  # the more, the less a busy person counts
    l2_exponent: float = 0.5  # the more, the less a popular item explains

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "neighbours", self.neighbours >= 1, ">= 1", "try 50 to 200")
        require(self, "l1", self.l1 >= 0, ">= 0", "try 0 to 0.1")
        require(self, "l2", self.l2 > 0, "> 0", "try 0.5 to 20")
        for name in ("user_exponent", "l2_exponent"):
            require(self, name, -2 <= getattr(self, name) <= 2, "from -2 to 2", "try 0 to 1")

    def fit(self, data: Dataset) -> Self:
        """Find each item's candidates, then descend."""
        x, degrees, touched = chosen_items(data.interactions)  # [users, c], [c], [n]
        self.places_ = places_of(touched)
        weighed = degree_normalised(x, self.user_exponent / 2, np.ones(x.shape[1]))
        strength = float(np.square(weighed.data).sum(dtype=np.float64)) / x.shape[1] if x.nnz else 1.0
        penalties = self.l2 * strength * degrees**self.l2_exponent / max((degrees**self.l2_exponent).mean(), 1e-9)
        near = candidates(weighed, self.neighbours)
        self.weights_ = nonnegative_net(weighed, near, penalties.astype(np.float32), self.l1 * strength, _SWEEPS)
        return self


def candidates(x: csr_array, neighbours: int) -> Indexes:
    """int32[c, m]: the columns of the greatest cosine with each column, -1 at the end of a short row."""
    return neighbour_lists(x, max(neighbours, 1), 0.0)[0] if x.shape[1] > 1 else np.full((x.shape[1], 1), -1, np.int32)
