"""What a sequence model is taught by: the item that came next, above all others or above some drawn at random."""

from typing import Any, NamedTuple

import torch
from torch.nn import functional

_CHUNK = 1 << 22  # scores made at once: few enough to stay near, many enough to add up the gradients seldom
_PIECES = 16  # of a row: the rounding of their sums evens out
_GRAIN = 64  # places are filled up to a multiple: a CPU compiles a product for each shape that it meets
_LARGEST = 60.0  # of a score whose exponential can be summed as it is


class _Softmax(torch.autograd.Function):
    """Σ -ln softmax(h Eᵀ)[target], its gradients found while the scores are at hand and the scores never kept.

    The weights stay unnormalised, so that each score is read twice and no more: the sums divide h instead.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, table: torch.Tensor, targets: torch.Tensor, digits: torch.dtype
    ) -> torch.Tensor:
        places, vectors = len(hidden), table.to(digits)
        h = functional.pad(hidden.to(digits), (0, 0, 0, -places % _GRAIN))  # zeros, which add nothing to a gradient
        grad_h, grad_vectors = torch.empty(len(h), h.shape[1], device=h.device), torch.zeros_like(table)
        bounded = float(h.norm(dim=1).max() * vectors.norm(dim=1).max()) < _LARGEST if places else True
        rows = max(_CHUNK // len(vectors) // _GRAIN, 1) * _GRAIN
        room = torch.empty(min(rows, len(h)), len(vectors), dtype=digits, device=h.device)  # new pages would cost more
        total = torch.zeros((), device=h.device)
        for start in range(0, len(h), rows):
            part = h[start : start + rows]
            scores = torch.mm(part, vectors.T, out=room[: len(part)])  # [rows, c]
            most = torch.zeros(len(part), 1, device=h.device) if bounded else scores.amax(dim=1, keepdim=True).float()
            weights = scores.exp_() if bounded else scores.sub_(most).exp_()
            sums = _row_sums(weights)
            total += (sums.log() + most)[: places - start].sum()
            grad_h[start : start + rows] = (weights @ vectors) / sums
            grad_vectors += weights.T @ (part / sums).to(digits)
        wanted = table[targets]  # [p, d]
        total -= (hidden * wanted).sum()
        grad_vectors.index_add_(0, targets, hidden, alpha=-1.0)
        ctx.save_for_backward(grad_h[:places].sub_(wanted), grad_vectors)
        return total

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        grad_h, grad_vectors = ctx.saved_tensors
        return grad_h * grad, grad_vectors * grad, None, None


def _row_sums(weights: torch.Tensor) -> torch.Tensor:
    """float32[rows, 1]; from the sums of pieces, each rounded by itself: a copy of all in float32 takes five times."""
    pieces = [part.sum(dim=1, keepdim=True).float() for part in weights.chunk(_PIECES, dim=1)]
    return torch.cat(pieces, dim=1).sum(dim=1, keepdim=True)


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
        return _Softmax.apply(h, vectors, targets, digits)


class Rivals(NamedTuple):
    """What is expected at p places, what came there, and m items drawn for all of them together."""

    h: torch.Tensor  # float32[p, d]
    came: torch.Tensor  # float32[p, d], the vectors of what came
    others: torch.Tensor  # float32[m, d], the vectors of what was drawn
    targets: torch.Tensor  # int64[p], which items came
    drawn: torch.Tensor  # int64[m], which were drawn

    def scores(self) -> tuple[torch.Tensor, torch.Tensor]:
        """float32[p] of what came and float32[p, m] of what was drawn; -inf for what came, which counts once."""
        of_others = (self.h @ self.others.T).float()
        return (self.h * self.came).sum(dim=1), of_others.masked_fill(self.targets[:, None] == self.drawn, -torch.inf)


def sampled_softmax(rivals: Rivals, log_odds: torch.Tensor) -> torch.Tensor:
    """The cross entropy over what came and what was drawn, summed.

    Scores are lessened by ln q, the logarithm of how often an item is drawn, so that the loss aims at the softmax over
    all items (Bengio and Senécal 2008; Yi et al. 2019, equation 4).

    Parameters
    ----------
    log_odds
        float32[c]: ln q of each item.
    """
    came, others = rivals.scores()
    came, others = came - log_odds[rivals.targets], others - log_odds[rivals.drawn]
    scores = torch.cat([came[:, None], others], dim=1)  # [p, 1 + m]
    return functional.cross_entropy(scores, torch.zeros_like(rivals.targets), reduction="sum")


def calibrated_bce(rivals: Rivals, items: int, calibration: float) -> torch.Tensor:
    """Generalised binary cross entropy, summed (gSASRec, Petrov and Macdonald 2023).

    What is drawn at random is mostly easy to tell from what came, which makes a network sure of too much. A power beta
    of the probability of what came undoes it: 1 leaves it, and the smallest is as if all items had been drawn.

    Parameters
    ----------
    items
        How many there are to draw from, each as often as any.
    calibration
        From 0 to 1: t in the paper.
    """
    share = min(len(rivals.drawn) / max(items - 1, 1), 1.0)  # alpha in the paper
    beta = share * (calibration * (1 - 1 / share) + 1 / share)
    came, others = rivals.scores()
    gained = beta * functional.logsigmoid(came) + functional.logsigmoid(-others).sum(dim=1)
    return -gained.sum() / (1 + len(rivals.drawn))
