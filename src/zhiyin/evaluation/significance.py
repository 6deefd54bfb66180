"""How sure a mean is, and whether one model beats another beyond noise.

Users are the independent draws; the same resamples serve every column of values, so that models are compared on the
same imagined worlds. Intervals are bootstrapped and corrected for bias and skew (BCa: Efron 1987, "Better bootstrap
confidence intervals"), because hit rates near zero are anything but symmetric. The test flips the signs of paired
differences (Fisher's randomisation test; Smucker et al. 2007 recommend it for rankings).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from zhiyin.types import Floats, Mask

SAMPLES = 2000
LEVEL = 0.95
_BLOCK_BYTES = 64 << 20  # memory for one block of resampling weights


@dataclass(frozen=True)
class Interval:
    """A mean over users with its 95 % bounds; bounds are NaN when fewer than two users are known."""

    mean: float
    low: float
    high: float
    users: int  # whose value is known
    missing: int = 0  # whose value is NaN: nothing relevant, nothing to say


@dataclass(frozen=True)
class Comparison:
    """Ours − theirs, paired by user; p_value is two-sided: how often chance alone differs at least as much."""

    difference: Interval
    p_value: float

    @property
    def better(self) -> bool:
        """Ours is higher, beyond noise."""
        return self.difference.low > 0 and self.p_value < 1 - LEVEL

    @property
    def worse(self) -> bool:
        """Ours is lower, beyond noise."""
        return self.difference.high < 0 and self.p_value < 1 - LEVEL


def interval(values: Floats, *, seed: int = 0, samples: int = SAMPLES) -> Interval:
    """The mean of float64[b] with its bounds; NaN values are left out and counted."""
    return intervals(values[:, None], seed=seed, samples=samples)[0]


def intervals(values: Floats, *, seed: int = 0, samples: int = SAMPLES) -> list[Interval]:
    """One interval per column of float64[b, c], all from the same resamples."""
    drawn = resampled_means(values, seed=seed, samples=samples)  # [samples, c]
    return [_bca(column, means) for column, means in zip(values.T, drawn.T, strict=True)]


def compare(ours: Floats, theirs: Floats, *, seed: int = 0, samples: int = SAMPLES) -> Comparison:
    """Whether float64[b] of one model is above that of another on the same users; NaN in either leaves a user out."""
    return comparisons(ours[:, None], theirs[:, None], seed=seed, samples=samples)[0]


def comparisons(ours: Floats, theirs: Floats, *, seed: int = 0, samples: int = SAMPLES) -> list[Comparison]:
    """One comparison per column of float64[b, c]; p-values stand for themselves: see `holm` for many at once."""
    differences = ours - theirs
    bounds = intervals(differences, seed=seed, samples=samples)
    p_values = sign_flip_p_values(differences, seed=seed, samples=samples)
    return [Comparison(bound, float(p)) for bound, p in zip(bounds, p_values, strict=True)]


def resampled_means(values: Floats, *, seed: int, samples: int = SAMPLES) -> Floats:
    """float64[samples, c]: means of float64[b, c] over users drawn with replacement; NaN values weigh nothing."""
    b, known = len(values), ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    blocks = []
    for rng, size in _blocks(seed, samples, b):
        drawn = rng.integers(0, b, (size, b)) + b * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * b).reshape(size, b).astype(np.float64)
        blocks.append(_quotient(weights @ filled, weights @ known))
    return np.concatenate(blocks) if blocks else np.full((samples, values.shape[1]), np.nan)


def sign_flip_p_values(differences: Floats, *, seed: int, samples: int = SAMPLES) -> Floats:
    """float64[c]: two-sided p of each column of paired differences float64[b, c], were their signs a coin's."""
    known = np.where(np.isnan(differences), 0.0, differences)
    seen = np.abs(known.sum(axis=0))
    as_far = np.zeros(len(seen), np.int64)
    for rng, size in _blocks(seed, samples, len(known)):
        signs = rng.integers(0, 2, (size, len(known)), np.int8) * 2.0 - 1.0
        as_far += (np.abs(signs @ known) >= seen * (1 - 1e-12)).sum(axis=0)  # a hair below, for rounding
    p_values: Floats = (1 + as_far) / (1 + samples)
    return np.where(known.any(axis=0), p_values, 1.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for being asked together (Holm 1979): any below .05 is then a discovery at 5 % for all."""
    corrected, floor = [0.0] * len(p_values), 0.0
    for place, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        floor = max(floor, min(1.0, (len(p_values) - place) * p_values[i]))
        corrected[i] = floor
    return corrected


def _blocks(seed: int, samples: int, b: int) -> Iterator[tuple[np.random.Generator, int]]:
    """The samples in portions of bounded memory, one stream of randomness through all."""
    rng = np.random.default_rng(seed)
    size = max(1, _BLOCK_BYTES // (8 * max(b, 1)))
    for start in range(0, samples if b else 0, size):
        yield rng, min(size, samples - start)


def _bca(values: Floats, means: Floats) -> Interval:
    """Percentiles of resampled means, moved for median bias z0 and acceleration a (Efron 1987, eq. 6.6)."""
    known = values[~np.isnan(values)]
    users, missing = len(known), len(values) - len(known)
    if users < 2:
        return Interval(float(known[0]) if users else np.nan, np.nan, np.nan, users, missing)
    mean = float(known.mean())
    spread = known - mean
    if not np.any(np.abs(spread) > 1e-12):
        return Interval(mean, mean, mean, users, missing)
    a = (spread**3).sum() / (6 * (spread**2).sum() ** 1.5)
    means = means[~np.isnan(means)]
    below: Any = (np.mean(means < mean) + np.mean(means <= mean)) / 2
    z0 = ndtri(np.clip(below, 1 / len(means), 1 - 1 / len(means)))
    z = z0 + ndtri(np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    low, high = np.quantile(means, ndtr(z0 + z / (1 - a * z)))
    return Interval(mean, float(low), float(high), users, missing)


def _quotient(above: Floats, below: Floats | NDArray[np.integer] | Mask) -> Floats:
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
