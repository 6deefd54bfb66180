"""The shape of models that tell what would be chosen from what would not, by features of the history and the item."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zhiyin import fields
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.features.pasts import REPEATS, Pasts, read, reading, repeats
from zhiyin.features.table import FIRST, Encoded, FeatureTable, Layout
from zhiyin.models.click_blocks import Array, Inputs, Shapes
from zhiyin.models.click_network import answered, embedded
from zhiyin.models.extras import needs_torch
from zhiyin.models.item_to_item import places_of
from zhiyin.models.settings import require
from zhiyin.types import Indexes, Mask, Scores

_BLOCK = 1 << 22  # numbers of looked-up vectors at once: 16 MiB


@dataclass(kw_only=True)
class ClickModel(ABC):
    """A network over features, trained by log loss on what was chosen against items drawn at random.

    Features of the query are its newest items (all `window` together, and the last one) with their attributes, how many
    events it has, how long ago the last one was, the hour and the day (UTC); of the candidate its id, its attributes
    and how often it stands among the newest. Categories and lists of the catalogue count as they are, numbers by the
    tenth that they fall in; texts do not. An item that nobody touched is judged by its attributes; without any it is
    NaN.
    """

    dimensions: int = 16
    window: int = 20  # events of a history that are read
    negatives: int = 4  # items drawn for each that was chosen, anew in each epoch
    epochs: int = 10  # at most: it ends when AUC on a tenth of the events stops rising
    patience: int = 2  # epochs without a better one until it ends; each makes the steps ten times shorter
    batch_size: int = 256  # events
    learning_rate: float = 0.003
    l2: float = 1e-5  # the penalty on the vectors
    ignore: tuple[str, ...] = ()  # columns of items that are not read
    seed: int = 0
    table_: FeatureTable = field(init=False, repr=False, compare=False)
    items_: Indexes = field(init=False, repr=False, compare=False)  # int32[n, columns]: 1 + place, then the attributes
    known_: Mask = field(init=False, repr=False, compare=False)  # bool[n]: touched or with an attribute
    weights_: dict[str, NDArray[np.float32]] = field(init=False, repr=False, compare=False)
    curve_: NDArray[np.float64] = field(init=False, repr=False, compare=False)  # [epochs, 2]: loss, validation AUC

    def __post_init__(self) -> None:
        require(self, "window", self.window >= 1, ">= 1", "try 10 to 50")
        require(self, "negatives", self.negatives >= 1, ">= 1", "try 2 to 16")
        require(self, "epochs", self.epochs >= 1, ">= 1", "try 5 to 50")
        require(self, "patience", self.patience >= 1, ">= 1", "try 2 to 5")
        require(self, "batch_size", self.batch_size >= 1, ">= 1", "try 256 to 8192")
        require(self, "learning_rate", self.learning_rate > 0, "> 0", "try 0.0003 to 0.01")
        require(self, "l2", self.l2 >= 0, ">= 0", "try 0 to 0.1")

    def shapes(self, fields: int) -> Shapes:  # noqa: ARG002 - for those with more than vectors
        """See `ClickNetwork.shapes`."""
        return {}

    @abstractmethod
    def logits(self, inputs: Inputs) -> Array:
        """See `ClickNetwork.logits`."""

    @property
    def dropped(self) -> float:
        """The share of hidden numbers that are left out in training."""
        return 0.0

    def fit(self, data: Dataset) -> Self:
        """Train.

        Raises
        ------
        MissingExtraError
            Without PyTorch.
        ConfigError
            If `ignore` names no column.
        """
        needs_torch()
        from zhiyin.models.neural.click_fit import learn  # noqa: PLC0415 - the extra neural

        for name in self.ignore:
            if name not in data.catalog.columns:
                label = f"{type(self).__name__}.ignore: the item column {name!r}"
                raise ConfigError(fields.unknown(label, name, data.catalog.columns))
        self._read_items(data)
        self.weights_, self.curve_ = learn(self, data.interactions.histories)
        return self

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]; see `Recommender.score`."""
        newest, asked = self.read(Pasts.of(queries.histories, self.known_, queries.times))
        layouts = self.layouts
        x, linear = embedded(self.weights_, 0, layouts[0], asked)  # [b, f, d], [b]
        candidates = np.arange(len(self.known_), dtype=np.int32) if items is None else items
        wanted, columns = np.unique(np.maximum(candidates, 0), return_inverse=True)
        vectors = embedded(self.weights_, 1, layouts[1], self.encoded(wanted.astype(np.int32)))
        columns = columns.reshape(candidates.shape)  # the row of `vectors` of each candidate
        scorable = (candidates >= 0) & self.known_[np.maximum(candidates, 0)]
        shape = (len(queries), candidates.shape[-1])
        scores = np.full(shape, np.nan, np.float32)
        numbers = sum(layout.fields for layout in layouts) * (self.dimensions + 1)
        for rows, places in _blocks(np.broadcast_to(scorable, shape), max(_BLOCK // numbers, 1)):
            chosen = np.broadcast_to(columns, shape)[rows, places]
            again = repeats(newest, rows, np.broadcast_to(candidates, shape)[rows, places])
            pair = embedded(self.weights_, 2, layouts[2], again)
            joined = np.concatenate([x[rows], vectors[0][chosen], pair[0]], axis=1)  # [r, f, d]
            alone = linear[rows] + vectors[1][chosen] + pair[1]
            scores[rows, places] = answered(self, self.weights_, joined, alone)
        return scores

    @property
    def layouts(self) -> tuple[Layout, Layout, Layout]:
        """Of the query, the item, and both together."""
        touched = int(self.items_[:, 0].max(initial=0))
        item = Layout((1 + touched,), (1,)) + self.table_.layout
        return reading(item, self.window), item, REPEATS

    def read(self, pasts: Pasts, without: Indexes | None = None) -> tuple[Indexes, Encoded]:
        """int32[b, window] of the newest items, and the features of the query."""
        newest = pasts.newest(self.window, without)
        return newest, read(self.encoded(None), self.layouts[1], newest, pasts.moments())

    def encoded(self, items: Indexes | None) -> Encoded:
        """The features of some items, or of all."""
        codes = self.items_ if items is None else self.items_[items]
        return Encoded(codes, np.empty((len(codes), 0), np.float32))

    def _read_items(self, data: Dataset) -> None:
        log, frame = data.interactions, data.catalog.frame.drop("item_id", *self.ignore)
        touched = np.bincount(log.items[log.weights > 0], minlength=log.n_items) > 0
        self.table_ = FeatureTable.of(frame)
        attributes = self.table_.encode(frame).codes
        self.items_ = np.column_stack([places_of(touched) + 1, attributes]).astype(np.int32)
        self.known_ = touched | (attributes >= FIRST).any(axis=1)


def _blocks(cells: Mask, size: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The rows and columns of the cells that hold, so many at a time."""
    rows, columns = np.nonzero(cells)
    return [(rows[start : start + size], columns[start : start + size]) for start in range(0, len(rows), size)]
