"""Which items may appear, decided before the best are taken: lists stay full."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from zhiyin.compute.in_order import forbid
from zhiyin.data.catalog import Catalog
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.ranking.where import where as matching
from zhiyin.types import MICROSECONDS_PER_DAY, Indexes, Mask


@dataclass(frozen=True)
class Rules:
    """The `[rules]` of zhiyin.toml."""

    seen: Literal["drop", "keep"] = "drop"
    """Whether items of the history may come again: "drop" suits films, "keep" suits groceries."""
    seen_types: tuple[str, ...] = ()
    """Which event types make an item seen; empty means all. A shop drops what was bought, not what was looked at."""
    seen_days: float | None = None
    """What was seen longer ago than so many days may come again; not set: never."""
    available: bool = True
    """Leave out what the catalogue calls unavailable, and what does not exist yet at the moment of asking."""
    where: str | None = None
    """A condition on item columns, such as `price < 50 AND category = 'mugs'`."""

    def __post_init__(self) -> None:
        if self.seen_days is not None and not self.seen_days > 0:
            raise ConfigError(f"rules.seen_days must be above 0, got {self.seen_days}: leave it out for no end")

    def of_items(self, catalog: Catalog, *where: str | None) -> Mask:
        """bool[n]: what holds for every query; `where` are the request's own conditions on top."""
        allowed = catalog.available.copy() if self.available else np.ones(len(catalog), np.bool_)
        for condition in (self.where, *where):
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
            if self.seen_days is not None:
                known &= queries.times[past.rows] - past.times <= self.seen_days * MICROSECONDS_PER_DAY
            forbid(allowed, past.offsets, past.items, known)
        if exclude is not None:
            allowed[:, exclude[exclude >= 0]] = False
        return allowed
