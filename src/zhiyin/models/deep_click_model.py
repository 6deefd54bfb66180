"""The shape of click models with hidden layers."""

from dataclasses import dataclass

from zhiyin.models.click_model import ClickModel
from zhiyin.models.settings import require


@dataclass(kw_only=True)
class DeepClickModel(ClickModel):
    """Hidden layers with batch normalisation (Ioffe and Szegedy 2015), ReLU and dropout."""

    layers: tuple[int, ...] = (128, 64)  # the widths of the hidden layers
    dropout: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 8 to 64")
        wide = bool(self.layers) and all(width >= 1 for width in self.layers)
        require(self, "layers", wide, "one or more widths >= 1", "try [128, 64] or [400, 400, 400]")
        require(self, "dropout", 0 <= self.dropout < 1, "from 0 to below 1", "try 0.1 to 0.5")

    @property
    def dropped(self) -> float:
        """The share of hidden numbers that are left out in training."""
        return self.dropout
