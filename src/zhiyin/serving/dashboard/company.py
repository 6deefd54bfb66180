"""Who chose two items: the plainest reason why they are called alike, or said to go together."""

from collections.abc import Sequence

import numpy as np

from zhiyin.registry.release import Release
from zhiyin.types import Indexes


def in_common(release: Release, item: int, others: Sequence[int]) -> tuple[int, list[int]]:
    """How many people have the item in their past, and how many of these each of the others; in a thread."""
    past = release.histories
    people: Indexes = np.unique(np.searchsorted(past.offsets, np.flatnonzero(past.items == item), side="right") - 1)
    histories = past[people.astype(np.int64)]
    wanted = np.isin(histories.items, np.asarray(others, np.int32))
    pairs = np.unique(np.stack([histories.rows[wanted], histories.items[wanted]]), axis=1)
    found = dict(zip(*(one.tolist() for one in np.unique(pairs[1], return_counts=True)), strict=True))
    return len(people), [found.get(one, 0) for one in others]
