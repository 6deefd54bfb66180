"""Two stacks of hidden layers that are multiplied with each other."""

from dataclasses import dataclass

from zhiyin.models.click_blocks import Array, Inputs, Shapes, deep, deep_shapes, fused, fused_shapes
from zhiyin.models.deep_click_model import DeepClickModel
from zhiyin.models.settings import require


@dataclass(kw_only=True)
class FinalMLP(DeepClickModel):
    """Two stacks of hidden layers over the same features, joined by a bilinear form (Mao et al. 2023)."""

    second_layers: tuple[int, ...] = (64,)  # of the other stack
    heads: int = 4  # parts of either end that are multiplied with each other

    def __post_init__(self) -> None:
        super().__post_init__()
        wide = bool(self.second_layers) and all(width >= 1 for width in self.second_layers)
        require(self, "second_layers", wide, "one or more widths >= 1", "try [64]")
        ends = (self.layers[-1], self.second_layers[-1])
        divides = self.heads >= 1 and all(end % self.heads == 0 for end in ends)
        require(self, "heads", divides, f"a divisor of both last widths, {ends[0]} and {ends[1]}", "try 1 to 10")

    def shapes(self, fields: int) -> Shapes:
        """See `ClickNetwork.shapes`."""
        width = fields * self.dimensions
        stacks = deep_shapes("first", width, self.layers) | deep_shapes("second", width, self.second_layers)
        return stacks | fused_shapes(self.layers[-1], self.second_layers[-1], self.heads)

    def logits(self, inputs: Inputs) -> Array:
        """[r]; see `ClickNetwork.logits`."""
        first, second = deep("first", inputs, self.layers), deep("second", inputs, self.second_layers)
        return fused(inputs, first, second)
