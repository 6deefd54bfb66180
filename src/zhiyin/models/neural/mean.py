"""Blocks that need no order: the mean of what was, and a network that reads one place at a time."""

import torch
from torch import nn

from zhiyin.models.neural.dropout import Dropout
from zhiyin.models.neural.encoder import Shape


class CausalMean(nn.Module):
    """The mean of each place and those before, each event back counting less, [b, t, d] -> [b, t, d]."""

    weights: torch.Tensor  # float32[window, window], each row sums to 1

    def __init__(self, shape: Shape, half_life_events: float) -> None:
        super().__init__()
        back = torch.arange(shape.window)[:, None] - torch.arange(shape.window)
        weights = torch.exp2(-back.clamp(min=0) / half_life_events).tril()
        self.register_buffer("weights", weights / weights.sum(dim=1, keepdim=True), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[b, t, d] -> [b, t, d]."""
        t = x.shape[1]
        return (x.mT @ self.weights[:t, :t].T).mT


class FeedForward(nn.Module):
    """A layer four times as wide as a vector, and back, added to what was."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        d = shape.dimensions
        self.network = nn.Sequential(
            nn.LayerNorm(d), nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d), Dropout(shape.dropout)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[b, t, d] -> [b, t, d]."""
        return x + self.network(x)
