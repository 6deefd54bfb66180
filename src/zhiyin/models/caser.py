"""Convolutions over the last few events, as if they were a picture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from zhiyin.models.next_item import NextItem
from zhiyin.models.settings import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhiyin.models.neural.encoder import Block, Shape


@dataclass(kw_only=True)
class Caser(NextItem):
    """Convolutional sequence embedding (Tang and Wang 2018), trained by the softmax over all items.

    A history stands for its person, so there is no vector of the person: a stranger is answered like anybody.
    """

    positions: ClassVar[bool] = False

    reach: int = 5  # events that are seen together: L in the paper
    horizontal: int = 16  # filters of each height from 1 to reach
    vertical: int = 4  # filters: 4 in the paper

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "reach", self.reach >= 1, ">= 1", "try 3 to 9")
        require(self, "horizontal", self.horizontal >= 1, ">= 1", "try 4 to 64")
        require(self, "vertical", self.vertical >= 1, ">= 1", "try 1 to 8")

    def blocks(self, shape: "Shape") -> "Sequence[Block]":
        """One block."""
        from zhiyin.models.neural.convolution import CaserBlock  # noqa: PLC0415 - the extra neural

        return [CaserBlock(shape, self.reach, self.horizontal, self.vertical)]
