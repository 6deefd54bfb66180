"""Why an event was dropped: for each reason a level, a sentence and what to do about it."""

from dataclasses import dataclass

import numpy as np

from zhiyin.data.quality.findings import EXAMPLES, Finding, Level, examples_of, percent, plural
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.quality.sieve import Sieve


@dataclass(frozen=True)
class Reason:
    """How a finding speaks of dropped events; the texts may name {events}, {share}, settings and the rule's details."""

    level: Level
    message: str
    advice: str


REASONS: dict[str, Reason] = {
    "missing_user_id": Reason(
        "warn",
        "{events} ({share}) do not say who: no user_id",
        "nothing can be learnt about a person from them; map the right column in [columns.events], or export the ids",
    ),
    "missing_item_id": Reason(
        "warn", "{events} ({share}) do not say what: no item_id", "map the right column in [columns.events]"
    ),
    "missing_timestamp": Reason(
        "warn",
        "{events} ({share}) have no time that can be read",
        "write seconds, milliseconds, ISO 8601 or dates, and map the column in [columns.events]",
    ),
    "time_too_early": Reason(
        "warn",
        "{events} ({share}) are older than {earliest}: most likely a clock that was never set",
        "set clean.earliest to an earlier date if they are real",
    ),
    "time_in_future": Reason(
        "warn",
        "{events} ({share}) lie more than a day in the future",
        "check the clock or the unit of the time column (seconds or milliseconds)",
    ),
    "impossible_price": Reason(
        "warn",
        "{events} ({share}) have a negative, infinite or NaN price",
        'set clean.impossible_prices = "blank" to keep such events without their price',
    ),
    "dropped_item": Reason(
        "info",
        "{events} ({share}) of {items} named by clean.drop_items or clean.drop_item_patterns",
        "nothing: it was asked for",
    ),
    "duplicate": Reason(
        "warn",
        "{events} ({share}) repeat an earlier one in every column",
        "look for a table that was loaded twice, or set clean.duplicates = false if repeats are real",
    ),
    "return": Reason(
        "info",
        "{events} ({share}) are returns (negative quantity), {unmatched} of them without an earlier purchase",
        'set clean.returns = "keep" to learn from them all the same',
    ),
    "returned": Reason(
        "info",
        "{events} ({share}) are purchases that were sent back in full",
        'set clean.returns = "drop" to drop only the returns themselves',
    ),
    "bot": Reason(
        "warn",
        "{events} ({share}) come from {people} with more than {max_events_per_day:,} events within 24 hours",
        "raise clean.max_events_per_day if these are people; 0 keeps everyone",
    ),
    "unknown_item": Reason(
        "info",
        "{events} ({share}) concern {items} that the catalogue does not know",
        'complete the items table, or set clean.unknown_items = "keep"',
    ),
    "history_cut": Reason(
        "warn",
        "{events} ({share}) are older than the newest {max_history:,} of {people} with endless histories",
        "check whether one id stands for many people; raise clean.max_history to keep more",
    ),
    "short_history": Reason(
        "info",
        "{events} ({share}) belong to {people} with fewer than {min_history:,} events",
        "nothing: it was asked for; clean.min_history = 0 keeps everyone",
    ),
    "k_core": Reason(
        "info",
        "{events} ({share}) lie outside the k-core ({k_core_users} events a person, {k_core_items} an item)",
        "nothing: it was asked for; clean.k_core_users and clean.k_core_items = 0 keep all",
    ),
}


def findings_of(sieve: Sieve, settings: CleanSettings) -> list[Finding]:
    """One finding for each reason for which events were dropped."""
    total = len(sieve.events)
    dropped = np.flatnonzero(sieve.reasons)
    reasons = sieve.reasons[dropped]
    counts = np.bincount(reasons, minlength=1 + len(sieve.reason_names))[1:]
    findings = []
    for code, (name, count) in enumerate(zip(sieve.reason_names, counts.tolist(), strict=True), start=1):
        reason, share = REASONS[name], count / total
        details = {noun: _counted(noun, number) for noun, number in sieve.details[name].items()}
        words = vars(settings) | details | {"events": plural(count, "event"), "share": percent(share)}
        rows = dropped[reasons == code][:EXAMPLES]
        findings.append(
            Finding(
                code=name,
                level=reason.level,
                table="events",
                count=count,
                share=share,
                message=reason.message.format(**words),
                advice=reason.advice,
                examples=examples_of(sieve.events[rows]),
                dropped=True,
            )
        )
    return findings


def _counted(noun: str, number: int) -> str:
    singular = {"people": "person", "items": "item"}.get(noun)
    return plural(number, singular) if singular else f"{number:,}"
