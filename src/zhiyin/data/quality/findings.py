"""What a check of the data found: one sentence each, with a count, examples and what to do."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import polars as pl

from zhiyin.errors import DataError

Level: TypeAlias = Literal["info", "warn", "block"]
"""info: good to know · warn: look at it · block: training on this makes no sense."""

LEVELS: tuple[Level, ...] = ("block", "warn", "info")
EXAMPLES = 3
LONGEST_CELL = 80
MOST_COLUMNS = 8


@dataclass(frozen=True)
class Finding:
    """One thing that is odd about the data.

    `count` rows (or ids, days, columns: the message says which) are a `share` in [0, 1] of all of them; `examples` are
    rows as dicts, with their number in the source under `row`; `dropped` is true where cleaning took these rows out.
    """

    code: str
    level: Level
    table: str
    count: int
    share: float
    message: str
    advice: str
    examples: tuple[dict[str, Any], ...] = ()
    dropped: bool = False


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Blocks before warnings before information; the larger share first within each."""
    return tuple(sorted(findings, key=lambda finding: (LEVELS.index(finding.level), -finding.share, finding.code)))


def raise_if_blocked(findings: Iterable[Finding]) -> None:
    """Refuse to go on with data on which training makes no sense.

    Raises
    ------
    DataError
        The sentence of the first finding that blocks.
    """
    for finding in findings:
        if finding.level == "block":
            raise DataError(f"{finding.message}: {finding.advice}")


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings as plain values, ready for any JSON writer."""
    return [asdict(finding) for finding in findings]


def as_text(findings: Sequence[Finding]) -> str:
    """The findings for a terminal: level, message, one example row, advice."""
    if not findings:
        return "Nothing to remark."
    return "\n".join(line for finding in worst_first(findings) for line in _lines(finding))


def _lines(finding: Finding) -> list[str]:
    lines = [f"{finding.level:<5}  {finding.table}.{finding.code}: {finding.message}"]
    if finding.examples:
        lines.append(f"       example: {json.dumps(finding.examples[0], ensure_ascii=False)}")
    lines.append(f"       → {finding.advice}")
    return lines


def examples_of(rows: pl.DataFrame, most: int = EXAMPLES) -> tuple[dict[str, Any], ...]:
    """The first rows as dicts of plain, short values; times as ISO 8601, unknown cells left out."""
    first = [name for name in ("row", *rows.columns) if name in rows.columns]
    shown = rows.head(most).select(list(dict.fromkeys(first))[:MOST_COLUMNS])
    if shown.schema.get("timestamp") == pl.Int64:
        shown = shown.with_columns(pl.from_epoch("timestamp", time_unit="us"))
    return tuple({name: _short(value) for name, value in row.items() if value is not None} for row in shown.to_dicts())


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.7g}") if abs(value) < float("inf") else str(value)  # NaN and infinity are no JSON
    if isinstance(value, (bool, int)):
        return value
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def percent(share: float) -> str:
    """A share in words that never rounds something to nothing: 0.00003 is "< 0.01 %"."""
    if 0 < share < 0.0001:
        return "< 0.01 %"
    return f"{share:.2%}".replace("%", " %") if share < 0.1 else f"{share:.1%}".replace("%", " %")


def plural(count: int, noun: str) -> str:
    """'1 event', '12,345 events'; people are irregular."""
    many = {"person": "people", "entry": "entries"}.get(noun, f"{noun}s")
    return f"{count:,} {noun if count == 1 else many}"
