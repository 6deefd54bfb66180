"""The one loop that trains every network: batches, steps, validation, and the best of what was seen."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from zhiyin.compute.ranks import rank
from zhiyin.models.neural.course import Course, Epoch, Schedule
from zhiyin.models.neural.device import mixed_precision
from zhiyin.models.neural.together import add_gradients, alike, of_first, total
from zhiyin.models.watch import Point, watch


class Step(NamedTuple):
    """What a batch costs, or the part of it that this process takes."""

    loss: torch.Tensor  # summed
    predictions: int  # over how many


Batches = Callable[[int], Iterable[Callable[[], Step]]]
"""The batches of an epoch, each a call that answers with its loss."""


def train(
    network: nn.Module,
    batches: Batches,
    schedule: Schedule,
    *,
    steps: int,
    validate: Callable[[], float] | None = None,
    key: str = "",
) -> list[Epoch]:
    """Teach a network; it ends with the weights of the epoch that validated best, or of the last.

    Whoever watches is told of each epoch. If he keeps states, then a training that was killed goes on after its last
    whole epoch, with the result that it would have had.

    Parameters
    ----------
    steps
        Batches of an epoch, about.
    validate
        The more the better.
    key
        What this training is and no other: a hash of its data, settings and first weights. Without, nothing is kept.
    """
    onlooker = watch()
    keeps = onlooker.keeps if key else None
    alike(network)
    course = Course(network, schedule, steps)
    if keeps and (state := keeps.read(key)) is not None:
        course.restore(state)
    while not course.is_over:
        epoch = len(course.curve)
        torch.manual_seed(_seed(schedule.seed, epoch))
        network.train()
        loss = _epoch(course, batches(epoch))
        network.eval()
        metric = of_first([validate()])[0] if validate else math.nan
        course.note(Epoch(epoch, loss, metric))
        onlooker.tell(Point(epoch + 1, schedule.epochs, loss, metric))
        if keeps and rank() == 0:
            keeps.write(key, course.state())
    network.eval()
    network.load_state_dict(course.best)
    return course.curve


def _epoch(course: Course, batches: Iterable[Callable[[], Step]]) -> float:
    """The mean loss."""
    parameters = list(course.network.parameters())
    where = parameters[0].device
    lost, counted = 0.0, 0.0
    for batch in batches:
        with mixed_precision(where):
            step = batch()
        (predictions,) = total([step.predictions])
        course.optimizer.zero_grad(set_to_none=True)
        mean = step.loss / max(predictions, 1)
        mean.backward()
        add_gradients(parameters)
        course.step()
        lost += float(step.loss.detach())
        counted += predictions
    return total([lost])[0] / max(counted, 1)


def _seed(seed: int, epoch: int) -> int:
    """Of what is random in an epoch; each process drops other dimensions."""
    return int(np.random.SeedSequence((seed, epoch, rank())).generate_state(1)[0])
