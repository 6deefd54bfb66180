"""The one loop that trains every network: batches, steps, validation, and the best of what was seen."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from zhiyin.models.neural.device import mixed_precision


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    learning_rate: float
    weight_decay: float = 0.0
    warm_up: int = 200  # steps from a learning rate of zero to the whole
    clip: float = 1.0  # the longest gradient
    patience: int = 10  # epochs without a better validation before it ends


class Epoch(NamedTuple):
    """One point of the curve."""

    epoch: int
    loss: float  # mean over what was predicted
    metric: float  # of the validation; NaN where there is none


class Step(NamedTuple):
    """What a batch costs."""

    loss: torch.Tensor  # summed
    predictions: int  # over how many


def train(
    network: nn.Module,
    batches: Callable[[int], Iterable[Callable[[], Step]]],
    schedule: Schedule,
    *,
    steps: int,
    validate: Callable[[], float] | None = None,
    watch: Callable[[Epoch], None] = lambda _: None,
) -> list[Epoch]:
    """Teach a network; it ends with the weights of the epoch that validated best, or of the last.

    Parameters
    ----------
    batches
        The batches of an epoch, each a call that answers with its loss.
    steps
        Batches of an epoch, about.
    validate
        The more the better.
    watch
        Told of each epoch.
    """
    optimizer = torch.optim.AdamW(
        network.parameters(), schedule.learning_rate, (0.9, 0.98), weight_decay=schedule.weight_decay
    )
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, _rate(schedule, steps))
    curve: list[Epoch] = []
    best, kept = -math.inf, _weights(network)
    since = 0
    for epoch in range(schedule.epochs):
        network.train()
        loss = _epoch(network, batches(epoch), optimizer, rates, schedule)
        network.eval()
        metric = validate() if validate else math.nan
        curve.append(Epoch(epoch, loss, metric))
        watch(curve[-1])
        since += 1
        if validate is None or metric > best:
            best, kept, since = metric, _weights(network), 0
        if since >= schedule.patience or not math.isfinite(loss):
            break
    network.load_state_dict(kept)
    return curve


def _epoch(
    network: nn.Module,
    batches: Iterable[Callable[[], Step]],
    optimizer: torch.optim.Optimizer,
    rates: torch.optim.lr_scheduler.LRScheduler,
    schedule: Schedule,
) -> float:
    """The mean loss."""
    where = next(network.parameters()).device
    total, counted = 0.0, 0
    for batch in batches:
        with mixed_precision(where):
            step = batch()
        optimizer.zero_grad(set_to_none=True)
        mean = step.loss / max(step.predictions, 1)
        mean.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
        optimizer.step()
        rates.step()
        total += float(step.loss.detach())
        counted += step.predictions
    return total / max(counted, 1)


def _rate(schedule: Schedule, steps: int) -> Callable[[int], float]:
    """Up in a straight line, then down a half cosine to a hundredth."""
    last = max(schedule.epochs * steps, 1)

    def rate(step: int) -> float:
        rise = min(1.0, (step + 1) / max(schedule.warm_up, 1))
        return rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(step / last, 1.0))))

    return rate


def _weights(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
