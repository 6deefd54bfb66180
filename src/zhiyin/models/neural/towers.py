"""Vectors made from what is known of somebody or something: weighted terms in, a vector out."""

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import nn
from torch.nn import functional


class Terms(nn.Module):
    """The weighted sum of the vectors of each row's terms, int64[b] of rows -> float32[b, width]."""

    starts: torch.Tensor  # int64[rows]
    counts: torch.Tensor  # int64[rows]
    terms: torch.Tensor  # int64[cells]
    shares: torch.Tensor  # float32[cells]

    def __init__(self, matrix: csr_array, width: int, deviation: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(matrix.shape[1], width) * deviation)
        self.register_buffer("starts", torch.from_numpy(matrix.indptr[:-1].astype(np.int64)))
        self.register_buffer("counts", torch.from_numpy(np.diff(matrix.indptr).astype(np.int64)))
        self.register_buffer("terms", torch.from_numpy(matrix.indices.astype(np.int64)))
        self.register_buffer("shares", torch.from_numpy(matrix.data.astype(np.float32)))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """float32[b, width]; zeros for a row without terms."""
        counts = self.counts[rows]
        offsets = counts.cumsum(0) - counts
        cells = torch.repeat_interleave(self.starts[rows] - offsets, counts)
        cells = cells + torch.arange(len(cells), device=cells.device)
        return functional.embedding_bag(
            self.terms[cells], self.weight, offsets, mode="sum", per_sample_weights=self.shares[cells]
        )


class ItemTower(nn.Module):
    """What the attributes of an item say, through a hidden layer, plus a vector of its own (Yi et al. 2019).

    At each step a share of the items are shown without their own, as if nobody had touched them yet, so that the
    attributes learn to speak alone (DropoutNet, Volkovs et al. 2017).
    """

    def __init__(self, matrix: csr_array, dimensions: int, hidden: int, unknown_share: float) -> None:
        super().__init__()
        padded = csr_array(
            (matrix.data, matrix.indices, np.append(0, matrix.indptr)), (matrix.shape[0] + 1, matrix.shape[1])
        )
        self.terms = Terms(padded, hidden, 1.0)
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.output = nn.Parameter(torch.randn(hidden, dimensions) * (hidden * dimensions) ** -0.5)
        self.own = nn.Parameter(torch.randn(matrix.shape[0] + 1, dimensions) * dimensions**-0.5)
        self.unknown_share = unknown_share

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        """float32[..., d] of int64[...], 1 + the place; of 0, which is no item, noise."""
        distinct, where = torch.unique(places, return_inverse=True)
        described = functional.relu(self.terms(distinct) + self.bias) @ self.output
        own = self.own[distinct]
        if self.training:
            own = own * (torch.rand(len(own), 1, device=own.device) >= self.unknown_share)
        return (described + own)[where]

    @property
    def weight(self) -> torch.Tensor:
        """float32[1 + c, d], of all places."""
        return self(torch.arange(len(self.own), device=self.own.device))
