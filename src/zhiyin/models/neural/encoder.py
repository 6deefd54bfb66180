"""The skeleton of every sequence model: what is known of each event, then blocks, then what comes next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from zhiyin.models.neural.sequences import GAPS, Events

Block = nn.Module
"""float32[b, t, d] -> float32[b, t, d]; the vector at a place knows that place and those before, nothing after."""


@dataclass(frozen=True)
class Shape:
    """The sizes that an encoder is built from."""

    items: int
    kinds: int
    window: int
    dimensions: int
    dropout: float


class Encoder(nn.Module):
    """Vectors of what comes next, [b, t, d]; their inner products with the items' vectors are scores.

    An event is the sum of the vectors of its item, its place in the window, its kind and the time since the event
    before. A block costs a few lines: it sees [b, t, d] and gives [b, t, d].
    """

    def __init__(self, shape: Shape, blocks: Sequence[Block], *, positions: bool = True, times: bool = True) -> None:
        super().__init__()
        d = shape.dimensions
        self.items = nn.Embedding(shape.items + 1, d, padding_idx=0)
        self.positions = nn.Embedding(shape.window, d) if positions else None
        self.kinds = nn.Embedding(shape.kinds + 1, d, padding_idx=0) if shape.kinds > 1 else None
        self.gaps = nn.Embedding(GAPS, d) if times else None
        self.dropout = nn.Dropout(shape.dropout)
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(d)
        self._start(d)

    def forward(self, x: torch.Tensor, kinds: torch.Tensor, gaps: torch.Tensor) -> torch.Tensor:
        """float32[b, t, d] of the items' vectors [b, t, d] and int64[b, t] each; past the end of a history is noise."""
        if self.positions is not None:
            x = x + self.positions.weight[: x.shape[1]]
        if self.kinds is not None:
            x = x + self.kinds(kinds)
        if self.gaps is not None:
            x = x + self.gaps(gaps)
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x)
        return self.norm(x.float())  # a block may end in bfloat16

    def all(self, events: Events) -> torch.Tensor:
        """float32[b, t, d]: what comes after each event."""
        return self(self.items(events.items), events.kinds, events.gaps)

    def last(self, events: Events) -> torch.Tensor:
        """float32[b, d]: what comes after each history; of an empty one, noise."""
        x = self.all(events)
        ends = (events.lengths - 1).clamp(min=0)
        return x[torch.arange(len(x), device=x.device), ends]

    @property
    def item_vectors(self) -> torch.Tensor:
        """float32[items, d], the vectors that scores are made with."""
        return self.items.weight[1:]

    def _start(self, d: int) -> None:
        """Small vectors, so that all items score alike at first."""
        for part in (self.items, self.positions, self.kinds, self.gaps):
            if part is not None:
                nn.init.normal_(part.weight, std=d**-0.5 if part is self.items else 0.02)
        with torch.no_grad():
            self.items.weight[0] = 0


MakesBlocks = Callable[[Shape], Sequence[Block]]
