"""Cleaning: the tables without what can not be true, and an account of every row that was dropped."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from zhiyin.compute.threads import together
from zhiyin.data.quality import people, rules
from zhiyin.data.quality.entries import Entries, clean_friends, clean_items, clean_users, unknown_to_catalogue
from zhiyin.data.quality.findings import Finding, examples_of, percent, plural, worst_first
from zhiyin.data.quality.patterns import about_amounts, about_log
from zhiyin.data.quality.profile import Profile
from zhiyin.data.quality.reasons import findings_of
from zhiyin.data.quality.repeats import drop_repeats
from zhiyin.data.quality.returns import drop_returns
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.quality.shapes import about_ids
from zhiyin.data.quality.sieve import Sieve
from zhiyin.data.tables import Tables
from zhiyin.errors import DataError

FORMULA_STARTS = r"^[=+\-@\t\r]"  # a spreadsheet would run a cell that starts so


@dataclass(frozen=True)
class Cleaned:
    """What cleaning leaves, what it found, and what it took away.

    `dropped` holds every dropped event with its `reason`; `dropped_entries` every dropped row of the other tables with
    its `table` and `reason`. len(tables.events) + len(dropped) is what was read.
    """

    tables: Tables
    findings: tuple[Finding, ...]
    dropped: pl.DataFrame
    dropped_entries: pl.DataFrame
    profile: Profile

    def write_dropped(self, path: Path) -> int:
        """Write every dropped row as CSV, harmless to spreadsheets; returns how many."""
        events = self.dropped.with_columns(pl.lit("events").alias("table"), pl.col(pl.Categorical).cast(pl.String))
        if "timestamp" in events.columns:
            moment = pl.from_epoch("timestamp", time_unit="us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
            events = events.with_columns(moment)
        others = self.dropped_entries.with_columns(pl.exclude("row").cast(pl.String, strict=False))
        rows = pl.concat([events, others], how="diagonal_relaxed")
        first = ["table", "row", "reason"]
        harmless = pl.col(pl.String).str.replace(FORMULA_STARTS, "'${0}")
        try:
            rows.select(*first, pl.exclude(first)).with_columns(harmless).write_csv(path)
        except OSError as error:
            raise DataError(f"the dropped rows can not be written to {path}: {error.strerror or error}") from error
        return len(rows)


def clean(tables: Tables, settings: CleanSettings, now: int) -> Cleaned:
    """Take out of the tables what `settings` names; `now` is µs since 1970 UTC.

    Each dropped event is counted under the first reason that applies to it, in the order below. Nothing else changes,
    except amounts that can not be (a NaN price) becoming unknown.

    Raises
    ------
    DataError
        If the events lack user_id, item_id or timestamp, or hold them in another type.
    """
    sieve = Sieve(checked(tables.events))
    rules.drop_missing(sieve)
    rules.drop_impossible_times(sieve, settings, now)
    rules.drop_impossible_prices(sieve, settings)
    rules.drop_named_items(sieve, settings)
    if settings.duplicates:
        drop_repeats(sieve)
    drop_returns(sieve, settings)
    people.drop_bots(sieve, settings)
    rules.drop_unknown_items(sieve, settings, tables.items)
    people.cut_histories(sieve, settings)
    people.drop_short_histories(sieve, settings)
    people.drop_outside_k_core(sieve, settings)
    return _account(sieve, tables, settings)


def _account(sieve: Sieve, tables: Tables, settings: CleanSettings) -> Cleaned:
    events, read = sieve.frame(), sieve.unless("dropped_item")
    found = together(
        lambda: findings_of(sieve, settings),
        lambda: about_ids(sieve.ids, settings),
        lambda: _fast_people(sieve, settings),
        lambda: about_amounts(read),
    )
    findings = list(itertools.chain(*found))
    wrong = rules.wrong_amounts(read)
    if wrong:
        events = rules.blank(events)
    counted = {finding.code for finding in findings}  # impossible prices are, where they are dropped
    findings += [_blanked(read, name, mask) for name, mask in wrong.items() if f"impossible_{name}" not in counted]
    profile = Profile.of(events, sieve.per_user, sieve.per_item)
    findings += about_log(events, profile, len(sieve.events))
    others = _others(events, tables)
    for entries in others.values():
        findings += entries.findings
    if tables.items is not None:
        findings += unknown_to_catalogue(events, tables.items) if len(events) else []
    frames = {name: _restored(entries, getattr(tables, name)) for name, entries in others.items()}
    gone = [frame for entries in others.values() for frame in entries.dropped]
    empty = pl.DataFrame(schema={"table": pl.String, "row": pl.UInt32, "reason": pl.String})
    return Cleaned(
        tables=replace(tables, events=events, **frames),
        findings=worst_first(findings),
        dropped=sieve.dropped(),
        dropped_entries=pl.concat(gone, how="diagonal_relaxed") if gone else empty,
        profile=profile,
    )


def checked(events: pl.DataFrame) -> pl.DataFrame:
    """The events with ids as categoricals and numbered rows."""
    for name in ("user_id", "item_id", "timestamp"):
        if name not in events.columns:
            raise DataError(f"the events have no column {name}: name the one that holds it in [columns.events]")
    if events["timestamp"].dtype != pl.Int64:
        raise DataError(f"events.timestamp must be whole µs since 1970 UTC (Int64), got {events['timestamp'].dtype}")
    texts = [name for name in ("user_id", "item_id", "event_type") if name in events.columns]
    texts = [name for name in texts if events[name].dtype != pl.Categorical]
    if texts:
        events = events.with_columns(pl.col(texts).cast(pl.String).cast(pl.Categorical))
    return events if "row" in events.columns else events.with_row_index("row", offset=1)


def _blanked(events: pl.DataFrame, name: str, wrong: pl.Series) -> Finding:
    count = int(wrong.sum())
    share = count / len(events)
    what = "negative, infinite or NaN" if name == "price" else "infinite or NaN"
    message = f"{plural(count, 'event')} ({percent(share)}) have a {what} {name}: unknown from now on"
    advice = (
        'correct them at the source, or set clean.impossible_prices = "drop"' if name == "price" else "correct them"
    )
    examples = examples_of(events.lazy().filter(wrong).head(3).collect())
    return Finding(f"impossible_{name}", "warn", "events", count, share, message, advice, examples)


def _fast_people(sieve: Sieve, settings: CleanSettings) -> list[Finding]:
    """People who come near the limit for bots: they stay."""
    limit = settings.max_events_per_day // 3
    if not limit or not len(sieve):
        return []
    fast = people.faster_than(sieve, limit)
    if not len(fast):
        return []
    chosen = pl.DataFrame({"user_id": sieve.texts("user_id", fast), "events": sieve.per_user[fast]})
    examples = examples_of(chosen.sort("events", descending=True))
    message = f"{plural(len(fast), 'person')} with more than {limit:,} events within 24 hours, below the limit for bots"
    advice = "lower clean.max_events_per_day if these are no people"
    return [
        Finding(
            "fast_person",
            "info",
            "events",
            len(fast),
            len(fast) / np.count_nonzero(sieve.per_user),
            message,
            advice,
            examples,
        )
    ]


def _others(events: pl.DataFrame, tables: Tables) -> dict[str, Entries]:
    others = {}
    if tables.items is not None:
        others["items"] = clean_items(tables.items, events["item_id"].unique().cast(pl.String))
    if tables.users is not None:
        others["users"] = clean_users(tables.users)
    if tables.friends is not None:
        known = events["user_id"].unique().cast(pl.String)
        if "users" in others:
            known = pl.concat([known, others["users"].rows["user_id"].rename(known.name)])
        others["friends"] = clean_friends(tables.friends, known)
    return others


def _restored(entries: Entries, read: pl.DataFrame) -> pl.DataFrame:
    return entries.rows if "row" in read.columns else entries.rows.drop("row")
