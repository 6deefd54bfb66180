"""A logistic regression beside hidden layers."""

from dataclasses import dataclass

from zhiyin.models.click_blocks import Array, Inputs, Shapes, deep, deep_shapes
from zhiyin.models.deep_click_model import DeepClickModel


@dataclass(kw_only=True)
class WideAndDeep(DeepClickModel):
    """The sum of a logistic regression, which remembers, and of hidden layers, which generalise (Cheng et al. 2016)."""

    def shapes(self, fields: int) -> Shapes:
        """See `ClickNetwork.shapes`."""
        return deep_shapes("deep", fields * self.dimensions, self.layers) | {"deep_out": (self.layers[-1],)}

    def logits(self, inputs: Inputs) -> Array:
        """[r]; see `ClickNetwork.logits`."""
        return inputs.linear + deep("deep", inputs, self.layers) @ inputs.weights["deep_out"]
