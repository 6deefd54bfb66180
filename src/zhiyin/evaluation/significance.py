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
from scipy.special import ndtr, ndtri

from zhiyin.types import Floats

SAMPLES = 2000
LEVEL = 0.95
MOST_UNITS = 10_000  # beyond, users are drawn in random cohorts: as exact, and the cost stays bounded
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


def ratio_interval(above: Floats, below: Floats, *, seed: int = 0, samples: int = SAMPLES) -> Interval:
    """Σ above / Σ below over users, such as errors over ratings given; plain percentiles of the resampled ratio."""
    users = int(np.count_nonzero(below))
    if users < 2:
        return Interval(float(above.sum() / below.sum()) if users else np.nan, np.nan, np.nan, users)
    drawn = _resampled_ratios(above[:, None], below[:, None], seed, samples)[:, 0]
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(above.sum() / below.sum()), float(low), float(high), users)


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
    known = ~np.isnan(values)
    return _resampled_ratios(np.where(known, values, 0.0), known.astype(np.float64), seed, samples)


def sign_flip_p_values(differences: Floats, *, seed: int, samples: int = SAMPLES) -> Floats:
    """float64[c]: two-sided p of each column of paired differences float64[b, c], were their signs a coin's."""
    rng = np.random.default_rng(seed)
    units = _cohorts(np.where(np.isnan(differences), 0.0, differences), rng)
    seen = np.abs(units.sum(axis=0))
    as_far = np.zeros(len(seen), np.int64)
    for size in _blocks(samples, len(units)):
        signs = rng.integers(0, 2, (size, len(units)), np.int8) * 2.0 - 1.0
        as_far += (np.abs(signs @ units) >= seen * (1 - 1e-12)).sum(axis=0)  # a hair below, for rounding
    return np.where(units.any(axis=0), (1 + as_far) / (1 + samples), 1.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for being asked together (Holm 1979): any below .05 is then a discovery at 5 % for all."""
    corrected, floor = [0.0] * len(p_values), 0.0
    for place, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        floor = max(floor, min(1.0, (len(p_values) - place) * p_values[i]))
        corrected[i] = floor
    return corrected


def _resampled_ratios(above: Floats, below: Floats, seed: int, samples: int) -> Floats:
    """float64[samples, c]: Σ above / Σ below, both float64[b, c], over users drawn with replacement."""
    rng = np.random.default_rng(seed)
    units = _cohorts(np.concatenate([above, below], axis=1), rng)
    blocks = [np.empty((0, above.shape[1]))]
    for size in _blocks(samples, len(units)):
        drawn = rng.integers(0, len(units), (size, len(units))) + len(units) * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
        tops, bottoms = np.split(weights @ units, 2, axis=1)
        blocks.append(np.divide(tops, bottoms, out=np.full(tops.shape, np.nan), where=bottoms > 0))
    return np.concatenate(blocks)


def _cohorts(sums: Floats, rng: np.random.Generator) -> Floats:
    """The rows that are drawn: users, or the sums of equally large random groups of them when they are many."""
    if len(sums) <= MOST_UNITS:
        return sums
    size = -(-len(sums) // MOST_UNITS)
    return np.add.reduceat(sums[rng.permutation(len(sums))], np.arange(0, len(sums), size), axis=0)


def _blocks(samples: int, units: int) -> Iterator[int]:
    """The samples in portions of bounded memory; none where there is nothing to draw."""
    size = max(1, _BLOCK_BYTES // (8 * max(units, 1)))
    for start in range(0, samples if units else 0, size):
        yield min(size, samples - start)


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
