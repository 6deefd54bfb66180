"""Rules that look at one event at a time: missing ids, impossible times, goods that are none, unknown items."""

import functools

import numpy as np
import polars as pl

from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.quality.sieve import Sieve
from zhiyin.types import MICROSECONDS_PER_DAY

AMOUNTS = ("price", "value", "quantity")


def drop_missing(sieve: Sieve) -> None:
    """Drop events that do not say who, what or when."""
    for name in ("user_id", "item_id", "timestamp"):
        column = sieve.column(name)
        if column is not None and column.null_count():
            sieve.drop(column.is_null().to_numpy(), f"missing_{name}")


def drop_impossible_times(sieve: Sieve, settings: CleanSettings, now: int) -> None:
    """Drop events before `earliest`, and after tomorrow: a day's grace for clocks and time zones."""
    if not len(sieve):
        return
    latest = now + MICROSECONDS_PER_DAY
    if sieve.times.min() < settings.earliest_time:
        sieve.drop(sieve.times < settings.earliest_time, "time_too_early")
    if len(sieve) and sieve.times.max() > latest:
        sieve.drop(sieve.times > latest, "time_in_future")


def drop_impossible_prices(sieve: Sieve, settings: CleanSettings) -> None:
    """Drop events with a price that can not be, where the settings ask for it."""
    price = sieve.column("price")
    if settings.impossible_prices == "drop" and price is not None and len(price):
        wrong = impossible("price", price)
        if wrong.any():
            sieve.drop(wrong.fill_null(False).to_numpy(), "impossible_price")


def drop_named_items(sieve: Sieve, settings: CleanSettings) -> None:
    """Drop the ids of `drop_items` and `drop_item_patterns`."""
    if not (settings.drop_items or settings.drop_item_patterns) or not len(sieve):
        return
    codes, ids = sieve.distinct_items()
    chosen = codes[named_items(ids, settings).to_numpy()]
    sieve.drop(sieve.of_codes("item_id", chosen), "dropped_item", items=len(chosen))


def named_items(ids: pl.Series, settings: CleanSettings) -> pl.Series:
    """Boolean: the ids that `drop_items` or `drop_item_patterns` name."""
    tests = [ids.is_in(pl.Series(settings.drop_items, dtype=pl.String).implode())]
    tests += [ids.str.contains(pattern) for pattern in settings.drop_item_patterns]
    return functools.reduce(lambda left, right: left | right, tests)


def drop_unknown_items(sieve: Sieve, settings: CleanSettings, catalogue: pl.DataFrame | None) -> None:
    """Drop events whose item has no row in the catalogue, where the settings ask for it."""
    if settings.unknown_items == "keep" or catalogue is None or not len(sieve):
        return
    codes, ids = sieve.distinct_items()
    chosen = codes[(~ids.is_in(catalogue["item_id"].implode())).to_numpy()]
    sieve.drop(sieve.of_codes("item_id", chosen), "unknown_item", items=len(chosen))


def impossible(name: str, amounts: pl.Series) -> pl.Series:
    """Boolean: NaN, infinite and, for a price, negative; null where the amount is unknown."""
    finite = amounts.is_finite()
    return ~finite | (amounts < 0) if name == "price" else ~finite


def wrong_amounts(events: pl.DataFrame) -> dict[str, pl.Series]:
    """Boolean per amount column that holds something impossible; columns without are left out."""
    found = {}
    for name in AMOUNTS:
        if name not in events.columns or not len(events):
            continue
        low, total = events[name].min(), events[name].sum()  # one quick pass tells whether to look closer
        if not np.isfinite(float(total)) or (name == "price" and low is not None and float(str(low)) < 0):
            wrong = impossible(name, events[name]).fill_null(False)
            if wrong.any():
                found[name] = wrong
    return found


def blank(events: pl.DataFrame) -> pl.DataFrame:
    """The impossible amounts made unknown (null)."""
    return events.with_columns(
        pl.when(~impossible(name, events[name])).then(pl.col(name)).alias(name)
        for name in AMOUNTS
        if name in events.columns
    )
