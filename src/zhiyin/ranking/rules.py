"""Which items may appear, decided before the best are taken: lists stay full."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from zhiyin.compute.in_order import forbid
from zhiyin.data.catalog import Catalog
from zhiyin.data.queries import Queries
from zhiyin.ranking.where import where as matching
from zhiyin.types import Indexes, Mask


@dataclass(frozen=True)
class Rules:
    """The `[rules]` of zhiyin.toml."""

    seen: Literal["drop", "keep"] = "drop"
    """Whether items of the history may come again: "drop" suits films, "keep" suits groceries."""
    seen_types: tuple[str, ...] = ()
    """Which event types make an item seen; empty means all. A shop drops what was bought, not what was looked at."""
    available: bool = True
    """Leave out what the catalogue calls unavailable, and what does not exist yet at the moment of asking."""
    where: str | None = None
    """A condition on item columns, such as `price < 50 AND category = 'mugs'`."""

    def of_items(self, catalog: Catalog, where: str | None = None) -> Mask:
        """bool[n]: what holds for every query; `where` is the request's own condition on top."""
        allowed = catalog.available.copy() if self.available else np.ones(len(catalog), np.bool_)
        for condition in (self.where, where):
            if condition:
                allowed &= matching(condition, catalog.frame)
        return allowed

    def of_queries(self, queries: Queries, items: Mask, catalog: Catalog, exclude: Indexes | None = None) -> Mask:
        """bool[b, n]: `items` [n] from `of_items`, less what each query rules out for itself."""
        allowed = np.repeat(items[None, :], len(queries), axis=0)  # [b, n]
        if self.available:
            items_in_order, created = catalog.by_creation
            for row, there in enumerate(np.searchsorted(created, queries.times, side="right")):
                allowed[row, items_in_order[there:]] = False  # which came to exist later
        if self.seen == "drop":
            past = queries.histories
            known = past.items >= 0
            if self.seen_types:
                known &= past.of_kinds(self.seen_types)
            forbid(allowed, past.offsets, past.items, known)
        if exclude is not None:
            allowed[:, exclude[exclude >= 0]] = False
        return allowed
