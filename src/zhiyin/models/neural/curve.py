"""What came of the epochs of a training."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Epoch(NamedTuple):
    """One point of the curve."""

    epoch: int
    loss: float  # mean over what was predicted
    metric: float  # of the validation; NaN where there is none


def best(curve: Sequence[Epoch]) -> int:
    """The first epoch with the highest metric, or the last where nothing is validated; -1 is before the first."""
    metrics = [one.metric for one in curve]
    if all(map(math.isnan, metrics)):
        return len(metrics) - 1
    return int(np.nanargmax(metrics))


def in_vain(curve: Sequence[Epoch]) -> int:
    """How many epochs were no better than the best before them; none where nothing is validated."""
    metrics = np.array([one.metric for one in curve])
    before = np.fmax.accumulate(np.concatenate([[-np.inf], metrics]))[:-1]
    return int(np.count_nonzero(metrics <= before))
