"""A network for histories and a network for items, which reads what is said of them."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin import fields
from zhiyin.data.dataset import Dataset
from zhiyin.errors import ConfigError
from zhiyin.features.attributes import Attributes
from zhiyin.models.item_to_item import places_of
from zhiyin.models.next_item import NextItem
from zhiyin.models.settings import require
from zhiyin.types import Indexes, Vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhiyin.models.neural.encoder import Block, Shape
    from zhiyin.models.neural.next_item import Learned


@dataclass(kw_only=True)
class TwoTower(NextItem):
    """A tower for queries and one for items, trained by a sampled softmax with corrected odds (Yi et al. 2019).

    The item tower reads texts, categories and numbers, so that an item that nobody ever touched has its vector like any
    other, and one that enters later gets it from `vectors_of`. An untouched item without any attribute is NaN.
    """

    positions: ClassVar[bool] = False

    loss: Literal["softmax", "sampled_softmax", "gbce"] = "sampled_softmax"
    layers: int = 1  # of the query tower, after the mean of the history
    half_life_events: float = 10.0  # after so many newer events an event counts half
    hidden: int = 128  # of the item tower
    unknown_share: float = 0.3  # of the items at each step, shown without a vector of their own
    max_terms: int = 50_000  # a bound on memory: hidden × max_terms floats
    ignore: tuple[str, ...] = ()  # columns that say nothing about what an item is like, such as a web address
    attributes_: Attributes = field(init=False, repr=False, compare=False)
    tower_: dict[str, NDArray[np.float32]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "layers", self.layers >= 1, ">= 1", "try 1 to 3")
        require(self, "half_life_events", self.half_life_events > 0, "> 0", "try 2 to 50")
        require(self, "hidden", self.hidden >= 1, ">= 1", "try 64 to 256")
        require(self, "unknown_share", 0 <= self.unknown_share < 1, "from 0 to below 1", "try 0.1 to 0.5")
        require(self, "max_terms", self.max_terms >= 1, ">= 1", "try 10000 to 200000")

    def blocks(self, shape: "Shape") -> "Sequence[Block]":
        """The mean, then one block for each layer."""
        from zhiyin.models.neural.mean import CausalMean, FeedForward  # noqa: PLC0415 - the extra neural

        return [CausalMean(shape, self.half_life_events), *(FeedForward(shape) for _ in range(self.layers))]

    def fit(self, data: Dataset) -> Self:
        """Train, then give a vector to each item that nobody touched yet.

        Raises
        ------
        MissingExtraError
            Without PyTorch.
        ConfigError
            If a column to be ignored is not there.
        """
        for name in self.ignore:
            if name not in data.catalog.columns:
                raise ConfigError(
                    fields.unknown(f"TwoTower.ignore: the item column {name!r}", name, data.catalog.columns)
                )
        self.attributes_ = Attributes.of(data.catalog.frame.drop(self.ignore), self.max_terms)
        super().fit(data)
        untouched = self.places_ < 0
        self.item_vectors_[untouched] = self.vectors_of(data.catalog.frame.filter(pl.Series(untouched)))
        self.places_ = places_of(~np.isnan(self.item_vectors_[:, 0]))
        return self

    def learned(self, data: Dataset) -> "Learned":
        """What training gives, the vectors of items made from their attributes."""
        from zhiyin.models.neural.next_item import learn  # noqa: PLC0415 - the extra neural
        from zhiyin.models.neural.towers import ItemTower  # noqa: PLC0415 - the extra neural

        matrix = self.attributes_.matrix(data.catalog.frame)[self.places_ >= 0]  # [c, terms]
        sizes = self.dimensions, self.hidden, self.unknown_share
        learned = learn(self, data.interactions.histories, items=lambda: ItemTower(matrix, *sizes))
        self.tower_ = {name: learned.towers[f"items.{name}"] for name in ("terms.weight", "bias", "output")}
        return learned

    def vectors_of(self, frame: pl.DataFrame) -> Vectors:
        """float32[rows, d]: the vectors of catalogue rows that training need not have seen; NaN without attributes."""
        matrix = self.attributes_.matrix(frame)
        hidden = np.maximum(matrix @ self.tower_["terms.weight"] + self.tower_["bias"], 0)
        vectors = np.asarray(hidden @ self.tower_["output"], np.float32)
        vectors[np.diff(matrix.indptr) == 0] = np.nan
        if self.temperature is None:
            return vectors
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))

    def update(self, data: Dataset, items: Indexes) -> Self:  # noqa: ARG002 - nothing is taken over
        """Another, trained anew: what is said of the items may have changed, too."""
        return replace(self).fit(data)
