"""Layers that multiply features beside hidden layers."""

from dataclasses import dataclass

from zhiyin.models.click_blocks import Array, Inputs, Shapes, cross, cross_shapes, deep, deep_shapes
from zhiyin.models.deep_click_model import DeepClickModel
from zhiyin.models.settings import require


@dataclass(kw_only=True)
class DCNv2(DeepClickModel):
    """Deep & Cross, version 2 (Wang et al. 2021), parallel: each cross layer multiplies by the features once more."""

    cross_layers: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "cross_layers", self.cross_layers >= 1, ">= 1", "try 2 to 4")

    def shapes(self, fields: int) -> Shapes:
        """See `ClickNetwork.shapes`."""
        width = fields * self.dimensions
        out: Shapes = {"cross_out": (width,), "deep_out": (self.layers[-1],)}
        return cross_shapes(width, self.cross_layers) | deep_shapes("deep", width, self.layers) | out

    def logits(self, inputs: Inputs) -> Array:
        """[r]; see `ClickNetwork.logits`."""
        crossed = cross(inputs, self.cross_layers) @ inputs.weights["cross_out"]
        return crossed + deep("deep", inputs, self.layers) @ inputs.weights["deep_out"]
