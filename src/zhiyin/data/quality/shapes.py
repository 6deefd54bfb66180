"""Findings about ids: odd ones among the others, endless ones, near-twins, invisible characters."""

from collections.abc import Mapping

import polars as pl

from zhiyin.data.codes import Distinct
from zhiyin.data.quality.findings import Finding, Level, examples_of, percent, plural
from zhiyin.data.quality.rules import named_items
from zhiyin.data.quality.settings import CleanSettings

MOST_EXAMPLES = 12
LONG_ID = 256  # characters
FEWEST_IDS = 50  # fewer show no pattern
USUAL = 0.02  # a shape with this share of all ids is usual …
MOSTLY = 0.95  # … and where the usual ones cover this share, the rest stands out
ODD_SHARE = 0.05  # of the events: goods that sell more than this are no exception


def about_ids(ids: Mapping[str, Distinct], settings: CleanSettings) -> list[Finding]:
    """What is odd about the ids of all events as they were read, but for items that cleaning drops by name."""
    findings = []
    for name, found in ids.items():
        known = pl.DataFrame({name: found.texts, "events": found.counts})
        if name == "item_id" and len(known):
            known = known.filter(~named_items(known[name], settings))
        if len(known):
            findings += [*_long(known, name), *_invisible(known, name), *_near_twins(known, name), *_odd(known, name)]
    return findings


def _finding(
    known: pl.DataFrame, odd: pl.DataFrame, code: str, message: str, advice: str, shown: pl.DataFrame | None = None
) -> Finding:
    """About some of the ids; the examples are those with the most events."""
    examples = (odd if shown is None else shown).sort("events", descending=True, maintain_order=True)
    level: Level = "info" if code.startswith("near_twin") else "warn"
    share = len(odd) / len(known)
    return Finding(code, level, "events", len(odd), share, message, advice, examples_of(examples, MOST_EXAMPLES))


def _long(known: pl.DataFrame, name: str) -> list[Finding]:
    odd = known.filter(pl.col(name).str.len_chars() > LONG_ID)
    if not len(odd):
        return []
    longest = int(odd[name].str.len_chars().to_numpy().max())
    message = f"{plural(len(odd), _noun(name))} with more than {LONG_ID} characters, the longest with {longest:,}"
    return [_finding(known, odd, f"long_{name}", message, "check that the column holds ids and not texts or links")]


def _invisible(known: pl.DataFrame, name: str) -> list[Finding]:
    odd = known.filter(pl.col(name).str.contains(r"[[\p{Cc}\p{Cf}]--\x{200D}]|^\s|\s$"))  # emoji join by U+200D
    if not len(odd):
        return []
    message = f"{plural(len(odd), _noun(name))} with invisible or control characters"
    return [_finding(known, odd, f"invisible_in_{name}", message, "clean them at the source: they are hard to ask for")]


def _near_twins(known: pl.DataFrame, name: str) -> list[Finding]:
    folded = known.with_columns(_folded=pl.col(name).str.to_lowercase().str.replace_all(r"\s+", ""))
    if folded["_folded"].n_unique() == len(folded):
        return []
    odd = folded.filter(pl.col("_folded").is_duplicated())
    pairs = (
        odd.sort("_folded", "events", name, descending=[False, True, False])
        .group_by("_folded", maintain_order=True)
        .agg(pl.col(name).str.join(" | "), pl.col("events").sum())
        .drop("_folded")
    )
    message = f"{plural(len(odd), _noun(name))} differ from another only in case or spaces"
    advice = "the same thing under two names learns half as well: make them one at the source if they are one"
    return [_finding(known, odd, f"near_twin_{name}", message, advice, pairs)]


def _odd(known: pl.DataFrame, name: str) -> list[Finding]:
    """Item ids of a rare shape among ids of usual shapes: 85123A, 22423 and then POST, gift_0001_20, TEST001."""
    if name != "item_id" or len(known) < FEWEST_IDS:
        return []
    shaped = known.with_columns(_shape=_shape(name)).with_columns(_share=pl.len().over("_shape") / len(known))
    odd = shaped.filter(pl.col("_share") < USUAL).drop("_shape", "_share")
    events = int(odd["events"].sum())
    share = events / int(known["events"].sum())
    if not len(odd) or len(odd) > (1 - MOSTLY) * len(known) or share > ODD_SHARE:
        return []
    message = (
        f"{plural(len(odd), _noun(name))} ({plural(events, 'event')}, {percent(share)}) do not look like the others: "
        "perhaps service, gift or test codes"
    )
    some = odd.sort("events", descending=True)[name].head(3).to_list()
    advice = f"if they are no goods, name them: [clean] drop_items = {_toml(some, more=len(odd) > len(some))}"
    return [_finding(known, odd, f"odd_{name}", message, advice)]


def _noun(name: str) -> str:
    return name.replace("_", " ")


def _shape(name: str) -> pl.Expr:
    """Runs of letters become A, runs of digits 9: 85123A is 9A, gift_0001_20 is A_9_9."""
    return pl.col(name).str.replace_all(r"\p{L}+", "A").str.replace_all(r"\p{Nd}+", "9")


def _toml(ids: list[str], *, more: bool) -> str:
    quoted = [f'"{text[:40]}"' for text in ids]
    return f"[{', '.join([*quoted, '…'] if more else quoted)}]"
