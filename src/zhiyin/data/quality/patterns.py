"""Findings about the whole of a clean log: too few people, no order in time, gaps, jumps, crowds, odd prices."""

import numpy as np
import polars as pl

from zhiyin.data.quality.findings import Finding, Level, examples_of, percent, plural
from zhiyin.data.quality.profile import Profile

QUIET_DAYS = 7  # a longer silence in a lively log is a hole, not a week-end
LIVELY = 10  # events a day
JUMP = 8.0  # times the median of the days around
AROUND = 28  # days
FAR = 1_000.0  # times the median price or quantity
MOST_SAMPLED = 1_000_000
OPTIONAL = {
    "event_type": "weights by event type",
    "value": "ratings",
    "price": "price features and price limits",
    "quantity": "returns",
}


def about_log(events: pl.DataFrame, profile: Profile, read: int) -> list[Finding]:
    """What is odd about the events that stay; `read` is how many there were before cleaning."""
    if not len(events):
        message = f"no event is left of {read:,} that were read" if read else "the events table has no rows"
        advice = (
            "see in `zhiyin check` what was dropped and why"
            if read
            else "check the file, and its columns in [columns.events]"
        )
        return [Finding("no_events", "block", "events", 0, 1.0, message, advice)]
    return [
        *_mostly_dropped(len(events), read),
        *_too_few(profile),
        *_time_order(profile),
        *_gaps(profile),
        *_jumps(profile),
        *_concentration(profile),
        *_absent(events),
    ]


def _finding(code: str, level: Level, count: int, share: float, message: str, advice: str) -> Finding:
    return Finding(code, level, "events", count, share, message, advice)


def _mostly_dropped(kept: int, read: int) -> list[Finding]:
    if kept * 2 > read:
        return []
    message = f"only {plural(kept, 'event')} of {read:,} ({percent(kept / read)}) are left"
    return [_finding("mostly_dropped", "warn", read - kept, 1 - kept / read, message, "see what was dropped and why")]


def _too_few(profile: Profile) -> list[Finding]:
    found = []
    if len(profile.per_item) == 1:
        message = "all events concern one single item: there is nothing to choose between"
        found.append(_finding("one_item", "block", 1, 1.0, message, "check which column holds the item ids"))
    if len(profile.per_user) == 1:
        message = "all events come from one single person: nothing can be learnt from others"
        found.append(_finding("one_user", "warn", 1, 1.0, message, "check which column holds the user ids"))
    return found


def _time_order(profile: Profile) -> list[Finding]:
    if profile.events < 2 or profile.first_time != profile.last_time:
        return []
    message = "all events have the same time: there is no before and after to learn or to test on"
    advice = 'map the real time column, or use [split] method = "random"'
    return [_finding("one_timestamp", "warn", profile.events, 1.0, message, advice)]


def _gaps(profile: Profile) -> list[Finding]:
    empty = profile.per_day.sum(axis=0) == 0
    days = int(empty.sum())
    if not days or profile.events < LIVELY * len(empty):
        return []  # a log this thin is full of gaps by nature
    edges = np.flatnonzero(np.diff(np.concatenate(([0], empty.view(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    longest = int((ends - starts).argmax())
    length = int(ends[longest] - starts[longest])
    since, until = profile.days[starts[longest]], profile.days[ends[longest] - 1]
    message = (
        f"{plural(days, 'day')} of {len(empty):,} without any event, the longest run {since} to {until} ({length})"
    )
    level: Level = "warn" if length > QUIET_DAYS else "info"
    return [
        _finding("gaps", level, days, days / len(empty), message, "closed days are fine; otherwise export them again")
    ]


def _jumps(profile: Profile) -> list[Finding]:
    """Days with many times the events of the month around: a campaign, an import, a bot, a double load."""
    per_day = profile.per_day.sum(axis=0)
    usual = pl.Series(np.where(per_day > 0, per_day, np.nan)).fill_nan(None)
    median = usual.rolling_median(AROUND, min_samples=3, center=True).fill_null(strategy="backward")
    ratio = per_day / median.fill_null(np.inf).to_numpy()
    chosen = np.flatnonzero((ratio > JUMP) & (per_day >= 10 * LIVELY))
    if not len(chosen):
        return []
    order = chosen[np.argsort(-ratio[chosen])][:3]
    examples = tuple(
        {"day": str(profile.days[at]), "events": int(per_day[at]), "times_usual": round(float(ratio[at]), 1)}
        for at in order
    )
    message = f"{plural(len(chosen), 'day')} with more than {JUMP:.0f} times the events of the month around"
    advice = "campaigns are fine; an import or a double load should be cleaned at the source"
    share = float(per_day[chosen].sum() / profile.events)
    return [Finding("volume_jump", "warn", "events", len(chosen), share, message, advice, examples)]


def _concentration(profile: Profile) -> list[Finding]:
    items = len(profile.per_item)
    if items < 100:
        return []
    top = items // 100
    share = float(profile.per_item[:top].sum() / profile.events)
    once = int((profile.per_item == 1).sum())
    message = (
        f"the top 1 % of the items ({top:,}) have {percent(share)} of the events; {percent(once / items)} have only one"
    )
    level: Level = "warn" if share > 0.8 else "info"
    return [_finding("popularity", level, top, share, message, "compare every model with the popularity baseline")]


def _absent(events: pl.DataFrame) -> list[Finding]:
    absent = [name for name in OPTIONAL if name not in events.columns or events[name].null_count() == len(events)]
    if not absent:
        return []
    what = ", ".join(f"{name} (for {OPTIONAL[name]})" for name in absent)
    advice = "nothing, unless the source has them: then map them in [columns.events]"
    share = len(absent) / len(OPTIONAL)
    return [_finding("absent_columns", "info", len(absent), share, f"the events do not say: {what}", advice)]


def about_amounts(events: pl.DataFrame) -> list[Finding]:
    """Prices and quantities far from the others, and prices of nothing, in all events as they were read."""
    found = []
    for name, code in (("price", "dear_price"), ("quantity", "huge_quantity")):
        if name in events.columns:
            found += _outliers(events, name, code)
    free = int((events["price"] == 0).sum()) if "price" in events.columns else 0
    if free:
        rows = events[(events["price"] == 0).arg_true().head(3)]
        message = f"{plural(free, 'event')} ({percent(free / len(events))}) at price 0"
        advice = "gifts are fine, but corrections of the stock are no sales"
        examples = examples_of(rows)
        found.append(Finding("zero_price", "info", "events", free, free / len(events), message, advice, examples))
    return found


def _outliers(events: pl.DataFrame, name: str, code: str) -> list[Finding]:
    sample = events[name].gather_every(max(1, len(events) // MOST_SAMPLED)).drop_nulls().to_numpy()
    sample = sample[np.isfinite(sample) & (sample > 0)]
    if not len(sample):
        return []
    limit = FAR * float(np.median(sample))
    outlying = events[name].is_between(limit, np.inf, closed="none").arg_true()
    rows = events[outlying].sort(name, descending=True)
    if not len(rows):
        return []
    share = len(rows) / len(events)
    message = f"{plural(len(rows), 'event')} ({percent(share)}) with more than {FAR:,.0f} times the median {name}"
    advice = "check for another currency or unit, and for book entries that are no sales"
    return [Finding(code, "warn", "events", len(rows), share, message, advice, examples_of(rows))]
