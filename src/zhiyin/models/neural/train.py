"""The one loop that trains every network: batches, steps, validation, and the best of what was seen."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from zhiyin.compute.ranks import rank, rank_count
from zhiyin.compute.threads import thread_count
from zhiyin.models.neural.course import Course, Schedule
from zhiyin.models.neural.curve import Epoch
from zhiyin.models.neural.device import mixed_precision
from zhiyin.models.neural.together import add_gradients, alike, join, of_first, total
from zhiyin.models.watch import Point, watch


class Step(NamedTuple):
    """What a batch costs, or the part of it that this process takes."""

    loss: torch.Tensor  # summed
    predictions: int  # over how many


Batches = Callable[[int], Iterable[Callable[[], Step]]]
"""The batches of an epoch, each a call that answers with its loss."""


class Validation(NamedTuple):
    """How good a network is at what it does not learn from."""

    name: str  # of the metric
    metric: Callable[[], float]  # the more the better


def train(
    network: nn.Module,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    *,
    validation: Validation | None = None,
    key: str = "",
) -> list[Epoch]:
    """Teach a network; it ends with the weights of the epoch that validated best, or of the last.

    Whoever watches is told of each epoch. If he keeps states, then a training that was killed goes on after its last
    whole epoch, with the result that it would have had.

    Parameters
    ----------
    optimizer
        Of the network's parameters; its learning rate is that of the schedule.
    key
        What this training is and no other; see `key_of`. Without, nothing is kept.
    """
    join()
    torch.set_num_threads(thread_count())
    onlooker = watch()
    keeps = onlooker.keeps if key else None
    alike(network)
    course = Course(network, optimizer, schedule)
    if keeps and (state := keeps.read(key)) is not None:
        course.restore(state)
    while not course.is_over:
        epoch = len(course.curve)
        torch.manual_seed(_seed(schedule.seed, epoch))
        network.train()
        loss = _epoch(course, batches(epoch))
        network.eval()
        alike(network)  # each has seen means and deviations of its own
        metric = _metric(validation)
        course.note(Epoch(epoch, loss, metric))
        onlooker.tell(Point(epoch + 1, schedule.epochs, loss, metric, validation.name if validation else ""))
        if keeps and rank() == 0:
            keeps.write(key, course.state())
    network.eval()
    network.load_state_dict(course.best)
    return course.curve


def shared(rows: NDArray[np.int64], step: Callable[[NDArray[np.int64]], Step]) -> Step:
    """The cost of those rows of a batch that this process takes; where nothing is left for it, a loss of nothing."""
    mine = rows[rank() :: rank_count()]
    return step(mine) if len(mine) else Step(0.0 * step(rows[:1]).loss, 0)


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


def _metric(validation: Validation | None) -> float:
    """What the first process finds, for all."""
    if validation is None:
        return math.nan
    return of_first([validation.metric() if rank() == 0 else math.nan])[0]


def _seed(seed: int, epoch: int) -> int:
    """Of what is random in an epoch; each process drops other dimensions."""
    return int(np.random.SeedSequence((seed, epoch, rank())).generate_state(1)[0])
