"""How fast a network learns: a function of how far the training has come, so that there is nothing else to keep."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from zhiyin.models.neural.curve import Epoch, in_vain


class Rate(Protocol):
    """A learning rate that changes."""

    def at(self, steps: int, curve: Sequence[Epoch]) -> float:
        """The learning rate of the next step, after so many and after these epochs."""
        ...


@dataclass(frozen=True)
class Cosine:
    """Up in a straight line, then down a half cosine to a hundredth."""

    highest: float
    steps: int  # in all
    warm_up: int = 200  # steps from a learning rate of zero to the whole

    def at(self, steps: int, curve: Sequence[Epoch]) -> float:  # noqa: ARG002 - the time alone decides
        """See `Rate.at`."""
        rise = min(1.0, (steps + 1) / max(self.warm_up, 1))
        fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(steps / max(self.steps, 1), 1.0)))
        return self.highest * (rise * fall)


@dataclass(frozen=True)
class Shrinking:
    """The same until an epoch is in vain; each such one makes all later steps smaller."""

    first: float
    decay: float = 0.1

    def at(self, steps: int, curve: Sequence[Epoch]) -> float:  # noqa: ARG002 - what came of it alone decides
        """See `Rate.at`."""
        return self.first * self.decay ** in_vain(curve)
