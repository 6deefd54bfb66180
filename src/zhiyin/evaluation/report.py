"""What an evaluation found: a row per model, each number with its uncertainty."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec
import polars as pl
from rich.console import Console, ConsoleOptions, RenderResult

from zhiyin.errors import ArtifactError
from zhiyin.evaluation import table
from zhiyin.evaluation.segments import Segment
from zhiyin.evaluation.significance import Comparison, Interval
from zhiyin.types import Floats

Role = Literal["model", "baseline", "ceiling"]

LOWER_IS_BETTER = frozenset({"rmse", "mae"})


@dataclass(frozen=True, eq=False)
class Row:
    """One model, its means over users and how they compare."""

    name: str
    role: Role
    metrics: Mapping[str, Interval]  # of rankings, lists and (rmse, mae) ratings
    against: Mapping[str, Comparison]  # minus the baseline; p-values are corrected for the number of models (Holm)
    lists: Mapping[str, float]  # of all lists together: coverage, gini, personalisation
    segments: Mapping[str, Mapping[str, Interval]]  # segment name -> metric
    fit_seconds: float | None = None
    answer_seconds: float = 0.0
    megabytes: float | None = None  # of what was learned; said where that was made smaller
    unpredicted: int = 0  # ratings that the model could not predict: left out of rmse and mae
    notes: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)  # metric -> float64[b]; not kept in JSON

    def better(self, metric: str) -> bool:
        """Above the baseline beyond noise; False for the baseline itself."""
        return metric in self.against and self.against[metric].better

    def worse(self, metric: str) -> bool:
        """Below the baseline beyond noise."""
        return metric in self.against and self.against[metric].worse

    def of_user(self, metric: str) -> Floats:
        """float64[b]: the value of each held-out person; NaN where nothing was relevant.

        Raises
        ------
        KeyError
            If the report was read from JSON, which keeps means alone, or the metric was not asked for.
        """
        found: Floats = self.values[metric]
        return found


@dataclass(frozen=True, eq=False)
class Report:
    """Rows best first by the first metric, the ceiling last; `print` shows it as a table."""

    rows: tuple[Row, ...]
    metrics: tuple[str, ...]  # of rankings, the deciding one first
    k: int
    users: int  # people asked
    items: int  # that every list was chosen from
    baseline: str | None
    protocol: str
    footnotes: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    diversity_by: str = "category"

    def __str__(self) -> str:
        return table.text(self)

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        yield table.tables(self, options.max_width)

    @property
    def primary(self) -> str:
        """The metric that decides."""
        return self.metrics[0]

    @property
    def best(self) -> Row:
        """The model with the highest mean of the deciding metric; the ceiling does not take part."""
        return self.rows[0]

    @property
    def ceiling(self) -> Row | None:
        """The best that is achievable, where somebody knows it."""
        return next((row for row in self.rows if row.role == "ceiling"), None)

    def row(self, name: str) -> Row:
        """The row of a model.

        Raises
        ------
        KeyError
            If there is none of this name.
        """
        return {row.name: row for row in self.rows}[name]

    def share_of_ceiling(self, row: Row, metric: str) -> float | None:
        """How much of the best achievable a model reaches, 1 = all; `None` where nobody knows the best."""
        if self.ceiling is None or metric not in self.ceiling.metrics or metric not in row.metrics:
            return None
        best = self.ceiling.metrics[metric].mean
        return row.metrics[metric].mean / best if best > 0 else None

    def gain(self, row: Row, metric: str) -> float | None:
        """The difference to the baseline as a share of the baseline's mean; `None` where there is none."""
        if self.baseline is None or metric not in row.against:
            return None
        base = self.row(self.baseline).metrics[metric].mean
        return row.against[metric].difference.mean / base if base > 0 else None

    def frame(self) -> pl.DataFrame:
        """Tidy: one line per model, segment and metric; segment "all" is everybody."""
        lines = [line for row in self.rows for line in _lines(self, row)]
        return pl.DataFrame(lines, schema=_SCHEMA, orient="row")

    def as_json(self) -> str:
        """All but the values of single users; NaN is null."""
        plain = replace(self, rows=tuple(replace(row, values={}) for row in self.rows))
        return msgspec.json.encode(plain).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Report":
        """The inverse of `as_json`.

        Raises
        ------
        ArtifactError
            If the text is not such a report.
        """
        try:
            return msgspec.convert(_with_nan(msgspec.json.decode(text)), cls)
        except msgspec.MsgspecError as error:
            raise ArtifactError(f"this is not a report of zhiyin: {error}; evaluate again to write a new one") from None


_SCHEMA = {
    "model": pl.String, "role": pl.String, "segment": pl.String, "metric": pl.String, "k": pl.Int64,
    "mean": pl.Float64, "low": pl.Float64, "high": pl.Float64, "users": pl.Int64,
    "difference": pl.Float64, "difference_low": pl.Float64, "difference_high": pl.Float64, "p_value": pl.Float64,
    "share_of_ceiling": pl.Float64,
}  # fmt: skip


def _lines(report: Report, row: Row) -> list[tuple[Any, ...]]:
    lines: list[tuple[Any, ...]] = []
    for segment, metrics in {"all": row.metrics, **row.segments}.items():
        for metric, found in metrics.items():
            against = row.against.get(metric) if segment == "all" else None
            versus = against.difference if against else None
            lines.append((
                row.name, row.role, segment, metric, report.k, found.mean, found.low, found.high, found.users,
                versus and versus.mean, versus and versus.low, versus and versus.high, against and against.p_value,
                report.share_of_ceiling(row, metric) if segment == "all" else None,
            ))  # fmt: skip
    for metric, value in row.lists.items():
        lines.append((row.name, row.role, "all", metric, report.k, value, *[None] * 8))
    return lines


def _with_nan(value: Any) -> Any:
    """JSON knows no NaN: what is null in an interval was one."""
    if isinstance(value, list):
        return [_with_nan(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    numbers = ("mean", "low", "high") if "low" in value else ()
    return {key: math.nan if inner is None and key in numbers else _with_nan(inner) for key, inner in value.items()}
