"""How unevenly events fall on the items: what the best sellers take, and what nobody ever touched."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhiyin.registry.release import Release

TOPS = (0.01, 0.1, 0.2, 0.5)
"""Shares of the catalogue, the most touched items first."""


@dataclass(frozen=True)
class LongTail:
    """Of the events that a release has learnt from."""

    items: int
    untouched: int
    shares: tuple[float, ...]
    """Of the events, what falls on each of `TOPS`; empty without events."""
    most: tuple[tuple[int, int], ...]
    """Index and events of the most touched items."""

    @classmethod
    def of(cls, release: Release, most: int = 5) -> "LongTail":
        """That of a release."""
        touched = release.histories.items
        counts = np.bincount(touched[touched >= 0], minlength=len(release.items))
        best = np.argsort(-counts, kind="stable")[:most]
        top = tuple((int(item), int(counts[item])) for item in best if counts[item])
        return cls(len(counts), int((counts == 0).sum()), top_shares(counts), top)


def top_shares(counts: NDArray[np.int64]) -> tuple[float, ...]:
    """Of all events the part of the first 1, 10, 20 and 50 % of the items, at least one item each."""
    total = int(counts.sum())
    if not total:
        return ()
    so_far = np.cumsum(np.sort(counts)[::-1])
    return tuple(float(so_far[max(1, round(top * len(counts))) - 1] / total) for top in TOPS)
