"""A search as one page: how it went, what mattered, and what each setting did; in the clothes of `page`."""

import json
from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
import polars as pl

from zhiyin.data.quality import svg
from zhiyin.data.quality.svg import Axis
from zhiyin.evaluation.importance import importance
from zhiyin.evaluation.plot import number
from zhiyin.evaluation.report import Report
from zhiyin.evaluation.search_space import SPACE, Range
from zhiyin.types import Floats

STYLE = """
:root{--s2:#7d6bb0;--s3:#b4535f;--s4:#6d9a4e}
@media (prefers-color-scheme:dark){:root{--s2:#a797d8;--s3:#e08a94;--s4:#9cc47e}}
svg.plot .pale{fill-opacity:.35}svg.plot .ring{fill:none;stroke:var(--ink);stroke-width:1.5}
svg.plot .name{fill:var(--ink)}
ul.key i{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;background:currentColor;margin-right:.45rem}
"""
_FEWEST_DOTS = 4
_ROW, _NAMES, _NUMBERS = 24, 196, 50  # px
_STATES = {"complete": "measured on everybody", "pruned": "given up early", "failed": "failed"}


def page(trials: pl.DataFrame, validation: Report, sentence: str, notes: Sequence[str] = ()) -> str:
    """The whole page, of the trials and the report of a `Tuned`."""
    models = trials["model"].unique(maintain_order=True).to_list()
    colours = {name: at % svg.COLOURS for at, name in enumerate(models)}
    template = Template((files(__package__) / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        kicker="zhiyin tune",
        title=escape(_title(trials, validation)),
        lead=escape(f"{sentence[:1].upper()}{sentence[1:]}."),
        summary=_summary(trials),
        main_figure=f'<div class="figures">{_course(trials, colours)}{_mattered(trials, colours)}</div>',
        sections=_slices(trials, colours) + _table(trials),
        protocol=escape(
            f"{validation.protocol[:1].upper()}{validation.protocol[1:]}; this window lies within the training view, "
            "and the test window was not asked"
        ),
        footnotes="".join(f"<li>{escape(note)}</li>" for note in (*_CAUTIONS, *notes)),
        plot_style=svg.STYLE + STYLE,
    )  # fmt: skip


_CAUTIONS = (
    "a trial is measured on this window and, if it does well, on the two before it: its value is the mean over all",
    "windows that chose these settings are kind to them: what they are worth, the test window says, in zhiyin train",
    "what mattered is a share of the variance between trials, one hyper-parameter at a time, on the first people "
    "asked; it speaks of the values that were tried, and a search tries good ones more often",
)


def _title(trials: pl.DataFrame, validation: Report) -> str:
    best = trials.filter(pl.col("value").is_not_null()).sort("value", descending=True)
    if best.is_empty():
        return "No trial succeeded"
    return f"{best['model'][0]} reaches {number(best['value'][0])}, {validation.best.name} {number(_mean(validation))}"


def _mean(validation: Report) -> float:
    return validation.best.metrics[validation.primary].mean


def _summary(trials: pl.DataFrame) -> str:
    counts = dict(trials["state"].value_counts().rows())
    numbers = [
        (f"{trials.height:,}", "trials"),
        *((f"{counts[state]:,}", words) for state, words in _STATES.items() if state in counts),
        (f"{trials['seconds'].sum() / 60:.1f}", "minutes"),
    ]
    return "".join(f"<div><dd>{value}</dd><dt>{words}</dt></div>" for value, words in numbers)


def _course(trials: pl.DataFrame, colours: dict[str, int]) -> str:
    ended = trials.with_columns(pl.col("seconds").cum_sum().alias("ended")).filter(pl.col("value").is_not_null())
    if ended.is_empty():
        return ""
    last = float(trials["seconds"].sum())
    x = Axis.across(0.0, last, label="seconds spent")
    y = _up(ended["value"].to_numpy())
    marks = []
    for name, colour in colours.items():
        own = ended.filter(pl.col("model") == name)
        if own.is_empty():
            continue
        at, value = own["ended"].to_numpy(), own["value"].to_numpy()
        best = np.maximum.accumulate(value)
        steps = np.repeat(at, 2)[1:], np.repeat(best, 2)[:-1]  # a staircase
        across, up = (np.append(one, end) for one, end in zip(steps, (last, best[-1]), strict=True))
        marks += [_pale(svg.dots(x, y, at, value, colour)), svg.line(x, y, across, up, colour)]
    top = ended.sort("value", descending=True).row(0, named=True)
    said = f"{top['model']} reaches the highest value, {number(top['value'])}, after {top['ended']:.0f} seconds."
    drawing = svg.plot("NDCG of the trials over time", said, x, y, marks)
    lead = "Each dot is a trial, each line the best of a model until then."
    return _figure("The best so far", lead, drawing, _key(colours))


def _mattered(trials: pl.DataFrame, colours: dict[str, int]) -> str:
    rows = [
        (f"{model} {name}", found, colours[model])
        for model in colours
        for name, settings, values in _searched(trials, model)
        if np.isfinite(found := importance(np.log(settings) if _logarithmic(trials, model, name) else settings, values))
    ]
    rows.sort(key=lambda row: -row[1])
    lead = "How much of the difference between the trials of a model lies in one setting alone."
    return _figure("What mattered", lead, _bars(rows), "") if rows else ""


def _bars(rows: Sequence[tuple[str, float, int]]) -> str:
    width = svg.WIDTH - _NAMES - _NUMBERS
    marks = [
        f'<text class="name" x="{_NAMES - 8}" y="{_ROW * at + 16}" text-anchor="end">{escape(name)}</text>'
        f'<g class="s{colour}"><rect class="bar" x="{_NAMES}" y="{_ROW * at + 5}" '
        f'width="{max(1.0, share * width):.1f}" height="{_ROW - 10}" rx="1.5"/></g>'
        f'<text x="{_NAMES + share * width + 7:.1f}" y="{_ROW * at + 16}">{share:.0%}</text>'
        for at, (name, share, colour) in enumerate(rows)
    ]
    said = "; ".join(f"{name} {share:.0%}" for name, share, _ in rows)
    return svg.svg("Share of the variance between trials", said, marks, _ROW * len(rows) + 6)


def _slices(trials: pl.DataFrame, colours: dict[str, int]) -> str:
    drawn = "".join(
        _figure(f"{model}: {name}", "", _slice(trials, model, name, settings, values, colours[model]), "")
        for model in colours
        for name, settings, values in _searched(trials, model)
        if len(values) >= _FEWEST_DOTS
    )
    lead = "Every trial by the value of one setting, on the first people asked; the ring is the one that was chosen."
    return _section("What each setting did", lead, f'<div class="figures">{drawn}</div>') if drawn else ""


def _slice(trials: pl.DataFrame, model: str, name: str, settings: Floats, values: Floats, colour: int) -> str:
    logarithmic = _logarithmic(trials, model, name)
    x = Axis.across(float(settings.min()), float(settings.max()), logarithmic=logarithmic)
    y = _up(values)
    own = trials.filter(pl.col("model") == model, pl.col("value").is_not_null()).sort("value", descending=True)
    chosen = []
    if own.height:
        setting = json.loads(own["settings"][0])[name]
        across, up = float(x.place(setting)), float(y.place(own["first_value"][0]))
        chosen = [f'<circle class="ring" cx="{across:.1f}" cy="{up:.1f}" r="6"/>']
    said = f"{len(values)} trials from {svg.short(float(settings.min()))} to {svg.short(float(settings.max()))}."
    return svg.plot(f"NDCG by {name} of {model}", said, x, y, [svg.dots(x, y, settings, values, colour), *chosen])


def _searched(trials: pl.DataFrame, model: str) -> list[tuple[str, Floats, Floats]]:
    """Each number that was searched for a model: its name, the settings tried, and what came of them."""
    own = trials.filter(pl.col("model") == model, pl.col("first_value").is_not_null())
    tried: list[dict[str, Any]] = [json.loads(text) for text in own["settings"]]
    values = own["first_value"].to_numpy()
    found = []
    for name in tried[0] if tried else ():
        known = np.array([isinstance(one.get(name), int | float) for one in tried])
        settings = np.array([float(one[name]) for one, is_known in zip(tried, known, strict=True) if is_known])
        if len(settings):
            found.append((name, settings, values[known]))
    return found


def _logarithmic(trials: pl.DataFrame, model: str, name: str) -> bool:
    """Whether a setting is searched by its size."""
    kind = trials.filter(pl.col("model") == model)["type"][0]
    searched = SPACE.get(kind, {}).get(name)
    return isinstance(searched, Range) and searched.scale == "logarithmic"


def _table(trials: pl.DataFrame) -> str:
    best = trials.filter(pl.col("value").is_not_null()).sort("value", descending=True).head(20)
    cell: Callable[[object], str] = lambda value: escape(str(value))  # noqa: E731 - one word for a column of cells
    body = "".join(
        f'<tr><th scope="row">{cell(row["model"])} {row["number"]}</th><td>{number(row["value"])}</td>'
        f"<td>{row['seconds']:.1f}</td><td>{cell(_words(row['settings']))}</td></tr>"
        for row in best.to_dicts()
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("trial", "NDCG", "seconds", "settings"))
    table = f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return _section("The best trials", "", table)


def _words(settings: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in json.loads(settings).items())


def _up(values: Floats) -> Axis:
    """An axis that shows the upper end, where the difference is: the lowest quarter of trials may lie below."""
    low, high = float(np.quantile(values, 0.1)), float(values.max())
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return Axis.up(low - room, high + room)


def _pale(dots: str) -> str:
    return dots.replace('class="dot"', 'class="dot pale"')


def _key(colours: dict[str, int]) -> str:
    items = "".join(f'<li class="s{colour}"><i></i>{escape(name)}</li>' for name, colour in colours.items())
    return f'<ul class="key">{items}</ul>'


def _figure(title: str, sentence: str, drawing: str, key: str) -> str:
    caption = f"<figcaption><h3>{escape(title)}</h3><p>{escape(sentence)}</p></figcaption>" if title else ""
    return f"<figure>{caption}{drawing}{key}</figure>" if drawing else ""


def _section(title: str, lead: str, body: str) -> str:
    said = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    return f"<section><h2>{escape(title)}</h2>{said}{body}</section>"
