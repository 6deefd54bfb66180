"""Features speak for themselves and in pairs."""

from dataclasses import dataclass

from zhiyin.models.click_blocks import Array, Inputs, pairs
from zhiyin.models.click_model import ClickModel
from zhiyin.models.settings import require


@dataclass(kw_only=True)
class FM(ClickModel):
    """A factorisation machine (Rendle 2010): the inner product of their vectors is what two features say together."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 8 to 64")

    def logits(self, inputs: Inputs) -> Array:
        """[r]; see `ClickNetwork.logits`."""
        return inputs.linear + pairs(inputs.x)
