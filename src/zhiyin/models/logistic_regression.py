"""Every feature speaks for itself."""

from dataclasses import dataclass, field

from zhiyin.models.click_blocks import Array, Inputs
from zhiyin.models.click_model import ClickModel


@dataclass(kw_only=True)
class LogisticRegression(ClickModel):
    """A weight for every feature: the baseline of click prediction, which knows no two features together."""

    dimensions: int = field(init=False, default=0, repr=False, compare=False)  # no vectors

    def logits(self, inputs: Inputs) -> Array:
        """[r]; see `ClickNetwork.logits`."""
        return inputs.linear
