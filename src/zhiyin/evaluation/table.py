"""A report on the terminal: what does not fit beside the rest is left out, and said to be."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from zhiyin.evaluation.significance import Interval

if TYPE_CHECKING:
    from zhiyin.evaluation.report import Report, Row

WIDTH = 100
_LEAST_COLUMNS = 2  # the name and what decides
_MOST_METRICS = 7  # more do not fit; the frame, the page and the JSON have them all

LABELS = {
    "ndcg": "NDCG",
    "recall": "recall",
    "capped_recall": "capped recall",
    "precision": "precision",
    "hit_rate": "hit rate",
    "map": "MAP",
    "mrr": "MRR",
    "auc": "AUC",
    "novelty": "novelty",
    "diversity": "diversity",
    "popularity": "popularity",
    "coverage": "coverage",
    "gini": "Gini",
    "personalisation": "personal",
    "rmse": "RMSE",
    "mae": "MAE",
}
"""What people call the metrics."""

Cell = Callable[["Row"], Text]


def text(report: "Report", width: int = WIDTH) -> str:
    """The tables as plain text."""
    page = StringIO()
    Console(file=page, width=width, force_terminal=False, color_system=None).print(tables(report, width))
    return "\n".join(line.rstrip() for line in page.getvalue().rstrip().splitlines()) + "\n"


def tables(report: "Report", width: int = WIDTH) -> RenderableType:
    """How well, for whom, what kind of lists, and how fast; then how it was measured."""
    drawn = [_accuracy(report)]
    if report.segments:
        drawn.append(_segments(report))
    drawn.append(_lists(report))
    if any("rmse" in row.metrics for row in report.rows):
        drawn.append(_ratings(report))
    fitting = [_fitting(one, width) for one in drawn]
    hidden = [name for _, names in fitting for name in names]
    notes = [report.protocol, *report.footnotes]
    if hidden:
        notes.append(f"not shown in {width} columns: {', '.join(hidden)}; a wider window, JSON and the page have them")
    return Group(*(one for one, _ in fitting), Padding(Text("\n".join(notes), "dim"), (0, 2)))


def _fitting(table: Table, width: int) -> tuple[Table, list[str]]:
    """The table without its last columns, as far as these do not fit, and their names."""
    wide = Console(width=10 * WIDTH)
    hidden: list[str] = []
    while len(table.columns) > _LEAST_COLUMNS and wide.measure(table).maximum > width:
        hidden.insert(0, " ".join(str(table.columns.pop().header).split()))
    return table, hidden


def _accuracy(report: "Report") -> Table:
    title = f"How well the next choices are found in lists of {report.k}"
    columns: list[tuple[str, Cell]] = [(f"{LABELS[report.primary]}@{report.k}", _spread(report, report.primary))]
    if any(row.against for row in report.rows):
        columns.append(("gain", lambda row: _gain(report, row)))
        title += f" · gain over {report.baseline}"
    if report.ceiling:
        columns.append(("of best", lambda row: _share(report, row)))
    columns += [(LABELS[metric], _marked(report, metric)) for metric in report.metrics[1:_MOST_METRICS]]
    return _table(report, title, columns, gap=0)


def _segments(report: "Report") -> Table:
    columns: list[tuple[str, Cell]] = []
    for segment in report.segments:
        values = {row.name: row.segments[segment.name].get(report.primary) for row in report.rows}
        best = _best([values[row.name] for row in report.rows if row.role != "ceiling"])
        columns.append((
            f"{segment.name}\n{segment.bounds}\n{segment.users:,} people",
            lambda row, values=values, best=best: _interval(values[row.name], best),  # type: ignore[misc]
        ))  # fmt: skip
    return _table(report, f"For whom: {LABELS[report.primary]}@{report.k}", columns)


def _lists(report: "Report") -> Table:
    def share(metric: str) -> Cell:
        return lambda row: Text(f"{row.lists[metric]:.1%}" if metric in row.lists else "–")

    def mean(metric: str, form: str) -> Cell:
        return lambda row: Text(format(row.metrics[metric].mean, form) if row.metrics[metric].users else "–")

    columns: list[tuple[str, Cell]] = [
        ("catalogue\ncovered", share("coverage")),
        ("novelty\nin bits", mean("novelty", ".1f")),
        (f"diversity\n{report.diversity_by}", mean("diversity", ".2f")),
        ("users of\nan item", mean("popularity", ",.0f")),
        ("Gini of\nexposure", lambda row: Text(f"{row.lists['gini']:.2f}" if "gini" in row.lists else "–")),
        ("lists\ndiffer", share("personalisation")),
        ("training\nseconds", lambda row: Text("–" if row.fit_seconds is None else f"{row.fit_seconds:,.1f}")),
        ("ms per\nanswer", lambda row: Text(f"{1000 * row.answer_seconds / max(report.users, 1):,.2f}")),
    ]
    if any(row.megabytes is not None for row in report.rows):
        columns.append(("MB", lambda row: Text("–" if row.megabytes is None else f"{row.megabytes:,.2f}")))
    return _table(report, "What kind of lists, at which cost", columns)


def _ratings(report: "Report") -> Table:
    columns: list[tuple[str, Cell]] = [(LABELS[metric], _spread(report, metric, lowest=True)) for metric in _ERRORS]
    columns.append(("not predicted", lambda row: Text(f"{row.unpredicted:,}")))
    report = replace(report, rows=tuple(row for row in report.rows if "rmse" in row.metrics))
    return _table(report, "How far predicted ratings are off (less is better)", columns)


_ERRORS = ("rmse", "mae")


def _table(report: "Report", title: str, columns: Sequence[tuple[str, Cell]], gap: int = 1) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
        padding=(0, gap, 0, 0),
    )  # fmt: skip
    table.add_column("", no_wrap=True, max_width=17, vertical="bottom")
    for header, _ in columns:
        table.add_column(Text(header), justify="right", no_wrap=True, vertical="bottom")
    for row in report.rows:
        style = "dim italic" if row.role == "ceiling" else ""
        table.add_row(Text(row.name), *(cell(row) for _, cell in columns), style=style)
    return table


def _spread(report: "Report", metric: str, lowest: bool = False) -> Cell:
    best = _best([row.metrics.get(metric) for row in report.rows if row.role != "ceiling"], lowest)

    def cell(row: "Row") -> Text:
        return _mark(row, metric) + _interval(row.metrics.get(metric), best)

    return cell


def _marked(report: "Report", metric: str) -> Cell:
    best = _best([row.metrics.get(metric) for row in report.rows if row.role != "ceiling"])

    def cell(row: "Row") -> Text:
        found = row.metrics.get(metric)
        if found is None:
            return Text("–")
        mark = Text("≈ ", "dim") if metric == "auc" and row.notes else _mark(row, metric)
        return mark + Text(_number(found.mean), "bold" if found.mean == best else "")

    return cell


def _interval(found: Interval | None, best: float) -> Text:
    if found is None or not found.users:
        return Text("–")
    mean = Text(_number(found.mean), "bold" if found.mean == best else "")
    return mean + Text(f" ±{_number((found.high - found.low) / 2):5}", "dim")


def _mark(row: "Row", metric: str) -> Text:
    if row.better(metric):
        return Text("▲ ", "green")
    return Text("▼ ", "red") if row.worse(metric) else Text("")


def _gain(report: "Report", row: "Row") -> Text:
    gain = report.gain(row, report.primary)
    return Text("–" if gain is None else f"{gain:+.0%}")


def _share(report: "Report", row: "Row") -> Text:
    share = report.share_of_ceiling(row, report.primary)
    return Text("–" if share is None else f"{share:.0%}")


def _best(found: Sequence[Interval | None], lowest: bool = False) -> float:
    means = [one.mean for one in found if one is not None and one.users]
    return (min if lowest else max)(means) if means else float("nan")


def _number(value: float) -> str:
    """Four figures without the leading zero, five characters wide up to 1."""
    if math.isnan(value):
        return "?"
    return f"{value:.4f}".removeprefix("0") if value < 0.99995 else f"{value:.3f}"
