"""Recurrent blocks: one vector is carried along a history and changed by each event."""

import torch
from torch import nn

from zhiyin.models.neural.dropout import Dropout
from zhiyin.models.neural.encoder import Shape


class RecurrentBlock(nn.Module):
    """A layer of gated recurrent units (Cho et al. 2014), [b, t, d] -> [b, t, d]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.units = nn.GRU(shape.dimensions, shape.dimensions, batch_first=True)
        self.dropout = Dropout(shape.dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What is carried after each place."""
        nothing = x.new_zeros(1, x.shape[0], x.shape[2])  # said aloud, so that a graph works for any b
        carried, _ = self.units(x, nothing)  # [b, t, d]
        return self.dropout(carried)
