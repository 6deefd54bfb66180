"""From choices to the rows of a shop's event log: a view, perhaps a cart, perhaps a purchase."""

from dataclasses import dataclass, fields

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.data.sample_shop.behaviour import REBUY, Choices
from zhiyin.data.sample_shop.catalogue import Catalogue
from zhiyin.data.sample_shop.scale import CARTING, MILLISECONDS_PER_WEEK, WEEKS, Calendar
from zhiyin.types import Indexes, Mask, Times

KINDS = ("view", "cart", "purchase")
VIEW, CART, PURCHASE = range(3)


@dataclass(frozen=True)
class Log:
    """Rows of the event log in columns; ids are codes, -1 is a missing one."""

    users: Indexes
    items: Indexes  # row of the public item table; from n on, items that the catalogue does not know
    times: Times  # µs UTC
    kinds: NDArray[np.uint8]
    prices: NDArray[np.float32]  # per unit; NaN where nothing was paid
    quantities: NDArray[np.float32]
    padded: Mask  # the user id is written with spaces around it

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, rows: Indexes | Mask | Times) -> "Log":
        return Log(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def joined(cls, parts: "list[Log]") -> "Log":
        """All rows of all parts."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def logged(choices: Choices, catalogue: Catalogue, calendar: Calendar, rng: np.random.Generator) -> Log:
    """The events of all choices; one that is bought again goes straight to the purchase."""
    rebuy = choices.origins == REBUY
    carted = ~rebuy & (choices.bought | (rng.random(len(choices)) < CARTING))
    cart_times = choices.times + rng.integers(20_000, 20 * 60_000, len(choices))
    purchase_times = np.where(rebuy, choices.times, cart_times + rng.integers(20_000, 30 * 60_000, len(choices)))
    weeks = np.minimum(choices.times // MILLISECONDS_PER_WEEK, WEEKS - 1)
    prices = np.empty(len(choices), np.float32)
    for week in range(WEEKS):
        rows = weeks == week
        prices[rows] = catalogue.prices(week)[choices.items[rows]]
    more = rng.poisson(np.where(np.isnan(catalogue.cycle_days), 0.02, 0.5)[choices.items])
    parts = [
        _rows(choices, catalogue, calendar, ~rebuy, choices.times, VIEW),
        _rows(choices, catalogue, calendar, carted, cart_times, CART),
        _rows(choices, catalogue, calendar, choices.bought, purchase_times, PURCHASE),
    ]
    parts[PURCHASE].prices[:] = prices[choices.bought]
    parts[PURCHASE].quantities[:] = 1 + more[choices.bought]
    return Log.joined(parts)


def in_log_order(log: Log, calendar: Calendar, rng: np.random.Generator) -> Log:
    """Almost by time, as logs are: some rows arrive up to an hour late, and impossible times at any moment."""
    late = np.where(rng.random(len(log)) < 0.1, rng.integers(0, 3_600_000_000, len(log)), 0)
    possible = (log.times >= calendar.start) & (log.times < calendar.end)
    arrivals = np.where(possible, log.times + late, rng.integers(calendar.start, calendar.end, len(log)))
    return log[np.argsort(arrivals, kind="stable")]


def event_table(log: Log, users: pl.Series, items: pl.Series) -> pl.DataFrame:
    """The canonical frame; `users` and `items` are the ids of the codes, trimmed."""
    return pl.DataFrame(
        {
            "user_id": _ids(users, log.users).cast(pl.Categorical),
            "item_id": _ids(items, log.items).cast(pl.Categorical),
            "timestamp": log.times,
            "event_type": pl.Series(KINDS).cast(pl.Categorical).gather(log.kinds),
            "price": pl.Series(log.prices).fill_nan(None),
            "quantity": pl.Series(log.quantities).fill_nan(None),
            "row": np.arange(1, len(log) + 1, dtype=np.uint32),
        }
    )


def _rows(choices: Choices, catalogue: Catalogue, calendar: Calendar, which: Mask, times: Times, kind: int) -> Log:
    count = int(which.sum())
    return Log(
        users=choices.people[which],
        items=catalogue.codes[choices.items[which]],
        times=calendar.to_micros(times[which]),
        kinds=np.full(count, kind, np.uint8),
        prices=np.full(count, np.nan, np.float32),
        quantities=np.full(count, np.nan, np.float32),
        padded=np.zeros(count, np.bool_),
    )


def _ids(ids: pl.Series, codes: Indexes) -> pl.Series:
    """The id of each code; null for -1."""
    known = pl.Series(np.where(codes >= 0, codes, len(ids)).astype(np.uint32))
    return pl.concat([ids, pl.Series(ids.name, [None], dtype=pl.String)]).gather(known)
