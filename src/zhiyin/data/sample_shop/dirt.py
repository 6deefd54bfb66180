"""The dirt of a real log, in known amounts: extra rows, so that the clean ones are the same with and without it."""

from dataclasses import replace
from typing import Any

import numpy as np

from zhiyin.data.sample_shop.log import PURCHASE, VIEW, Log
from zhiyin.data.sample_shop.scale import Calendar
from zhiyin.types import MICROSECONDS_PER_DAY, Times

STRANGE_ITEMS = ("POSTAGE", "TEST", "GIFT-CARD", "MANUAL", "i99999999")  # logged, but not in the catalogue
SHARES = {
    "duplicate": 0.005,
    "missing_user": 0.003,
    "missing_item": 0.002,
    "epoch_time": 0.0005,
    "future_time": 0.0005,
    "negative_price": 0.0005,
    "zero_price": 0.0005,
    "absurd_price": 0.0003,
    "return": 0.003,
    "unknown_item": 0.002,
    "padded_id": 0.002,
    "bot": 0.04,
}
"""Rows of each kind over clean rows; one row at least."""
ONLY_PURCHASES = ("negative_price", "zero_price", "absurd_price", "return")
ABSURD_PRICE = 999_999.0
BOT_EVENTS = 4_000  # of one machine, in a shop that is large enough
BOT_PAUSE = 2_500_000  # µs between two events of a machine, on average
HOUR = 3_600_000_000  # µs


def machines(events: int) -> int:
    """How many bots visit a shop with that many clean events: each looks at thousands of items in one day."""
    return max(1, round(SHARES["bot"] * events / BOT_EVENTS))


def dirtied(
    log: Log, *, people: int, items: int, calendar: Calendar, rng: np.random.Generator
) -> tuple[Log, dict[str, int]]:
    """The log with the extra rows, and how many of each kind they are; an extra row has exactly one fault."""
    parts = [log]
    for kind, share in SHARES.items():
        count = max(1, round(share * len(log))) if len(log) else 0
        if kind == "bot":
            bots = machines(len(log))
            parts.append(_bots(count, bots, people=people, items=items, calendar=calendar, rng=rng))
            continue
        source = np.flatnonzero(log.kinds == PURCHASE) if kind in ONLY_PURCHASES else np.arange(len(log))
        rows = log[rng.choice(source, min(count, len(source)), replace=False)]
        parts.append(rows if kind == "duplicate" else _faulty(rows, kind, items=items, calendar=calendar, rng=rng))
    return Log.joined(parts), {kind: len(part) for kind, part in zip(SHARES, parts[1:], strict=True)}


def _faulty(rows: Log, kind: str, *, items: int, calendar: Calendar, rng: np.random.Generator) -> Log:
    """The same events a little later, so that none is a duplicate, with one fault."""
    count = len(rows)
    later = _later(rows.times, HOUR, calendar, rng)
    missing = np.full(count, -1, np.int32)
    faults: dict[str, dict[str, Any]] = {
        "missing_user": {"users": missing},
        "missing_item": {"items": missing},
        "epoch_time": {
            "times": 1_000_000 * np.arange(count)
        },  # clocks that were never set, a second apart: no duplicates
        "future_time": {"times": later + rng.integers(30, 80, count) * 365 * MICROSECONDS_PER_DAY},
        "negative_price": {"prices": -rows.prices},
        "zero_price": {"prices": np.zeros(count, np.float32)},
        "absurd_price": {"prices": np.full(count, ABSURD_PRICE, np.float32)},
        "return": {
            "quantities": -rows.quantities,
            "times": _later(rows.times, 14 * MICROSECONDS_PER_DAY, calendar, rng),
        },
        "unknown_item": {"items": (items + rng.integers(0, len(STRANGE_ITEMS), count)).astype(np.int32)},
        "padded_id": {"padded": np.ones(count, np.bool_)},
    }
    return replace(replace(rows, times=later), **faults[kind])


def _later(times: Times, most: int, calendar: Calendar, rng: np.random.Generator) -> Times:
    """Up to that many µs later, in whole ms and before the end."""
    room = np.minimum(most, calendar.end - times) // 1000
    steps = 1 + np.floor(rng.random(len(times)) * np.maximum(room - 1, 0))
    return times + 1000 * steps.astype(np.int64)


def _bots(count: int, bots: int, *, people: int, items: int, calendar: Calendar, rng: np.random.Generator) -> Log:
    """Machines that look at anything, one thing every few seconds, in one burst on one day each."""
    users = np.sort(people + np.arange(count) % bots).astype(np.int32)
    pauses = rng.integers(BOT_PAUSE // 2000, 3 * BOT_PAUSE // 2000, count) * 1000
    clock = np.cumsum(pauses)
    first = np.searchsorted(users, users)
    days = rng.integers(0, (calendar.end - calendar.start) // MICROSECONDS_PER_DAY, bots)
    begins = calendar.start + days * MICROSECONDS_PER_DAY + rng.integers(0, 20_000, bots) * HOUR // 1000
    return Log(
        users=users,
        items=rng.integers(0, items, count).astype(np.int32),
        times=begins[users - people] + clock - clock[first],
        kinds=np.full(count, VIEW, np.uint8),
        prices=np.full(count, np.nan, np.float32),
        quantities=np.full(count, np.nan, np.float32),
        padded=np.zeros(count, np.bool_),
    )
