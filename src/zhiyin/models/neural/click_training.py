"""How a network over features learns to tell clicks from the rest."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from zhiyin.models.click_network import Part
from zhiyin.models.neural.click_module import ClickModule
from zhiyin.models.neural.device import mixed_precision


class Batch(NamedTuple):
    """Some examples and what became of them."""

    parts: tuple[Part, ...]
    labels: NDArray[np.float32]  # [examples], 1 for a click, 0 for none
    weights: NDArray[np.float32] | None = None  # [examples]; None: all alike


class Epoch(NamedTuple):
    """One point of the curve."""

    epoch: int
    loss: float  # mean over the examples
    metric: float  # of the validation; NaN where there is none


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    learning_rate: float
    table_l2: float = 0.0  # the penalty λ/2 Σ v² on the vectors of the features
    patience: int = 2  # epochs without a better validation before it ends; …
    decay: float = 0.1  # … each of them multiplies the learning rate by this


def train(
    module: ClickModule,
    batches: Callable[[int], Iterable[Batch]],
    schedule: Schedule,
    validate: Callable[[], float] | None = None,
    watch: Callable[[Epoch], None] = lambda _: None,
) -> list[Epoch]:
    """Teach by log loss, with Adam (Kingma and Ba 2015); it ends with the weights of the epoch that validated best."""
    tables = [value for name, value in module.weights.items() if name.endswith("_table")]
    others = [value for name, value in module.named_parameters() if not name.endswith("_table")]
    groups: list[dict[str, Any]] = [{"params": tables, "weight_decay": schedule.table_l2}, {"params": others}]
    optimizer = torch.optim.Adam(groups, lr=schedule.learning_rate, fused=True)
    curve: list[Epoch] = []
    best, kept, since = -np.inf, _state(module), 0
    for epoch in range(schedule.epochs):
        module.train()
        loss = _epoch(module, batches(epoch), optimizer)
        module.eval()
        metric = validate() if validate else float("nan")
        curve.append(Epoch(epoch, loss, metric))
        watch(curve[-1])
        if validate is None or metric > best:
            best, kept, since = metric, _state(module), 0
            continue
        since += 1
        if since >= schedule.patience:
            break
        for group in optimizer.param_groups:
            group["lr"] *= schedule.decay
    module.load_state_dict(kept)
    return curve


def predicted(module: ClickModule, batches: Iterable[Batch]) -> NDArray[np.float32]:
    """float32[examples]: the logits."""
    with torch.inference_mode():
        found = [module(batch.parts).cpu().numpy() for batch in batches]
    return np.concatenate([np.empty(0, np.float32), *found])


def _epoch(module: ClickModule, batches: Iterable[Batch], optimizer: torch.optim.Optimizer) -> float:
    """The mean loss."""
    where = module.weights["constant"].device
    total, counted = 0.0, 0
    for batch in batches:
        labels = torch.from_numpy(batch.labels).to(where)
        weights = None if batch.weights is None else torch.from_numpy(batch.weights).to(where)
        with mixed_precision(where):
            logits = module(batch.parts)
        loss = functional.binary_cross_entropy_with_logits(logits, labels, weights)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += float(loss.detach()) * len(labels)
        counted += len(labels)
    return total / max(counted, 1)


def _state(module: ClickModule) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
