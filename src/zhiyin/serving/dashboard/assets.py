"""What the catalogue and the people are described with: columns, how much of them is filled, and prices."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from zhiyin.registry.account import described
from zhiyin.registry.release import Release
from zhiyin.serving.dashboard.long_tail import LongTail


@dataclass(frozen=True)
class Assets:
    """Of a release over the items of now."""

    items: int
    people: int
    columns: list[dict[str, Any]]
    """Of the items: name, type, share that is filled."""
    available: int
    """Items that may be recommended."""
    prices: tuple[float, float, float] | None
    """The lowest, the middle and the highest; None where none is known."""
    tail: LongTail

    @classmethod
    def of(cls, release: Release) -> "Assets":
        """Those of a release."""
        catalog = release.pipeline.catalog
        known = catalog.prices[np.isfinite(catalog.prices)]
        prices = None
        if len(known):
            low, middle, high = np.quantile(known, [0, 0.5, 1])
            prices = (float(low), float(middle), float(high))
        columns = [one for one in described(catalog.frame) if one["name"] != "item_id"]
        available = int(catalog.available.sum())
        return cls(len(catalog), len(release.users), columns, available, prices, LongTail.of(release))
