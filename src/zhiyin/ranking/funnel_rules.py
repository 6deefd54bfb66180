"""The first stages of the funnel: which items may be shown, by the very rules of a request.

A stage is passed if its own rule lets the item through, whatever the others say, so that an operator sees all that is
in the way; what remains is what this rule and those before it leave.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zhiyin.ranking.funnel import Asked, Stage
from zhiyin.ranking.wording import done
from zhiyin.types import Indexes, Mask

LAST_TIME = 253_402_300_799_000_000
"""µs UTC, the end of the year 9999: later is not written as a day."""


def known(asked: Asked) -> Sequence[Stage]:
    """Whether the release knows the item at all."""
    missing = "this release does not know the item: check the id, or train again after it was added"
    n = len(asked.pipeline.catalog)
    return [Stage("known", asked.item >= 0, n, f"one of {n:,} known items" if asked.item >= 0 else missing)]


def available(asked: Asked) -> Sequence[Stage]:
    """Whether the catalogue calls it available."""
    rules, catalog = asked.pipeline.rules, asked.pipeline.catalog
    left = replace(rules, where=None).of_items(catalog)
    passed = "available" if rules.available else "unavailable items may be shown (rules.available = false)"
    return [_stage(asked, "available", left, left, passed, "the catalogue says that it is not available")]


def exists(asked: Asked) -> Sequence[Stage]:
    """Whether it exists at the moment of asking."""
    rules, catalog = asked.pipeline.rules, asked.pipeline.catalog
    passed = "it exists at the moment of asking" if rules.available else "not asked (rules.available = false)"
    late = f"it exists from {_day(int(catalog.created[asked.item]))} on, after the moment of asking"
    left = _left(asked, where=None, seen="keep")
    everything = np.ones(len(catalog), np.bool_)
    alone = replace(rules, seen="keep").of_queries(asked.queries, everything, catalog)[0]
    return [_stage(asked, "exists", left, alone, passed, late)]


def rules_where(asked: Asked) -> Sequence[Stage]:
    """Whether the condition of the rules holds."""
    condition = asked.pipeline.rules.where
    passed = f"rules.where holds: {condition}" if condition else "rules.where is not set"
    left, alone = _left(asked, seen="keep"), _left(asked, available=False, seen="keep")
    return [_stage(asked, "rules.where", left, alone, passed, f"rules.where does not hold for it: {condition}")]


def asked_where(asked: Asked) -> Sequence[Stage]:
    """Whether the condition of the request holds."""
    passed = f"where holds: {asked.where}" if asked.where else "the request sets no condition"
    left = _left(asked, asked.terms.where, seen="keep")
    alone = _left(asked, asked.terms.where, available=False, where=None, seen="keep")
    return [_stage(asked, "where", left, alone, passed, f"where does not hold for it: {asked.where}")]


def seen(asked: Asked) -> Sequence[Stage]:
    """Whether the person has seen it, by the kinds of events that count as seeing."""
    rules, past = asked.pipeline.rules, asked.queries.histories
    passed = "not seen" if rules.seen == "drop" else "seen items may come again (rules.seen = keep)"
    counts = past.items == asked.item
    if rules.seen_types:
        counts &= past.of_kinds(rules.seen_types)
    last, dropped = np.flatnonzero(counts)[-1:], ""
    if len(last):
        act = done(past.kind_names[past.kinds[last[0]]], "it")
        dropped = f"{asked.person} {act} on {_day(int(past.times[last[0]]))} (rules.seen = drop)"
    alone = _left(asked, available=False, where=None)
    return [_stage(asked, "seen", _left(asked, asked.terms.where), alone, passed, dropped)]


def excluded(asked: Asked) -> Sequence[Stage]:
    """Whether the request excludes it."""
    left = _left(asked, asked.terms.where, asked.terms.exclude)
    alone = _left(asked, (), asked.terms.exclude, available=False, where=None, seen="keep")
    return [_stage(asked, "exclude", left, alone, "not excluded", "the request excludes it")]


def _left(asked: Asked, conditions: Sequence[str] = (), exclude: Indexes | None = None, **without: object) -> Mask:
    """bool[n]: what the rules leave when some of them are changed."""
    rules = replace(asked.pipeline.rules, **without)  # type: ignore[arg-type]  # fields of Rules
    catalog = asked.pipeline.catalog
    return rules.of_queries(asked.queries, rules.of_items(catalog, *conditions), catalog, exclude)[0]


def _stage(asked: Asked, name: str, left: Mask, alone: Mask, passed: str, failed: str) -> Stage:
    through = bool(alone[asked.item])
    return Stage(name, through, int(left.sum()), passed if through else failed)


def _day(time: int) -> str:
    """Such as 3 November 2026, in UTC."""
    day = dt.datetime.fromtimestamp(min(max(time, 0), LAST_TIME) // 1_000_000, dt.UTC)
    return f"{day.day} {day:%B} {day.year}"
