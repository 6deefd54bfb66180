"""The report of a release as a page shows it: one number at a time, for everybody or for a part of the people."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from zhiyin.errors import ArtifactError
from zhiyin.evaluation.report import LOWER_IS_BETTER, Report, Row
from zhiyin.evaluation.significance import Interval
from zhiyin.registry.store import Store

EVERYBODY = "all"
FILE = "report.json"
MOST_KEPT = 20
Verdict: TypeAlias = Literal["better", "worse", "level", ""]
"""Against the baseline, beyond noise; empty where it is not known."""


@dataclass(frozen=True)
class Bar:
    """One model."""

    name: str
    role: str
    mean: float
    low: float | None
    """Where the mean lies with a confidence of 95 %; None for fewer than two people."""
    high: float | None
    users: int
    against: Verdict
    fit_seconds: float | None


@dataclass(frozen=True)
class Comparison:
    """All models by one number, the best first."""

    report: Report
    metric: str
    segment: str
    bars: tuple[Bar, ...]

    @classmethod
    def of(cls, report: Report, metric: str, segment: str) -> "Comparison":
        """By what was asked for; by the deciding number, and of everybody, where there is no such thing."""
        metric = metric if metric in metrics_of(report) else report.primary
        segment = segment if any(one.name == segment for one in report.segments) else EVERYBODY
        bars = [bar for row in report.rows if (bar := _bar(row, metric, segment))]
        sign = 1 if metric in LOWER_IS_BETTER else -1
        bars.sort(key=lambda bar: (bar.role == "ceiling", sign * bar.mean))
        return cls(report, metric, segment, tuple(bars))

    @property
    def is_less_better(self) -> bool:
        """For errors."""
        return self.metric in LOWER_IS_BETTER

    def plot(self, names: Mapping[str, str]) -> dict[str, Any]:
        """For plots.js; some rows have other names in the language of the reader."""
        rows = [
            {
                "name": names.get(bar.name, bar.name),
                "mean": bar.mean,
                "low": bar.low,
                "high": bar.high,
                "role": bar.role,
            }
            for bar in self.bars
        ]
        base = next((bar.mean for bar in self.bars if bar.role == "baseline"), None)
        return {"kind": "intervals", "rows": rows, "base": base, "digits": 4}


def metrics_of(report: Report) -> list[str]:
    """Those that are known of some model, the deciding one first."""
    also = (name for row in report.rows for name in row.metrics if name not in report.metrics)
    names = dict.fromkeys([*report.metrics, *also])
    return [name for name in names if any(_is_known(row.metrics.get(name)) for row in report.rows)]


def report_of(registry: Store, number: int) -> Report | None:
    """What was measured before a release was published; None where nothing was kept, or it cannot be read."""
    try:
        path = registry.path(number) / FILE
        return _read(path, path.stat().st_mtime_ns)
    except (ArtifactError, OSError):
        return None


@lru_cache(maxsize=MOST_KEPT)
def _read(path: Path, _: int) -> Report:
    """A release never changes: its report is read once."""
    return Report.from_json(path.read_bytes())


def _bar(row: Row, metric: str, segment: str) -> Bar | None:
    known: Mapping[str, Interval] = row.metrics if segment == EVERYBODY else row.segments.get(segment, {})
    found = known.get(metric)
    if found is None or not _is_known(found):
        return None
    against: Verdict = ""
    if segment == EVERYBODY and metric in row.against:
        against = "better" if row.better(metric) else "worse" if row.worse(metric) else "level"
    low, high = (None if math.isnan(one) else one for one in (found.low, found.high))
    return Bar(row.name, row.role, found.mean, low, high, found.users, against, row.fit_seconds)


def _is_known(found: Interval | None) -> bool:
    return found is not None and not math.isnan(found.mean)
