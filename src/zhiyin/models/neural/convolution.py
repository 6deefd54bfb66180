"""Convolutional blocks: each place looks at itself and at a fixed pattern of places before."""

import torch
from torch import nn
from torch.nn import functional

from zhiyin.models.neural.dropout import Dropout
from zhiyin.models.neural.encoder import Shape


class CausalConvolution(nn.Conv1d):
    """A convolution over places, [b, in, t] -> [b, out, t], whose last tap is the place itself."""

    def __init__(self, inputs: int, outputs: int, width: int, dilation: int = 1) -> None:
        super().__init__(inputs, outputs, width, dilation=dilation)
        self.before = (width - 1) * dilation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """With zeros before the first place."""
        return super().forward(functional.pad(x, (self.before, 0)))


class DilatedBlock(nn.Module):
    """Two convolutions, the second with twice the gaps, added to what was (NextItNet, Yuan et al. 2019, figure 3b)."""

    def __init__(self, shape: Shape, width: int, dilation: int) -> None:
        super().__init__()
        d = shape.dimensions
        self.near, self.far = CausalConvolution(d, d, width, dilation), CausalConvolution(d, d, width, 2 * dilation)
        self.after_near, self.after_far = nn.LayerNorm(d), nn.LayerNorm(d)
        self.dropout = Dropout(shape.dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[b, t, d] -> [b, t, d]."""
        y = functional.relu(self.after_near(self.near(x.mT).mT))
        y = functional.relu(self.after_far(self.far(y.mT).mT))
        return x + self.dropout(y)


class CaserBlock(nn.Module):
    """The newest `reach` events as a picture, seen by horizontal and by vertical filters (Tang and Wang 2018).

    A horizontal filter is a few events high and as wide as a vector: its best match among the events tells. A vertical
    filter is a weighted sum of the events. Here all places are computed at once, each with its own newest events.
    """

    def __init__(self, shape: Shape, reach: int, horizontal: int, vertical: int) -> None:
        super().__init__()
        d = shape.dimensions
        self.reach = reach
        self.horizontal = nn.ModuleList([nn.Conv1d(d, horizontal, height) for height in range(1, reach + 1)])
        self.vertical = nn.Linear(reach, vertical, bias=False)
        self.together = nn.Linear(reach * horizontal + vertical * d, d)
        self.dropout = Dropout(shape.dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[b, t, d] -> [b, t, d]."""
        padded, t = functional.pad(x, (0, 0, self.reach - 1, 0)), x.shape[1]
        matches = [self._best(part(padded.mT), height) for height, part in enumerate(self.horizontal, 1)]  # [b, h, t]
        newest = torch.stack([padded[:, back : back + t] for back in range(self.reach)], dim=3)  # [b, t, d, reach]
        sums = self.vertical(newest).flatten(2)  # [b, t, d · vertical]
        seen = torch.cat([*(part.mT for part in matches), sums], dim=2)
        return functional.relu(self.together(self.dropout(seen)))

    def _best(self, matches: torch.Tensor, height: int) -> torch.Tensor:
        """The strongest match among the newest events, [b, h, t + reach - height] -> [b, h, t]."""
        return functional.max_pool1d(functional.relu(matches), self.reach - height + 1, 1)
