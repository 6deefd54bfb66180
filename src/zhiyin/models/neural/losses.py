"""What a sequence model is taught by: the item that came next, above all others or above some drawn at random."""

from typing import Any

import torch
from torch.nn import functional

_CHUNK = 1 << 20  # scores made at once: they stay in the cache while they are used
_LARGEST = 60.0  # of a score whose exponential can be summed as it is


class _Softmax(torch.autograd.Function):
    """Σ -ln softmax(h Eᵀ)[target], its gradients found while the scores are at hand and the scores never kept.

    The weights stay unnormalised, so that each score is read twice and no more: the sums divide h instead.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, table: torch.Tensor, targets: torch.Tensor, digits: torch.dtype
    ) -> torch.Tensor:
        h, vectors = hidden.to(digits), table.to(digits)
        grad_h, grad_vectors = torch.empty_like(hidden), torch.zeros_like(table)
        bounded = float(h.norm(dim=1).max() * vectors.norm(dim=1).max()) < _LARGEST if len(h) else True
        rows = max(_CHUNK // len(vectors), 32)
        total = torch.zeros((), device=h.device)
        for start in range(0, len(h), rows):
            part = h[start : start + rows]
            scores = part @ vectors.T  # [rows, c]
            most = torch.zeros(len(part), 1, device=h.device) if bounded else scores.amax(dim=1, keepdim=True).float()
            weights = scores.exp_() if bounded else scores.sub_(most).exp_()
            sums = weights.sum(dim=1, keepdim=True, dtype=torch.float32)
            total += (sums.log() + most).sum()
            grad_h[start : start + rows] = (weights @ vectors) / sums
            grad_vectors += weights.T @ (part / sums).to(digits)
        wanted = table[targets]  # [p, d]
        total -= (hidden * wanted).sum()
        grad_vectors.index_add_(0, targets, hidden, alpha=-1.0)
        ctx.save_for_backward(grad_h.sub_(wanted), grad_vectors)
        return total

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        grad_h, grad_vectors = ctx.saved_tensors
        return grad_h * grad, grad_vectors * grad, None, None


def softmax(h: torch.Tensor, vectors: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The cross entropy over all items, summed.

    Parameters
    ----------
    h
        float32[p, d]: what was expected at p places.
    vectors
        float32[c, d] of all items.
    targets
        int64[p]: which of them came.
    """
    where = h.device.type
    digits = torch.get_autocast_dtype(where) if torch.is_autocast_enabled(where) else h.dtype
    with torch.autocast(where, enabled=False):
        return _Softmax.apply(h, vectors, targets, digits)  # type: ignore[no-untyped-call]  # apply has no types


def sampled_softmax(
    h: torch.Tensor, vectors: torch.Tensor, targets: torch.Tensor, drawn: torch.Tensor, log_odds: torch.Tensor
) -> torch.Tensor:
    """The cross entropy over what came and items drawn for all places together, summed.

    Scores are lessened by ln q, the logarithm of how often an item is drawn, so that the loss aims at the softmax over
    all items (Bengio and Senécal 2008; Yi et al. 2019, equation 4). What came and was drawn too counts once.

    Parameters
    ----------
    drawn
        int64[m]: the items drawn.
    log_odds
        float32[c]: ln q of each item.
    """
    chosen = (h * vectors[targets]).sum(dim=1, keepdim=True) - log_odds[targets, None]  # [p, 1]
    others = h @ vectors[drawn].T - log_odds[drawn]  # [p, m]
    others = others.masked_fill(targets[:, None] == drawn, -torch.inf)
    scores = torch.cat([chosen, others], dim=1).float()
    return functional.cross_entropy(scores, torch.zeros_like(targets), reduction="sum")
