"""What a sequence model is taught by: the item that came next, above all others or above some drawn at random."""

from typing import Any

import torch
from torch.nn import functional

_CHUNK = 1 << 21  # scores made at once: they stay in the cache while they are used


class _Softmax(torch.autograd.Function):
    """Σ -ln softmax(h Eᵀ)[target], its gradients found while the scores are at hand and the scores never kept."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, table: torch.Tensor, targets: torch.Tensor, digits: torch.dtype
    ) -> torch.Tensor:
        h, vectors = hidden.to(digits), table.to(digits)
        grad_h = torch.empty_like(hidden)
        grad_vectors = torch.zeros(vectors.shape, dtype=torch.float32, device=vectors.device)
        total = torch.zeros((), device=h.device)
        rows = max(_CHUNK // len(vectors), 64)
        for start in range(0, len(h), rows):
            part, wanted = h[start : start + rows], targets[start : start + rows, None]
            scores = (part @ vectors.T).float()  # [rows, c]
            most = scores.amax(dim=1, keepdim=True)
            chosen = scores.gather(1, wanted)
            weights = scores.sub_(most).exp_()
            sums = weights.sum(dim=1, keepdim=True)
            total += (sums.log() + most - chosen).sum()
            weights.div_(sums)
            weights.scatter_add_(1, wanted, torch.full_like(chosen, -1.0))
            slopes = weights.to(h.dtype)
            grad_h[start : start + rows] = slopes @ vectors
            grad_vectors += (slopes.T @ part).float()
        ctx.save_for_backward(grad_h, grad_vectors)
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
