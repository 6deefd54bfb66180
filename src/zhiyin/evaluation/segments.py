"""For whom it works: newcomers, light and heavy users, and items that training hardly knew."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhiyin.types import Mask

NEW_BELOW = 5
"""Events below which a person or an item is new: too few for collaborative models to say much."""


@dataclass(frozen=True)
class Segment:
    """A part of the questions, with the bounds that make it."""

    name: str
    bounds: str
    users: int


def user_segments(lengths: NDArray[np.integer[Any]]) -> list[tuple[Segment, Mask]]:
    """New, light and heavy users by int64[b] events of training history, each with bool[b]; empty ones are left out.

    New is fewer than 5 events; the median of all others parts light from heavy.
    """
    settled = lengths[lengths >= NEW_BELOW]
    middle = int(np.median(settled)) if len(settled) else NEW_BELOW
    parts = [
        ("new users", f"0–{NEW_BELOW - 1} events", lengths < NEW_BELOW),
        ("light users", _between(NEW_BELOW, middle), (lengths >= NEW_BELOW) & (lengths <= middle)),
        ("heavy users", f"over {middle:,} events", lengths > max(middle, NEW_BELOW - 1)),
    ]
    return [(Segment(name, bounds, int(mask.sum())), mask) for name, bounds, mask in parts if mask.any()]


def new_items(events_of_items: NDArray[np.integer[Any]]) -> Mask:
    """bool[n]: items with fewer than 5 training events."""
    return events_of_items < NEW_BELOW


def new_items_segment(users: int) -> Segment:
    """The segment of people who chose new items: only those items count as relevant in it."""
    return Segment("new items", f"0–{NEW_BELOW - 1} events", users)


def _between(low: int, high: int) -> str:
    return f"{low:,}–{high:,} events" if high > low else f"{low:,} events"
