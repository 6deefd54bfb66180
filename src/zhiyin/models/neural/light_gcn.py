"""How LightGCN learns: one step of Adam over the whole graph at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from scipy.sparse import csr_array
from torch.nn import functional

from zhiyin.compute.dense_product import dense_product
from zhiyin.compute.threads import over_blocks
from zhiyin.models.neural.device import device, multiplies_bfloat16
from zhiyin.types import Vectors

_BLOCK = 512  # people whose scores are made at once: these stay in the cache
_MOST_PAIRS = 1 << 17  # compared in an epoch: the pairwise loss keeps vectors for each pair
_WARM_UP = 10  # epochs until the learning rate is whole
_DEVIATION = 0.1  # of the vectors at the start, as in the paper

Sparse: TypeAlias = csr_array | torch.Tensor
Layers: TypeAlias = list[torch.Tensor | None]
"""Vectors after 0, 1, … steps; None is zero."""
Loss: TypeAlias = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Of the final vectors of people [m, d] and of items [c, d]."""


class Settings(Protocol):
    """How to learn; see `LightGCN`."""

    dimensions: int
    layers: int
    epochs: int
    learning_rate: float
    l2: float
    loss: Any
    temperature: float
    negatives: int
    own_vectors: bool
    seed: int


class Links:
    """A sparse matrix of people and items that multiplies dense ones: on a CPU by our own loop, the fastest there."""

    def __init__(self, matrix: csr_array, where: torch.device) -> None:
        self._across, self._back = _on(matrix, where), _on(matrix.T.tocsr(), where)

    def to_people(self, items: torch.Tensor) -> torch.Tensor:
        """float32[m, d] of float32[c, d]."""
        return _Product.apply(self._across, self._back, items)

    def to_items(self, people: torch.Tensor) -> torch.Tensor:
        """float32[c, d] of float32[m, d]."""
        return _Product.apply(self._back, self._across, people)


class _Product(torch.autograd.Function):
    """A constant sparse matrix times a dense one; the gradient is the transposed times that of the product."""

    @staticmethod
    def forward(ctx: Any, matrix: Sparse, transposed: Sparse, vectors: torch.Tensor) -> torch.Tensor:
        ctx.transposed = transposed
        return _times(matrix, vectors)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[None, None, torch.Tensor]:
        return None, None, _times(ctx.transposed, grad)


class _LogSums(torch.autograd.Function):
    """Σ_u weight_u ln Σ_j exp p_u·v_j, its gradients found while the scores are at hand and the scores never kept."""

    @staticmethod
    def forward(ctx: Any, people: torch.Tensor, items: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        digits = torch.bfloat16 if multiplies_bfloat16(people.device) else torch.float32
        p, v = people.detach().to(digits), items.detach().to(digits)  # a thread of ours would track gradients
        grad_people, found = torch.empty_like(people), dict[int, tuple[torch.Tensor, torch.Tensor]]()

        def task(start: int, end: int) -> None:
            total, grad = torch.zeros((), device=people.device), torch.zeros_like(items)
            for first in range(start, end, _BLOCK):
                rows = slice(first, min(first + _BLOCK, end))
                scores = (p[rows] @ v.T).float()  # [block, j]
                most = scores.amax(dim=1, keepdim=True)
                slopes = scores.sub_(most).exp_()
                sums = slopes.sum(dim=1, keepdim=True)
                total += weights[rows] @ (sums.log() + most)[:, 0]
                slopes = slopes.mul_(weights[rows, None] / sums).to(digits)
                grad_people[rows] = (slopes @ v).float()
                grad += (slopes.T @ p[rows]).float()
            found[start] = total, grad

        over_blocks(len(p), task)
        totals, grads = zip(*(found[start] for start in sorted(found)), strict=True)  # in order: float sums have one
        grad_items = torch.stack(grads).sum(dim=0)
        ctx.save_for_backward(grad_people, grad_items)
        return torch.stack(totals).sum()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        grad_people, grad_items = ctx.saved_tensors
        return grad_people * grad, grad_items * grad, None


def learned(settings: Settings, x: csr_array, graph: csr_array) -> Vectors:
    """float32[layers + 1, c, d]: the vectors of the items after each number of steps.

    Parameters
    ----------
    x
        float32[m, c]: how strongly each person chose each item.
    graph
        float32[m, c]: the same, normalised, of which a step is made.
    """
    where = device()
    draws = torch.Generator().manual_seed(settings.seed)
    items = _start(x.shape[1], settings.dimensions, draws, where)
    people = _start(x.shape[0], settings.dimensions, draws, where) if settings.own_vectors else None
    links, loss = Links(graph, where), (_pairwise if settings.loss == "bpr" else _softmax)(settings, x, draws, where)
    optimizer = torch.optim.Adam([items] if people is None else [items, people], settings.learning_rate, fused=True)
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda epoch: min((epoch + 1) / _WARM_UP, 1.0) * (1 - epoch / settings.epochs)
    )
    shares = _shares(x, where)
    with _one_thread():
        for _ in range(settings.epochs):
            optimizer.zero_grad()
            ends = [_mean(layers) for layers in spread(links, people, items, settings.layers)]
            lengths = _lengths(items, shares[1]) + (0.0 if people is None else _lengths(people, shares[0]))
            (loss(*ends) + settings.l2 / 2 * lengths).backward()
            optimizer.step()
            rates.step()
        with torch.no_grad():
            _, found = spread(links, people, items, settings.layers)
    return np.stack([(torch.zeros_like(items) if layer is None else layer).detach().cpu().numpy() for layer in found])


def spread(links: Links, people: torch.Tensor | None, items: torch.Tensor, layers: int) -> tuple[Layers, Layers]:
    """The vectors of people and of items after each number of steps."""
    of_people: Layers = [people]
    of_items: Layers = [items]
    for _ in range(layers):
        people, items_before = of_people[-1], of_items[-1]
        of_people.append(None if items_before is None else links.to_people(items_before))
        of_items.append(None if people is None else links.to_items(people))
    return of_people, of_items


def _softmax(settings: Settings, x: csr_array, draws: torch.Generator, where: torch.device) -> Loss:
    """The mean over what was chosen of -s_ui + ln Σ_j exp s_uj, with s the cosine over the temperature."""
    weights, _ = _shares(x, where)
    chosen = Links(csr_array((x.data / x.sum(), x.indices, x.indptr), shape=x.shape), where)

    def loss(people: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        p, v = functional.normalize(people, dim=1) / settings.temperature, functional.normalize(items, dim=1)
        drawn = torch.randint(len(v), (settings.negatives,), generator=draws).to(where)
        all_drawn = _LogSums.apply(p, v.index_select(0, drawn), weights)
        return all_drawn - (p * chosen.to_people(v)).sum()  # the chosen of a person by one product, not one by one

    return loss


def _pairwise(_: Settings, x: csr_array, draws: torch.Generator, where: torch.device) -> Loss:
    """The mean of -ln σ(s_ui - s_uj), where u chose i and not j (BPR)."""
    m, c = x.shape
    users = np.repeat(np.arange(m), np.diff(x.indptr))
    cells = torch.from_numpy(users * c + x.indices)  # ascending
    strengths = torch.from_numpy(x.data)

    def loss(people: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        at = torch.randperm(len(cells), generator=draws)[:_MOST_PAIRS]
        u, i = cells[at] // c, cells[at] % c
        j = torch.randint(c, (len(at),), generator=draws)
        drawn = u * c + j
        near = torch.searchsorted(cells, drawn).clamp(max=len(cells) - 1)
        weights = torch.where(cells[near] == drawn, 0.0, strengths[at]).to(where)
        p, v, w = (side.index_select(0, rows.to(where)) for side, rows in ((people, u), (items, i), (items, j)))
        return -(weights * functional.logsigmoid((p * (v - w)).sum(dim=1))).mean()

    return loss


def _shares(x: csr_array, where: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """float32[m], float32[c]: of all that was chosen, the part of each person and each item; as l2 counts them."""
    people, items = (np.asarray(x.sum(axis=axis) / x.sum(), np.float32) for axis in (1, 0))
    return torch.from_numpy(people).to(where), torch.from_numpy(items).to(where)


def _start(rows: int, dimensions: int, draws: torch.Generator, where: torch.device) -> torch.Tensor:
    return (_DEVIATION * torch.randn(rows, dimensions, generator=draws)).to(where).requires_grad_()


def _lengths(vectors: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    return vectors.square().sum(dim=1) @ shares


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch's threads wait by spinning, which took twenty times as long beside other work; ours do not."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _mean(layers: Layers) -> torch.Tensor:
    return torch.stack([layer for layer in layers if layer is not None]).sum(dim=0) / len(layers)


def _on(matrix: csr_array, where: torch.device) -> Sparse:
    if where.type == "cpu":
        return csr_array(
            (matrix.data.astype(np.float32), matrix.indices.astype(np.int32), matrix.indptr), shape=matrix.shape
        )
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    places = torch.from_numpy(np.stack([rows, matrix.indices.astype(np.int64)]))
    return torch.sparse_coo_tensor(
        places, torch.from_numpy(matrix.data), matrix.shape, device=where, is_coalesced=True, check_invariants=False
    )


def _times(matrix: Sparse, vectors: torch.Tensor) -> torch.Tensor:
    if isinstance(matrix, torch.Tensor):
        return torch.sparse.mm(matrix, vectors)
    return torch.from_numpy(dense_product(matrix, vectors.detach().numpy()))
