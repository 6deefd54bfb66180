"""Dilated convolutions over what somebody did."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from zhiyin.models.next_item import NextItem
from zhiyin.models.settings import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhiyin.models.neural.encoder import Block, Shape


@dataclass(kw_only=True)
class NextItNet(NextItem):
    """A causal convolutional network whose gaps grow fourfold with each layer (Yuan et al. 2019).

    With `layers` of 3 and a `width` of 3 a place sees 127 events.
    """

    positions: ClassVar[bool] = False

    layers: int = 3
    width: int = 3  # events that one convolution sees

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "layers", 1 <= self.layers <= 8, "from 1 to 8", "try 2 to 4")
        require(self, "width", self.width >= 2, ">= 2", "try 2 to 5")

    def blocks(self, shape: "Shape") -> "Sequence[Block]":
        """One block for each layer, with gaps of 1, 4, 16, …, and twice these in its second half."""
        from zhiyin.models.neural.convolution import DilatedBlock  # noqa: PLC0415 - the extra neural

        return [DilatedBlock(shape, self.width, 4**layer) for layer in range(self.layers)]
