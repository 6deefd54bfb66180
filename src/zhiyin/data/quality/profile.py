"""The numbers of a clean log that findings and plots share: how much, by whom, of what, when."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.data.codes import ROWS, distinct, looked_up
from zhiyin.types import MICROSECONDS_PER_DAY, Floats, Indexes, Times

MICROSECONDS_PER_HOUR = MICROSECONDS_PER_DAY // 24
LONGEST_CALENDAR_DAYS = 366 * 200  # earliest and `now` bound the times; this bounds memory whatever they say
MOST_PRICES = 1_000_000
MOST_KINDS = 5  # each has its colour in a plot; the rest is "other"
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Profile:
    """Counts over the events that stay."""

    events: int
    per_user: Counts  # [people], descending
    per_item: Counts  # [items], descending
    first_day: int  # days since 1970-01-01 UTC
    per_day: Counts  # [kinds, days]
    kinds: tuple[str, ...]  # event types, the commonest first; ("event",) where the source names none
    per_hour: Counts  # [7, 24]: Monday first, UTC
    prices: Floats  # positive prices: all of them, or an even sample
    first_time: int  # µs
    last_time: int  # µs

    @classmethod
    def of(cls, events: pl.DataFrame, per_user: Counts, per_item: Counts) -> "Profile":
        """Count a clean events table (no missing ids or times); how many events each id has is known, in any order."""
        times = events["timestamp"].to_numpy()
        first, last = (int(times.min()), int(times.max())) if len(times) else (0, 0)
        first_day = first // MICROSECONDS_PER_DAY
        span = min(last // MICROSECONDS_PER_DAY - first_day + 1, LONGEST_CALENDAR_DAYS)
        kinds, codes = _kinds(events)
        per_hour = _per_hour(times, codes, len(kinds), first_day, span)
        return cls(
            events=len(events),
            per_user=_descending(per_user),
            per_item=_descending(per_item),
            first_day=first_day,
            per_day=per_hour.sum(axis=2),
            kinds=kinds,
            per_hour=_weekly(per_hour.sum(axis=0), first_day),
            prices=_positive(events),
            first_time=first,
            last_time=last,
        )

    @property
    def days(self) -> NDArray[np.datetime64]:
        """The calendar under the columns of `per_day`."""
        return np.datetime64(0, "D") + np.arange(self.first_day, self.first_day + self.per_day.shape[1])


def _per_hour(times: Times, codes: Indexes, kinds: int, first_day: int, span: int) -> Counts:
    """int64[kinds, days, 24]; what lies beyond the calendar counts for its last hour."""
    hours, counts = 24 * span, np.zeros(kinds * 24 * span, np.int64)
    block = max(ROWS, len(counts))
    for start in range(0, len(times), block):
        hour = np.minimum(times[start : start + block] // MICROSECONDS_PER_HOUR - 24 * first_day, hours - 1)
        if kinds > 1:
            hour += codes[start : start + block] * np.int64(hours)
        counts += np.bincount(hour, minlength=len(counts))
    return counts.reshape(kinds, span, 24)


def _weekly(per_hour: Counts, first_day: int) -> Counts:
    """int64[7, 24] from [days, 24]; 1970-01-01 was a Thursday: day 3 of a week that starts on Monday."""
    week = np.zeros((7, 24), np.int64)
    np.add.at(week, (first_day + 3 + np.arange(len(per_hour))) % 7, per_hour)
    return week


def _descending(counts: Counts) -> Counts:
    return np.sort(counts[counts > 0])[::-1].astype(np.int64)


def _kinds(events: pl.DataFrame) -> tuple[tuple[str, ...], Indexes]:
    """The event types, the commonest first, and the position of each event's type in them."""
    if "event_type" not in events.columns or not len(events):
        return ("event",), np.zeros(1, np.int32)
    column = events["event_type"]
    found = distinct(column)
    names, counts = [*found.texts, None], np.append(found.counts, column.null_count())
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    position = np.zeros(len(names), np.int32)
    position[order] = np.minimum(np.arange(len(order)), MOST_KINDS)
    kinds = [_kind(names[place]) for place in order[:MOST_KINDS]] + ["other"] * (len(order) > MOST_KINDS)
    codes = looked_up(column, found, position[:-1])
    return tuple(kinds), np.where(codes < 0, position[-1], codes) if column.null_count() else codes


def _kind(name: str | None) -> str:
    return name or "event"


def _positive(events: pl.DataFrame) -> Floats:
    if "price" not in events.columns:
        return np.empty(0)
    prices = events["price"].gather_every(max(1, len(events) // MOST_PRICES)).drop_nulls().to_numpy()
    return prices[np.isfinite(prices) & (prices > 0)].astype(np.float64)
