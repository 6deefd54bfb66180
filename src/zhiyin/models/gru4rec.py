"""A recurrent network over what somebody did."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from zhiyin.models.next_item import NextItem
from zhiyin.models.settings import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhiyin.models.neural.encoder import Block, Shape


@dataclass(kw_only=True)
class GRU4Rec(NextItem):
    """Gated recurrent units over a history (Hidasi et al. 2016), trained by the softmax over all items."""

    positions: ClassVar[bool] = False

    layers: int = 1  # more rarely helped its authors

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "layers", self.layers >= 1, ">= 1", "try 1 or 2")

    def blocks(self, shape: "Shape") -> "Sequence[Block]":
        """One recurrent block for each layer."""
        from zhiyin.models.neural.recurrent import RecurrentBlock  # noqa: PLC0415 - the extra neural

        return [RecurrentBlock(shape) for _ in range(self.layers)]
