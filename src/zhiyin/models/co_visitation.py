"""What people look at around an item, within a span of time."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from zhiyin.compute.companions import Around, Visits, top_companions
from zhiyin.data.dataset import Dataset
from zhiyin.models.item_to_item import ItemToItem, places_of
from zhiyin.models.settings import require

_MICROSECONDS_PER_HOUR = 3_600_000_000
_MOST = 100  # events to either side of an event: a bound on what one restless person costs


@dataclass(kw_only=True)
class CoVisitation(ItemToItem):
    """Items that the same person came to within a window of time (Davidson et al. 2010, section 2.2).

    w_ij = c_ij / n_j^popularity_exponent, where c_ij adds up, over all events with i, the weights of the same
    person's events with j at most `window_hours` away: those that came later or at the same time in full, those that
    came before times `backward`. The paper's relatedness c_ij / (n_i n_j) has an exponent of 1; n_i is the same for
    all j. Each item keeps the `neighbours` best.
    """

    window_hours: float = 24.0
    backward: float = 0.5  # 0: only what comes after; 1: the order in time is nothing
    popularity_exponent: float = 0.3  # 0: popular items follow everything; 1: as rare as they are, they count more
    neighbours: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "window_hours", self.window_hours > 0, "> 0", "try 1 for a session, 24 for a day")
        require(self, "backward", 0 <= self.backward <= 1, "from 0 to 1", "try 0.5")
        require(self, "popularity_exponent", -2 <= self.popularity_exponent <= 2, "from -2 to 2", "try 0 to 1")
        require(self, "neighbours", self.neighbours >= 1, ">= 1", "try 20 to 500")

    def fit(self, data: Dataset) -> Self:
        """Look around every event."""
        log = data.interactions
        weighty = log.weights > 0
        counted = log if weighty.all() else log[weighty]  # all is usual, and spares a copy
        counts = counted.item_counts  # [n]
        self.places_ = places_of(counts > 0)
        around = Around(int(self.window_hours * _MICROSECONDS_PER_HOUR), self.backward, _MOST)
        scales = (counts[counts > 0].astype(np.float64) ** -self.popularity_exponent).astype(np.float32)  # [c]
        self.weights_ = top_companions(
            Visits(counted.users, self.places_[counted.items], counted.times, counted.weights),
            around, scales, self.neighbours,
        )  # fmt: skip
        return self
