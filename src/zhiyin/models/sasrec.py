"""Self-attention over what somebody did."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from zhiyin.models.next_item import NextItem
from zhiyin.models.settings import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhiyin.models.neural.encoder import Block, Shape


@dataclass(kw_only=True)
class SASRec(NextItem):
    """Self-attentive sequential recommendation (Kang and McAuley 2018), trained by the softmax over all items.

    `block="gated"` is its modern form: gates around both parts and SwiGLU, as in eSASRec (Tikhonovich et al. 2025).
    """

    layers: int = 2
    heads: int = 2
    block: Literal["plain", "gated"] = "plain"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "layers", self.layers >= 1, ">= 1", "try 2 to 4")
        require(
            self,
            "heads",
            self.heads >= 1 and self.dimensions % self.heads == 0,
            "a divisor of dimensions",
            "try 1 to 8",
        )

    def blocks(self, shape: "Shape") -> "Sequence[Block]":
        """One transformer block for each layer."""
        from zhiyin.models.neural.attention import GatedBlock, TransformerBlock  # noqa: PLC0415 - the extra neural

        kind = GatedBlock if self.block == "gated" else TransformerBlock
        return [kind(shape, self.heads) for _ in range(self.layers)]
