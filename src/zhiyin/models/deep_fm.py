"""A factorisation machine beside hidden layers."""

from dataclasses import dataclass

from zhiyin.models.click_blocks import Array, Inputs, Shapes, deep, deep_shapes, pairs
from zhiyin.models.deep_click_model import DeepClickModel


@dataclass(kw_only=True)
class DeepFM(DeepClickModel):
    """The sum of a factorisation machine and of hidden layers, over the same vectors (Guo et al. 2017)."""

    def shapes(self, fields: int) -> Shapes:
        """See `ClickNetwork.shapes`."""
        return deep_shapes("deep", fields * self.dimensions, self.layers) | {"deep_out": (self.layers[-1],)}

    def logits(self, inputs: Inputs) -> Array:
        """[r]; see `ClickNetwork.logits`."""
        stack = deep("deep", inputs, self.layers) @ inputs.weights["deep_out"]
        return inputs.linear + pairs(inputs.x) + stack
