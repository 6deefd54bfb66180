"""How much an event still counts."""

import numpy as np
from numpy.typing import NDArray

from zhiyin.types import MICROSECONDS_PER_DAY, Times

MOST_HALF_LIVES = 60.0
"""Older than that is all equally old: smaller weights would drown in float32."""


def halved(ages: Times, half_life_days: float | None) -> NDArray[np.float64]:
    """float64, 1 for an age (µs) of zero or less and half as much for each half-life; None never halves."""
    if half_life_days is None:
        return np.ones(len(ages))
    half_lives = np.clip(ages / (half_life_days * MICROSECONDS_PER_DAY), 0.0, MOST_HALF_LIVES)
    return np.exp2(-half_lives)
