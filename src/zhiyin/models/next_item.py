"""The shape of models that read a history in its order and expect the next item."""

from abc import abstractmethod
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.models.embedding import Embedding
from zhiyin.models.extras import needs, needs_torch
from zhiyin.models.item_to_item import places_of
from zhiyin.models.recommender import Precision
from zhiyin.models.settings import require
from zhiyin.types import Indexes, Mask, Vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhiyin.models.neural.encoder import Block, Shape
    from zhiyin.models.neural.next_item import Learned

_UPDATED = 4  # an update takes at most this part of the epochs


@dataclass(kw_only=True)
class NextItem(Embedding):
    """A network turns the newest `window` events into the vector of what comes next; a subclass writes its `blocks`.

    Trained on every event of everybody as the next after those before it. The last event of some people is held back:
    when NDCG@10 on these stops rising, training ends, and the weights of the best epoch stay.
    """

    positions: ClassVar[bool] = True  # whether an event knows how many came before it

    window: int = 100  # events of a history that are read; more take more time, and rarely help beyond 200
    dimensions: int = 64
    dropout: float = 0.2
    temperature: float | None = None  # scores are cosines over it; None: inner products, which favour popular items
    loss: Literal["softmax", "sampled_softmax", "gbce"] = "softmax"  # all items; for more than 50,000 some are drawn
    negatives: int = 512  # drawn, shared by a batch
    uniform_share: float = 0.5  # of these, where loss is "sampled_softmax"; the others are what came elsewhere
    calibration: float = 0.75  # where loss is "gbce": t in its paper
    learning_rate: float = 0.001
    weight_decay: float = 0.0
    epochs: int = 60  # at most
    patience: int = 6  # epochs without a better validation until it ends
    batch_events: int = 4096
    validation_people: int = 1000  # at most, and at most a tenth of those with three events
    seed: int = 0
    precision: Precision = "float32"  # of a release: "int8" is smaller and a little less exact
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], -1 for untouched
    kinds_: int = field(init=False, repr=False, compare=False)
    newest_: int = field(init=False, repr=False, compare=False)  # µs UTC of the newest event that was learned from
    weights_: dict[str, NDArray[np.float32]] = field(init=False, repr=False, compare=False)  # but the items' vectors
    curve_: NDArray[np.float64] = field(init=False, repr=False, compare=False)  # [epochs, 2]: loss, validation NDCG@10
    graph_: NDArray[np.uint8] | None = field(init=False, default=None, repr=False, compare=False)
    """What answers without PyTorch, once exported."""

    def __post_init__(self) -> None:
        require(self, "window", self.window >= 1, ">= 1", "try 20 to 200")
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 64 to 256")
        require(self, "dropout", 0 <= self.dropout < 1, "from 0 to below 1", "try 0.1 to 0.5")
        positive = self.temperature is None or self.temperature > 0
        require(self, "temperature", positive, "> 0", "try 0.05 to 0.1, or leave it out for inner products")
        require(self, "negatives", self.negatives >= 1, ">= 1", "try 100 to 1000")
        require(self, "uniform_share", 0 <= self.uniform_share <= 1, "from 0 to 1", "try 0.5")
        require(self, "calibration", 0 <= self.calibration <= 1, "from 0 to 1", "try 0.75")
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
        touched = _touched(data)
        self.places_ = places_of(touched)
        self.kinds_ = len(data.interactions.kind_names)
        self._keep(self.learned(data), touched, data)
        return self

    def learned(self, data: Dataset) -> "Learned":
        """What training gives; a subclass may have the vectors of items or people made from what is known of them."""
        from zhiyin.models.neural.next_item import learn  # noqa: PLC0415 - the extra neural

        return learn(self, data.interactions.histories)

    def update(self, data: Dataset, items: Indexes) -> Self:
        """Another, taught further by those who did something since; see `Updates.update`.

        A new item begins as the mean of the others. Where there are other kinds of events than before, all is learned
        anew.

        Raises
        ------
        MissingExtraError
            Without PyTorch.
        """
        needs_torch()
        from zhiyin.models.neural.next_item import Start, learn  # noqa: PLC0415 - the extra neural

        log = data.interactions
        other = replace(self)
        if len(log.kind_names) != self.kinds_:
            return other.fit(data)
        rows = np.where(items >= 0, self.places_[items], -1)  # by new item: its place here
        known = _touched(data) | (rows >= 0)
        other.places_, other.kinds_ = places_of(known), self.kinds_
        old = self.item_vectors_[self.places_ >= 0]  # by place
        vectors = np.where(rows[known, None] >= 0, old[rows[known]], old.mean(axis=0))
        epochs = -(-self.epochs // _UPDATED)
        learned = learn(other, log.histories, Start(vectors, self.weights_, self.newest_, epochs))
        other._keep(learned, known, data)
        return other

    def exported(self, precision: Precision) -> Self:
        """The same, answering by ONNX Runtime; see `Exports.exported`.

        Raises
        ------
        MissingExtraError
            Without PyTorch or the packages that write the graph.
        """
        needs_torch()
        for package in ("onnx", "onnxscript", "onnxruntime"):
            needs(package, "neural")
        from zhiyin.models.neural.graph import graph_of  # noqa: PLC0415 - the extra neural

        other = copy(self)
        other.graph_ = graph_of(self, precision)
        return other

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]; NaN for a history without a known item.

        Raises
        ------
        MissingExtraError
            Without ONNX Runtime, or PyTorch where the model was not exported.
        """
        if self.graph_ is not None:
            needs("onnxruntime", "onnx")
            from zhiyin.models.neural.session import encoded as answered  # noqa: PLC0415 - the extra onnx

            return answered(self, self.graph_, queries.histories, self.known(queries))
        needs_torch()
        from zhiyin.models.neural.next_item import encoded  # noqa: PLC0415 - the extra neural

        return encoded(self, queries.histories, self.known(queries))

    def known(self, queries: Queries) -> Vectors | None:  # noqa: ARG002 - most models know nothing else
        """float32[b, d]: what is known of the people who ask, beside what they did."""
        return None

    def _keep(self, learned: "Learned", known: Mask, data: Dataset) -> None:
        self.weights_, self.curve_ = learned.weights, learned.curve
        self.newest_ = int(data.interactions.times.max(initial=0))
        self.item_vectors_ = np.full((len(known), self.dimensions), np.nan, np.float32)
        self.item_vectors_[known] = learned.vectors
        self.graph_ = None


def _touched(data: Dataset) -> Mask:
    """bool[n]: items with an event that counts."""
    log = data.interactions
    return np.bincount(log.items[log.weights > 0], minlength=log.n_items) > 0
