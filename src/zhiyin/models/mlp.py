"""A feed-forward network over the mean of what somebody did."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.attributes import Attributes
from zhiyin.models.next_item import NextItem
from zhiyin.models.settings import require
from zhiyin.types import Indexes, Vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhiyin.models.neural.encoder import Block, Shape
    from zhiyin.models.neural.next_item import Learned


@dataclass(kw_only=True)
class MLP(NextItem):
    """The candidate generator of YouTube (Covington et al. 2016): the mean of a history, then a feed-forward network.

    Where there is a table of people, what it says of who asks is added to the mean; a stranger is answered from history
    alone.
    """

    positions: ClassVar[bool] = False

    layers: int = 2
    half_life_events: float = 10.0  # after so many newer events an event counts half
    max_terms: int = 10_000  # of what is said of people: a bound on memory
    people_vectors_: Vectors | None = field(init=False, repr=False, compare=False)  # float32[users, d]

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "layers", self.layers >= 1, ">= 1", "try 1 to 3")
        require(self, "half_life_events", self.half_life_events > 0, "> 0", "try 2 to 50")
        require(self, "max_terms", self.max_terms >= 1, ">= 1", "try 1000 to 100000")

    def blocks(self, shape: "Shape") -> "Sequence[Block]":
        """The mean, then one block for each layer."""
        from zhiyin.models.neural.mean import CausalMean, FeedForward  # noqa: PLC0415 - the extra neural

        return [CausalMean(shape, self.half_life_events), *(FeedForward(shape) for _ in range(self.layers))]

    def learned(self, data: Dataset) -> "Learned":
        """What training gives, the vectors of people made from their attributes."""
        self.people_vectors_ = None
        if data.people is None:
            return super().learned(data)
        from zhiyin.models.neural.next_item import learn  # noqa: PLC0415 - the extra neural
        from zhiyin.models.neural.towers import Terms  # noqa: PLC0415 - the extra neural

        frame = data.people.drop("user_id")
        matrix = Attributes.of(frame, self.max_terms).matrix(frame)  # [users, terms]
        deviation = 0.1 * self.dimensions**-0.5  # less than what an event says, until it has proved to tell more
        learned = learn(self, data.interactions.histories, people=lambda: Terms(matrix, self.dimensions, deviation))
        self.people_vectors_ = np.asarray(matrix @ learned.towers["people.weight"], np.float32)
        return learned

    def update(self, data: Dataset, items: Indexes) -> Self:  # noqa: ARG002 - nothing is taken over
        """Another, trained anew: what is known of people may have changed, too."""
        return replace(self).fit(data)

    def known(self, queries: Queries) -> Vectors | None:
        """float32[b, d]: what the table of people says; zeros for a stranger."""
        if self.people_vectors_ is None:
            return None
        known = (queries.people >= 0) & (queries.people < len(self.people_vectors_))
        return np.where(known[:, None], self.people_vectors_[np.where(known, queries.people, 0)], np.float32(0))
