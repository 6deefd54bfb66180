"""Transformer blocks: each place looks at itself and at those before."""

import torch
from torch import nn
from torch.nn import functional

from zhiyin.models.neural.dropout import Dropout
from zhiyin.models.neural.encoder import Shape


class Attention(nn.Module):
    """Causal self-attention in several heads (Vaswani et al. 2017, section 3.2), [b, t, d] -> [b, t, d]."""

    def __init__(self, dimensions: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inputs = nn.Linear(dimensions, 3 * dimensions)
        self.output = nn.Linear(dimensions, dimensions)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What each place gathers from those up to it."""
        b, t, d = x.shape
        queries, keys, values = (
            part.view(b, t, self.heads, d // self.heads).transpose(1, 2) for part in self.inputs(x).chunk(3, dim=-1)
        )  # [b, heads, t, d / heads]
        attend = _in_products if self.training and queries.dtype == torch.bfloat16 and not x.is_cuda else _fused
        return self.output(attend(queries, keys, values).transpose(1, 2).reshape(b, t, d))


def _fused(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)


def _in_products(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The same in plain products: on a CPU the gradients of the fused form take twice to eight times as long."""
    b, heads, t, d = queries.shape
    with torch.autocast(queries.device.type, enabled=False):
        later = torch.full((t, t), -torch.inf, dtype=queries.dtype).triu(1)
        q, k, v = (part.reshape(b * heads, t, d) for part in (queries, keys, values))
        weights = torch.baddbmm(later, q, k.mT, alpha=d**-0.5).softmax(dim=-1)  # [b * heads, t, t]
        return torch.bmm(weights, v).view(b, heads, t, d)


class TransformerBlock(nn.Module):
    """Attention and a feed-forward network, each normalised before and added to what was (SASRec, pre-norm)."""

    def __init__(self, shape: Shape, heads: int, widening: int = 4) -> None:
        super().__init__()
        d = shape.dimensions
        self.attention = Attention(d, heads)
        self.before_attention, self.before_network = nn.LayerNorm(d), nn.LayerNorm(d)
        self.network = nn.Sequential(nn.Linear(d, widening * d), nn.GELU(), nn.Linear(widening * d, d))
        self.dropout = Dropout(shape.dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[b, t, d] -> [b, t, d]."""
        x = x + self.dropout(self.attention(self.before_attention(x)))
        return x + self.dropout(self.network(self.before_network(x)))


class GatedBlock(nn.Module):
    """The same, each part let through by a gate that sees its input (LiGR, Borisyuk et al. 2024), with SwiGLU."""

    def __init__(self, shape: Shape, heads: int, widening: int = 4) -> None:
        super().__init__()
        d = shape.dimensions
        self.attention = Attention(d, heads)
        self.before_attention, self.before_network = nn.LayerNorm(d), nn.LayerNorm(d)
        self.gates = nn.ModuleList([nn.Linear(d, d), nn.Linear(d, d)])
        self.widen = nn.Linear(d, 2 * widening * d)
        self.narrow = nn.Linear(widening * d, d)
        self.dropout = Dropout(shape.dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[b, t, d] -> [b, t, d]."""
        y = self.before_attention(x)
        x = x + self.dropout(self.attention(y) * torch.sigmoid(self.gates[0](y)))
        y = self.before_network(x)
        left, right = self.widen(y).chunk(2, dim=-1)
        return x + self.dropout(self.narrow(functional.silu(left) * right) * torch.sigmoid(self.gates[1](y)))
