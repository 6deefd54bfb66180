"""What mattered in a search: how much of the difference between trials each hyper-parameter accounts for."""

import numpy as np
from numpy.typing import ArrayLike

from zhiyin.types import Floats

FEWEST = 8
"""Trials below which nothing can be said."""

_PER_GROUP, _MOST_GROUPS = 4, 6


def importance(settings: ArrayLike, values: ArrayLike) -> float:
    """The share of the variance of `values` that lies between groups of like `settings`, from 0 to 1.

    Settings are numbers; they are cut into groups of equal size, and what groups made at random would share is taken
    off (epsilon squared, Kelley 1935). It looks at one hyper-parameter at a time, as the first term of a functional
    analysis of variance does (Hutter, Hoos and Leyton-Brown 2014). NaN for fewer than eight trials.
    """
    given, found = np.asarray(settings, np.float64), np.asarray(values, np.float64)
    if len(found) < FEWEST:
        return float("nan")
    groups = _groups(given)
    count = int(groups.max()) + 1
    total = float(((found - found.mean()) ** 2).sum())
    if count < 2 or total <= 0:
        return 0.0
    sizes = np.bincount(groups, minlength=count)
    means = np.bincount(groups, found, count) / sizes
    within = float(((found - means[groups]) ** 2).sum()) / (len(found) - count)
    return float(np.clip(1.0 - within / (total / (len(found) - 1)), 0.0, 1.0))


def _groups(settings: Floats) -> np.ndarray:
    """int64[trials]: groups of about equal size and ascending settings; equal settings are in one group."""
    count = min(_MOST_GROUPS, len(settings) // _PER_GROUP)
    edges = np.quantile(settings, np.arange(1, count) / count)
    return np.unique(np.searchsorted(edges, settings, side="right"), return_inverse=True)[1]
