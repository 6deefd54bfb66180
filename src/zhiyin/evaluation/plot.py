"""Means with their intervals, one line per model, as SVG text: the frame and colours are those of `quality.svg`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Literal

from zhiyin.data.quality.svg import Axis, Ticks
from zhiyin.evaluation.significance import Interval

Standing = Literal["better", "same", "worse", "baseline", "ceiling"]

STYLE = """
svg.means .name{fill:var(--ink)}
svg.means .value{font-weight:500;fill:var(--ink)}
svg.means .noise{fill:var(--soft)}
svg.means .range{stroke:currentColor;stroke-width:5;stroke-linecap:round;stroke-opacity:.28}
svg.means .dot{fill:currentColor;stroke:var(--card);stroke-width:1.5}
svg.means .hollow{fill:var(--card);stroke:currentColor;stroke-width:2}
svg.means .arrow{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
svg.means .reference{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3}
svg.means .better{color:var(--better)}svg.means .worse{color:var(--worse)}
svg.means .same,svg.means .baseline{color:var(--s5)}svg.means .ceiling{color:var(--s1)}
svg.means .better .sign{fill:var(--better)}svg.means .worse .sign{fill:var(--worse)}
"""

ROW, TOP, FOOT = 26, 8, 30  # px: height of a line, above the first, below the last
_NAMES, _VALUES = 118, 126  # px kept for the words left and right of the drawing
_SIGNS = {"better": "▲ ", "worse": "▼ "}
_LETTERS = 17
_FAR = 2.0  # times the best model


@dataclass(frozen=True)
class Mean:
    """One line of a plot."""

    name: str
    found: Interval
    standing: Standing


def means(title: str, lines: Sequence[Mean], *, width: int = 480, span: tuple[float, float] | None = None) -> str:
    """An <svg> of the lines from top to bottom; the baseline's mean runs through all of them, dashed."""
    bottom = TOP + ROW * len(lines)
    axis = _axis(span or span_of([lines]), width)
    grid = [
        f'<path class="grid" d="M{_px(at)} {TOP}V{bottom}"/>'
        f'<text x="{_px(at)}" y="{bottom + 16}" text-anchor="middle">{escape(text)}</text>'
        for at, text in zip(axis.place([at for at, _ in axis.ticks]), (text for _, text in axis.ticks), strict=True)
    ]
    base = [
        f'<path class="reference" d="M{_px(float(axis.place(line.found.mean)))} {TOP}V{bottom}"/>'
        for line in lines
        if line.standing == "baseline" and line.found.users
    ]
    drawn = [_line(line, axis, TOP + ROW * (i + 0.5), width) for i, line in enumerate(lines)]
    said = "; ".join(_said(line) for line in lines)
    return (
        f'<svg class="plot means" viewBox="0 0 {width} {bottom + FOOT - 8}" role="img" aria-label="{escape(title)}: '
        f'{escape(said)}"><title>{escape(title)}</title>{"".join([*grid, *base, *drawn])}</svg>'
    )


def span_of(plots: Sequence[Sequence[Mean]]) -> tuple[float, float]:
    """The values to show, for plots that are to be compared; from 0 unless all lie far from it.

    A ceiling that is far away is left outside, so that the differences between models stay visible.
    """
    known = [line for lines in plots for line in lines if line.found.users]
    ends = [end for line in known if line.standing != "ceiling" for end in _ends(line.found)]
    tops = [end for line in known if line.standing == "ceiling" for end in _ends(line.found)]
    ends += [end for end in tops if not ends or max(tops) < _FAR * max(ends)]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    if low > 0.6 * high:
        return low - 0.1 * (high - low), high + 0.05 * (high - low)
    return min(low, 0.0), high * 1.02 if high > 0 else 1.0


def number(value: float) -> str:
    """Four figures."""
    return f"{value:.4f}" if value < 10 else f"{value:,.1f}"


def _axis(span: tuple[float, float], width: int) -> Axis:
    axis = Axis.across(*span)
    ticks: Ticks = axis.ticks if width > 480 else axis.ticks[:: 1 + (len(axis.ticks) > 5)]
    return replace(axis, first=_NAMES, last=width - _VALUES, ticks=ticks)


def _line(line: Mean, axis: Axis, y: float, width: int) -> str:
    name = line.name if len(line.name) <= _LETTERS else line.name[: _LETTERS - 1] + "…"
    words = f'<text class="name" x="0" y="{_px(y + 4)}">{escape(name)}<title>{escape(line.name)}</title></text>'
    if not line.found.users:
        return f'<g class="{line.standing}">{words}<text x="{width}" y="{_px(y + 4)}" text-anchor="end">–</text></g>'
    return (
        f'<g class="{line.standing}">{words}{_mark(line, axis, y)}'
        f'<text class="value" x="{width}" y="{_px(y + 4)}" text-anchor="end">'
        f'<tspan class="sign">{_SIGNS.get(line.standing, "")}</tspan>{number(line.found.mean)}{_noise(line)}</text></g>'
    )


def _mark(line: Mean, axis: Axis, y: float) -> str:
    """A dot on its interval, or an arrow where the mean lies beyond the drawing."""
    if line.found.mean > axis.high:
        return f'<path class="arrow" d="M{_px(axis.last - 12)} {_px(y)}h10m-4 -4l4 4l-4 4"/>'
    low, at, high = (_px(place) for place in axis.place([_ends(line.found)[0], line.found.mean, _ends(line.found)[1]]))
    shape = "dot" if line.standing in ("better", "worse", "ceiling") else "hollow"
    return f'<path class="range" d="M{low} {_px(y)}H{high}"/><circle class="{shape}" cx="{at}" cy="{_px(y)}" r="4.5"/>'


def _noise(line: Mean) -> str:
    half = (line.found.high - line.found.low) / 2
    return f'<tspan class="noise"> ±{number(half)}</tspan>' if half >= 0 else ""


def _said(line: Mean) -> str:
    if not line.found.users:
        return f"{line.name} unknown"
    low, high = _ends(line.found)
    beats = {"better": ", above the baseline beyond noise", "worse": ", below the baseline beyond noise"}
    return f"{line.name} {number(line.found.mean)} ({number(low)} to {number(high)}){beats.get(line.standing, '')}"


def _ends(found: Interval) -> tuple[float, float]:
    return (found.low, found.high) if found.low <= found.high else (found.mean, found.mean)


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
