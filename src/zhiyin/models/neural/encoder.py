"""The skeleton of every sequence model: what is known of each event, then blocks, then what comes next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from zhiyin.models.neural.dropout import Dropout
from zhiyin.models.neural.sequences import GAPS, Events

Block: TypeAlias = nn.Module
"""float32[b, t, d] -> float32[b, t, d]; the vector at a place knows that place and those before, nothing after."""


@dataclass(frozen=True)
class Shape:
    """The sizes that an encoder is built from."""

    items: int
    kinds: int
    window: int
    dimensions: int
    dropout: float
    temperature: float | None = None  # of cosines; None: inner products of vectors of any length


class Parts(NamedTuple):
    """What a model may have otherwise than most."""

    items: nn.Module | None = None  # int64[...] of 1 + places -> float32[..., d], and `weight` [1 + c, d] of all
    people: nn.Module | None = None  # int64[b] of who it is -> float32[b, d], what is known of them
    positions: bool = True  # whether an event knows how many came before it


_PLAIN = Parts()


class Encoder(nn.Module):
    """Vectors of what comes next, [b, t, d]; their inner products with the items' vectors are scores.

    An event is the sum of the vectors of its item, its place in the window, its kind and the time since the event
    before. A block costs a few lines: it sees [b, t, d] and gives [b, t, d].

    With a temperature, vectors of items have length 1 and scores are cosines over it, so that no item is favoured for
    being popular (NISER, Gupta et al. 2019).
    """

    def __init__(self, shape: Shape, blocks: Sequence[Block], parts: Parts = _PLAIN) -> None:
        super().__init__()
        d = shape.dimensions
        self.items = nn.Embedding(shape.items + 1, d, padding_idx=0) if parts.items is None else parts.items
        self.people = parts.people
        self.temperature = shape.temperature
        self.positions = nn.Embedding(shape.window, d) if parts.positions else None
        self.kinds = nn.Embedding(shape.kinds + 1, d, padding_idx=0) if shape.kinds > 1 else None
        self.gaps = nn.Embedding(GAPS, d)
        self.dropout = Dropout(shape.dropout)
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(d)
        self._start(d)

    def forward(self, x: torch.Tensor, kinds: torch.Tensor, gaps: torch.Tensor) -> torch.Tensor:
        """float32[b, t, d] of the items' vectors [b, t, d] and int64[b, t] each; past the end of a history is noise."""
        if self.positions is not None:
            x = x + self.positions.weight[: x.shape[1]]
        if self.kinds is not None:
            x = x + self.kinds(kinds)
        x = self.dropout(x + self.gaps(gaps))
        for block in self.blocks:
            x = block(x)
        x = self.norm(x.float())  # a block may end in bfloat16
        return x if self.temperature is None else functional.normalize(x, dim=-1) / self.temperature

    def all(self, events: Events, known: torch.Tensor | None = None) -> torch.Tensor:
        """float32[b, t, d]: what comes after each event; `known` float32[b, d] is what is known of each person."""
        x = self.vectors_of(events.items)
        return self(x if known is None else x + known[:, None], events.kinds, events.gaps)

    def last(self, events: Events, known: torch.Tensor | None = None) -> torch.Tensor:
        """float32[b, d]: what comes after each history; of an empty one, noise."""
        x = self.all(events, known)
        ends = (events.lengths - 1).clamp(min=0)
        return x[torch.arange(len(x), device=x.device), ends]

    def known(self, owners: NDArray[np.int64]) -> torch.Tensor | None:
        """float32[b, d]: what is known of these people, where that is asked at all."""
        return None if self.people is None else self.people(torch.from_numpy(owners).to(self.norm.weight.device))

    def vectors_of(self, places: torch.Tensor) -> torch.Tensor:
        """float32[..., d] of int64[...], 1 + the item's place; 0 is no item."""
        return self._as_scored(self.items(places))

    @property
    def item_vectors(self) -> torch.Tensor:
        """float32[items, d], the vectors that scores are made with."""
        return self._as_scored(cast(torch.Tensor, self.items.weight)[1:])

    def _as_scored(self, vectors: torch.Tensor) -> torch.Tensor:
        return vectors if self.temperature is None else functional.normalize(vectors, dim=-1)

    def _start(self, d: int) -> None:
        """Small vectors, so that all items score alike at first."""
        for part in (self.items, self.positions, self.kinds, self.gaps):
            if isinstance(part, nn.Embedding):
                nn.init.normal_(part.weight, std=d**-0.5 if part is self.items else 0.02)
                if part.padding_idx is not None:
                    with torch.no_grad():
                        part.weight[0] = 0


MakesBlocks = Callable[[Shape], Sequence[Block]]
