"""Small plots as SVG text: no script, no file, no font; colours come from the page, so that dark and light both work.

A plot is a frame with two axes and some marks:

    x, y = Axis.across(0, 365, ticks), Axis.up(0, 1200)
    plot("Events per day", "From 12 in January to 1,200 in December.", x, y, [area(x, y, days, counts)])
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

WIDTH, HEIGHT = 480, 250  # narrow, so that letters stay readable on a phone
LEFT, RIGHT, TOP, BOTTOM = 46, 472, 14, 212
COLOURS = 6  # classes s0 … s5

Ticks: TypeAlias = Sequence[tuple[float, str]]
"""(where, what to write there)."""

STYLE = """
svg.plot{display:block;width:100%;height:auto;font:11.5px/1 var(--sans,system-ui,sans-serif);overflow:visible}
svg.plot text{fill:var(--soft,#667);font-variant-numeric:tabular-nums}
svg.plot .label{font-size:11px;fill:var(--soft,#667)}
svg.plot .grid{stroke:var(--line,#ddd);stroke-width:1;shape-rendering:crispEdges}
svg.plot .base{stroke:var(--soft,#667);stroke-width:1;shape-rendering:crispEdges}
svg.plot .line{fill:none;stroke:currentColor;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}
svg.plot .area{fill:currentColor;fill-opacity:.85}
svg.plot .band{fill:currentColor;fill-opacity:.18}
svg.plot .bar,svg.plot .dot{fill:currentColor}
.s0{color:var(--s0,#2b6f78)}.s1{color:var(--s1,#d98b3a)}.s2{color:var(--s2,#7d6bb0)}
.s3{color:var(--s3,#b4535f)}.s4{color:var(--s4,#6d9a4e)}.s5{color:var(--s5,#8a8f99)}
"""


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high` laid out from one pixel to another."""

    low: float
    high: float
    first: float  # px of low
    last: float  # px of high
    ticks: Ticks
    label: str = ""
    logarithmic: bool = False

    @classmethod
    def across(
        cls, low: float, high: float, ticks: Ticks | None = None, *, label: str = "", logarithmic: bool = False
    ) -> "Axis":
        """From left to right."""
        return cls(*_span(low, high), LEFT, RIGHT, _ticks(low, high, ticks, logarithmic), label, logarithmic)

    @classmethod
    def up(
        cls, low: float, high: float, ticks: Ticks | None = None, *, label: str = "", logarithmic: bool = False
    ) -> "Axis":
        """From bottom to top."""
        return cls(*_span(low, high), BOTTOM, TOP, _ticks(low, high, ticks, logarithmic), label, logarithmic)

    def place(self, values: ArrayLike) -> NDArray[np.float64]:
        """Pixels of values; what lies outside is moved to the edge."""
        at = np.clip(np.asarray(values, np.float64), self.low, self.high)
        low, high = self.low, self.high
        if self.logarithmic:
            at, low, high = np.log(at), math.log(low), math.log(high)
        return self.first + (at - low) / (high - low) * (self.last - self.first)


def plot(title: str, description: str, x: Axis, y: Axis, marks: Sequence[str]) -> str:
    """An <svg> with a title and a description for those who can not see it."""
    grid = [f'<path class="grid" d="M{LEFT} {_px(at)}H{RIGHT}"/>' for at in y.place([at for at, _ in y.ticks])]
    across = [
        f'<text x="{_px(at)}" y="{BOTTOM + 16}" text-anchor="{_anchor(at)}">{escape(text)}</text>'
        for at, text in zip(x.place([at for at, _ in x.ticks]), (text for _, text in x.ticks), strict=True)
    ]
    up = [
        f'<text x="{LEFT - 7}" y="{_px(at + 4)}" text-anchor="end">{escape(text)}</text>'
        for at, text in zip(y.place([at for at, _ in y.ticks]), (text for _, text in y.ticks), strict=True)
    ]
    labels = [
        f'<text class="label" x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x.label)}</text>'
    ]
    base = f'<path class="base" d="M{LEFT} {BOTTOM}H{RIGHT}"/>'
    return svg(title, description, [*grid, *marks, base, *across, *up, *(labels if x.label else [])])


def svg(title: str, description: str, marks: Sequence[str], height: int = HEIGHT) -> str:
    """The bare frame: for plots without axes."""
    said = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    label = f"{escape(title)}. {escape(description)}"
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{said}{"".join(marks)}</svg>'
    )


def line(x: Axis, y: Axis, xs: ArrayLike, ys: ArrayLike, colour: int = 0) -> str:
    """A line through the points."""
    return f'<path class="line s{colour % COLOURS}" d="{_path(x.place(xs), y.place(ys))}"/>'


def dots(x: Axis, y: Axis, xs: ArrayLike, ys: ArrayLike, colour: int = 0) -> str:
    """A dot at each point."""
    points = zip(x.place(xs), y.place(ys), strict=True)
    circles = (f'<circle class="dot" cx="{_px(across)}" cy="{_px(up)}" r="3"/>' for across, up in points)
    return f'<g class="s{colour % COLOURS}">{"".join(circles)}</g>'


def area(
    x: Axis,
    y: Axis,
    xs: ArrayLike,
    tops: ArrayLike,
    bottoms: ArrayLike | None = None,
    colour: int = 0,
    name: str = "area",
) -> str:
    """The area between two lines, or under one; name="band" draws it pale, for intervals."""
    across = x.place(xs)
    below = np.full(len(across), float(y.first)) if bottoms is None else y.place(bottoms)
    outline = _path(np.concatenate([across, across[::-1]]), np.concatenate([y.place(tops), below[::-1]]))
    return f'<path class="{name} s{colour % COLOURS}" d="{outline}Z"/>'


def bars(x: Axis, y: Axis, edges: ArrayLike, heights: ArrayLike, colour: int = 0) -> str:
    """One bar between each two edges, with a pixel of air."""
    sides = x.place(edges)
    tops = y.place(heights)
    rects = (
        f'<rect class="bar" x="{_px(left + 0.75)}" y="{_px(top)}" width="{_px(max(0.5, right - left - 1.5))}" '
        f'height="{_px(y.first - top)}" rx="1.5"/>'
        for left, right, top in zip(sides[:-1], sides[1:], tops, strict=True)
    )
    return f'<g class="s{colour % COLOURS}">{"".join(rects)}</g>'


def cells(counts: NDArray[np.int64], names: Sequence[str], columns: Ticks, colour: int = 0) -> list[str]:
    """A heat map: counts[rows, columns], the darker the more; `names` of the rows, `columns` written below."""
    rows, across = counts.shape
    width, height = (RIGHT - LEFT) / across, (BOTTOM - TOP) / rows
    strength = counts / max(1, counts.max())
    size = f'width="{_px(width - 1.5)}" height="{_px(height - 1.5)}" rx="2"'
    rects = [
        f'<rect class="bar" x="{_px(LEFT + column * width + 0.75)}" y="{_px(TOP + row * height + 0.75)}" '
        f'{size} fill-opacity="{0.06 + 0.94 * strength[row, column]:.2f}"/>'
        for row in range(rows)
        for column in range(across)
    ]
    left = [
        f'<text x="{LEFT - 7}" y="{_px(TOP + (row + 0.5) * height + 4)}" text-anchor="end">{escape(name)}</text>'
        for row, name in enumerate(names)
    ]
    below = [f'<text x="{_px(LEFT + at * width)}" y="{BOTTOM + 16}">{escape(text)}</text>' for at, text in columns]
    return [f'<g class="s{colour % COLOURS}">{"".join(rects)}</g>', *left, *below]


def short(value: float) -> str:
    """1,200 → 1.2k; 3,000,000 → 3M; 0.05 stays."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _span(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low, low + 1)


def _ticks(low: float, high: float, ticks: Ticks | None, logarithmic: bool) -> Ticks:
    if ticks is not None:
        return ticks
    low, high = _span(low, high)
    if logarithmic:
        powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
        return [(10.0**power, short(10.0**power)) for power in powers][:: 1 + len(powers) // 8]
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if (high - low) / (step * factor) <= 5)
    values = np.arange(math.ceil(low / step), math.floor(high / step + 1e-9) + 1) * step
    return [(float(value), short(float(value))) for value in values]


def _path(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{_px(x)} {_px(y)}" for x, y in zip(xs, ys, strict=True))


def _anchor(at: float) -> str:
    return "end" if at > RIGHT - 8 else "middle"


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
