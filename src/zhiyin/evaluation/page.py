"""A report as one page: a single HTML file without scripts or outside files, for dark and light, phone and desk."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template

from zhiyin.data.quality import svg
from zhiyin.evaluation import plot
from zhiyin.evaluation.plot import Mean, Standing, number
from zhiyin.evaluation.report import LOWER_IS_BETTER, Report, Row
from zhiyin.evaluation.significance import Interval
from zhiyin.evaluation.table import LABELS

SAYS = {
    "ndcg": "How much of what people then chose is in the list, and how near the top.",
    "recall": "The share of what people then chose that is in the list.",
    "capped_recall": "The same, of as much as a list can hold.",
    "precision": "The share of the list that people then chose.",
    "hit_rate": "The share of people who find at least one choice in their list.",
    "map": "Precision at every choice found, averaged.",
    "mrr": "One over the place of the first choice found.",
    "auc": "How often a choice scores above anything else, over the whole catalogue; .5 is a coin.",
    "rmse": "How far predicted ratings are off, large errors counting more; less is better.",
    "mae": "How far predicted ratings are off on average; less is better.",
}

Cell = Callable[[Row], str]


def page(report: Report) -> str:
    """The whole page."""
    template = Template((files(__package__) / "page.html").read_text(encoding="utf-8"))
    others = [*report.metrics[1:], *(metric for metric in ("rmse", "mae") if _known(report, metric))]
    sections = [
        _section("For whom", f"{_label(report)} in parts of the people asked, all on one scale.", _segments(report)),
        _section("Other ways to count", "", _figures(_figure(report, metric) for metric in others)),
        _section(
            "What kind of lists, at which cost", "Hitting is not all: what is shown, and to whom.", _lists(report)
        ),
        _section("All numbers", "Means with their 95 % intervals; p-values are of the difference.", _numbers(report)),
    ]
    return template.substitute(
        kicker="zhiyin evaluate",
        title=escape(_title(report)),
        lead=escape(_lead(report)),
        summary=_summary(report),
        main_figure=_main_figure(report),
        sections="".join(sections),
        protocol=escape(report.protocol[:1].upper() + report.protocol[1:]),
        footnotes="".join(f"<li>{escape(note)}</li>" for note in report.footnotes),
        plot_style=svg.STYLE + plot.STYLE,
    )


def _title(report: Report) -> str:
    best, gain = report.best, report.gain(report.best, report.primary)
    if best.better(report.primary) and gain is not None:
        return f"{best.name} beats {report.baseline} by {gain:.0%}"
    if report.baseline is not None and len(report.rows) > 1:
        return f"Nothing beats {report.baseline} beyond noise"
    return f"{best.name}, measured"


def _lead(report: Report) -> str:
    winners = [row.name for row in report.rows if row.better(report.primary)]
    metric = f"{_label(report)}, the share of the best possible list"
    if not winners:
        return f"Measured by {metric}, on what people did after training ended."
    more = f"; so do {', '.join(winners[1:])}" if len(winners) > 1 else ""
    return f"Beyond noise, by {metric}{more}. Measured on what people did after training ended."


def _label(report: Report) -> str:
    return f"{LABELS[report.primary]}@{report.k}"


def _summary(report: Report) -> str:
    best = report.best
    share = report.share_of_ceiling(best, report.primary)
    numbers = [(number(best.metrics[report.primary].mean), f"{_label(report)} of {best.name}")]
    if share is not None:
        numbers.append((f"{share:.0%}", "of the best achievable"))
    numbers += [(f"{report.users:,}", "people asked"), (f"{report.items:,}", "items to choose from")]
    return "".join(f"<div><dd>{value}</dd><dt>{escape(name)}</dt></div>" for value, name in numbers)


def _standing(row: Row, metric: str) -> Standing:
    if row.role != "model":
        return row.role
    if row.better(metric):
        return "better"
    return "worse" if row.worse(metric) else "same"


def _means(report: Report, metric: str) -> list[Mean]:
    return [Mean(row.name, row.metrics[metric], _standing(row, metric)) for row in report.rows if metric in row.metrics]


def _main_figure(report: Report) -> str:
    lines, title = _means(report, report.primary), _label(report)
    drawn = "".join(
        f'<div class="{name}">{plot.means(title, lines, width=width)}</div>'
        for name, width in (("wide", 860), ("narrow", 480))
    )
    return f"<figure>{_caption(title, SAYS[report.primary])}{drawn}{_key(report)}</figure>"


def _key(report: Report) -> str:
    marks = [("better", "dot", f"above {report.baseline} beyond noise"), ("worse", "dot", "below it beyond noise")]
    marks.append(("same", "hollow", "within noise"))
    shown = {_standing(row, metric) for row in report.rows for metric in report.metrics}
    keys = "".join(
        f'<li><svg class="means" viewBox="0 0 12 12" aria-hidden="true"><g class="{standing}">'
        f'<circle class="{shape}" cx="6" cy="6" r="4.5"/></g></svg>{escape(words)}</li>'
        for standing, shape, words in marks
        if standing in shown and report.baseline is not None
    )
    dashed = f"<li>dashed: {escape(report.baseline)}</li>" if report.baseline is not None else ""
    return f'<ul class="key">{keys}{dashed}<li>bars: 95 % intervals</li></ul>'


def _figure(report: Report, metric: str) -> str:
    label = f"{LABELS[metric]}@{report.k}" if metric not in LOWER_IS_BETTER | {"auc"} else LABELS[metric]
    return f"<figure>{_caption(label, SAYS[metric])}{plot.means(label, _means(report, metric))}</figure>"


def _segments(report: Report) -> str:
    plots = {
        segment: [
            Mean(row.name, row.segments[segment.name][report.primary], "same" if row.role == "model" else row.role)
            for row in report.rows
        ]
        for segment in report.segments
    }
    span = plot.span_of(list(plots.values()))
    return _figures(
        f"<figure>{_caption(f'{segment.name}, {segment.bounds}', f'{segment.users:,} people')}"
        f"{plot.means(segment.name, lines, span=span)}</figure>"
        for segment, lines in plots.items()
    )


def _lists(report: Report) -> str:
    def share(metric: str) -> Cell:
        return lambda row: f"{row.lists[metric]:.1%}" if metric in row.lists else "–"

    def mean(metric: str, form: str) -> Cell:
        return lambda row: format(row.metrics[metric].mean, form) if row.metrics[metric].users else "–"

    return _table(report, [
        ("coverage", "of the catalogue", share("coverage")),
        ("novelty", "bits of surprise", mean("novelty", ".1f")),
        ("diversity", f"by {report.diversity_by}", mean("diversity", ".2f")),
        ("popularity", "users of an item", mean("popularity", ",.0f")),
        ("Gini", "0 all items alike", lambda row: f"{row.lists['gini']:.2f}" if "gini" in row.lists else "–"),
        ("personalisation", "0 the same for all", share("personalisation")),
        ("training", "seconds", lambda row: "–" if row.fit_seconds is None else f"{row.fit_seconds:,.1f}"),
        ("answering", "ms per person", lambda row: f"{1000 * row.answer_seconds / max(report.users, 1):,.2f}"),
    ])  # fmt: skip


def _numbers(report: Report) -> str:
    metrics = [*report.metrics, *(metric for metric in ("rmse", "mae") if _known(report, metric))]
    columns = [(LABELS[metric], "", _number_cell(report, metric)) for metric in metrics]
    if any(row.against for row in report.rows):
        columns.insert(1, ("gain", f"in {LABELS[report.primary]}", lambda row: _gain_cell(report, row)))
    return _table(report, columns)


def _number_cell(report: Report, metric: str) -> Cell:
    means = [row.metrics[metric].mean for row in report.rows if metric in row.metrics and row.role != "ceiling"]
    best = (min if metric in LOWER_IS_BETTER else max)(means) if means else None

    def cell(row: Row) -> str:
        found = row.metrics.get(metric)
        if found is None or not found.users:
            return "–"
        mean = f"<b>{number(found.mean)}</b>" if found.mean == best else number(found.mean)
        return f"{_sign(row, metric)}{mean}<small>{_bounds(found)}</small>"

    return cell


def _gain_cell(report: Report, row: Row) -> str:
    gain = report.gain(row, report.primary)
    if gain is None:
        return "–"
    p_value = row.against[report.primary].p_value
    return f"{gain:+.1%}<small>{'p < .001' if p_value < 0.001 else f'p = {p_value:.3f}'}</small>"


def _sign(row: Row, metric: str) -> str:
    if row.better(metric):
        return '<span class="up" title="above the baseline beyond noise">▲</span> '
    return '<span class="down" title="below the baseline beyond noise">▼</span> ' if row.worse(metric) else ""


def _bounds(found: Interval) -> str:
    return f"{number(found.low)} – {number(found.high)}" if found.low <= found.high else "one person"


def _table(report: Report, columns: Sequence[tuple[str, str, Cell]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}<small>{escape(unit)}</small></th>' for name, unit, _ in columns)
    body = "".join(
        f'<tr class="{row.role}"><th scope="row">{escape(row.name)}</th>'
        f"{''.join(f'<td>{cell(row)}</td>' for _, _, cell in columns)}</tr>"
        for row in report.rows
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="table"><table>'
        f'<thead><tr><th scope="col">model</th>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _section(title: str, lead: str, content: str) -> str:
    if not content:
        return ""
    return f'<section><h2>{escape(title)}</h2><p class="lead">{escape(lead)}</p>{content}</section>'


def _figures(drawn: Iterable[str]) -> str:
    shown = "".join(drawn)
    return f'<div class="figures">{shown}</div>' if shown else ""


def _caption(title: str, sentence: str) -> str:
    return f"<figcaption><h3>{escape(title)}</h3><p>{escape(sentence)}</p></figcaption>"


def _known(report: Report, metric: str) -> bool:
    return any(metric in row.metrics for row in report.rows)
