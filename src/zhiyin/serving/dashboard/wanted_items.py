"""How often each item was chosen of late: the order of the list of items."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.store.shown import DAY
from zhiyin.registry.release import Release
from zhiyin.serving.dashboard.kept import Kept
from zhiyin.serving.service import Service
from zhiyin.types import Indexes

DAYS = 30
KEEP_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class Wanted:
    """Of one release as trained."""

    number: int
    counts: NDArray[np.int64]  # [n], events of its last 30 days

    def of(self, indexes: Indexes) -> NDArray[np.int64]:
        """int64[m]; 0 for items that came after the training."""
        found = np.zeros(len(indexes), np.int64)
        inside = indexes < len(self.counts)
        found[inside] = self.counts[indexes[inside]]
        return found

    def best_first(self, indexes: Indexes) -> Indexes:
        """The same items, those with most events first."""
        return indexes[np.argsort(-self.of(indexes), kind="stable")]


async def _found(service: Service) -> Wanted:
    return await service.workers.run(partial(counted, service.live.served.release))


recent = Kept(_found, KEEP_SECONDS)
"""`await recent.of(service)`; after a swap it may be a minute old, which moves lines of a list and no more."""


def counted(release: Release) -> Wanted:
    """What the last days of a release say."""
    past = release.histories
    items = past.items[(past.times >= release.last_event - DAYS * DAY) & (past.items >= 0)]
    return Wanted(release.number, np.bincount(items, minlength=len(release.items)))
