"""The shape of models that read a history in its order and expect the next item."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.models.embedding import Embedding
from zhiyin.models.extras import needs_torch
from zhiyin.models.item_to_item import places_of
from zhiyin.models.settings import require
from zhiyin.types import Indexes, Vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhiyin.models.neural.encoder import Block, Shape


@dataclass(kw_only=True)
class NextItem(Embedding):
    """A network turns the newest `window` events into the vector of what comes next; a subclass writes its `blocks`.

    Trained on every event of everybody as the next after those before it. The last event of some people is held back:
    when NDCG@10 on these stops rising, training ends, and the weights of the best epoch stay.
    """

    window: int = 100  # events of a history that are read; more take more time, and rarely help beyond 200
    dimensions: int = 64
    dropout: float = 0.2
    loss: Literal["softmax", "sampled_softmax"] = "softmax"  # over all items, or for more than 50,000 over a sample
    negatives: int = 512  # of a sample, shared by a batch
    learning_rate: float = 0.001
    weight_decay: float = 0.0
    epochs: int = 60  # at most
    patience: int = 6  # epochs without a better validation until it ends
    batch_events: int = 4096
    validation_people: int = 1000  # at most, and at most a tenth of those with three events
    seed: int = 0
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], -1 for untouched
    kinds_: int = field(init=False, repr=False, compare=False)
    weights_: dict[str, NDArray[np.float32]] = field(init=False, repr=False, compare=False)  # but the items' vectors
    curve_: NDArray[np.float64] = field(init=False, repr=False, compare=False)  # [epochs, 2]: loss, validation NDCG@10

    def __post_init__(self) -> None:
        require(self, "window", self.window >= 1, ">= 1", "try 20 to 200")
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 64 to 256")
        require(self, "dropout", 0 <= self.dropout < 1, "from 0 to below 1", "try 0.1 to 0.5")
        require(self, "negatives", self.negatives >= 1, ">= 1", "try 100 to 1000")
        require(self, "learning_rate", self.learning_rate > 0, "> 0", "try 0.0003 to 0.003")
        require(self, "weight_decay", self.weight_decay >= 0, ">= 0", "try 0 to 0.1")
        require(self, "epochs", self.epochs >= 1, ">= 1", "try 20 to 200")
        require(self, "patience", self.patience >= 1, ">= 1", "try 5 to 20")
        require(self, "batch_events", self.batch_events >= 1, ">= 1", "try 2000 to 20000")
        require(self, "validation_people", self.validation_people >= 0, ">= 0", "0 trains all epochs")

    @abstractmethod
    def blocks(self, shape: "Shape") -> "Sequence[Block]":
        """The parts of the network, each [b, t, d] -> [b, t, d] without looking ahead."""

    def fit(self, data: Dataset) -> Self:
        """Train.

        Raises
        ------
        MissingExtraError
            Without PyTorch.
        """
        needs_torch()
        from zhiyin.models.neural.next_item import learn  # noqa: PLC0415 - the extra neural

        log = data.interactions
        touched = np.bincount(log.items[log.weights > 0], minlength=log.n_items) > 0
        self.places_ = places_of(touched)
        self.kinds_ = len(log.kind_names)
        vectors, self.weights_, self.curve_ = learn(self, log.histories)
        self.item_vectors_ = np.full((log.n_items, self.dimensions), np.nan, np.float32)
        self.item_vectors_[touched] = vectors
        return self

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]; NaN for a history without a known item."""
        needs_torch()
        from zhiyin.models.neural.next_item import encoded  # noqa: PLC0415 - the extra neural

        return encoded(self, queries.histories)
