"""The plots of the quality page, each with a sentence that says what it shows."""

from dataclasses import dataclass

import numpy as np

from zhiyin.data.quality import svg
from zhiyin.data.quality.findings import percent, plural
from zhiyin.data.quality.profile import Counts, Profile
from zhiyin.types import Floats

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_POINTS = 240  # more than that no eye tells apart in this width


@dataclass(frozen=True)
class Figure:
    """A plot, a heading, a sentence, the names of its colours, and its numbers as a table."""

    title: str
    sentence: str
    drawing: str
    legend: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def figures(profile: Profile) -> list[Figure]:
    """Everything that can be drawn of a log; a log without events has no plots."""
    if not profile.events:
        return []
    drawn = [_per_day(profile), _long_tail(profile), _histories(profile), _week(profile)]
    return [*drawn, _prices(profile.prices)] if len(profile.prices) else drawn


def _per_day(profile: Profile) -> Figure:
    """Stacked areas, one per event type; long logs by week or month."""
    title = "Events over time"
    width = next((width for width in (1, 7, 28, 91) if profile.per_day.shape[1] / width <= MOST_POINTS), 364)
    unit = {1: "day", 7: "week"}.get(width, f"{width} days")
    starts = np.arange(0, profile.per_day.shape[1], width)
    counts = np.add.reduceat(profile.per_day, starts, axis=1) / np.diff(np.append(starts, profile.per_day.shape[1]))
    stacked = np.vstack([np.zeros(len(starts)), np.cumsum(counts, axis=0)])  # [kinds + 1, points]
    days = profile.days[starts]
    total = stacked[-1]
    if len(starts) == 1:  # one point has no width
        starts, stacked = np.array([0, 1]), np.repeat(stacked, 2, axis=1)
    places = np.linspace(0, len(days) - 1, 4).astype(int) if len(days) > 1 else np.array([0])
    ticks = [(float(starts[at]), str(days[at])) for at in places]
    ticks = ticks[:1] if len(days) < 4 else ticks
    x = svg.Axis.across(float(starts[0]), float(starts[-1]), ticks)
    y = svg.Axis.up(0, float(stacked.max()))
    marks = [
        svg.area(x, y, starts, stacked[kind + 1], stacked[kind], colour=kind) for kind in range(len(profile.kinds))
    ]
    peak = int(total.argmax())
    busiest = f"{svg.short(float(total[peak]))} a day" if width > 1 else f"{total[peak]:,.0f} events"
    sentence = (
        f"{profile.days[0]} to {profile.days[-1]}; on average {svg.short(profile.events / profile.per_day.shape[1])} "
        f"events a day, most in the {unit} of {days[peak]} ({busiest})."
    )
    if width == 1:
        sentence = sentence.replace("in the day of", "on")
    rows = tuple(
        (kind, f"{int(count):,}", percent(float(count) / profile.events))
        for kind, count in zip(profile.kinds, profile.per_day.sum(axis=1), strict=True)
    )
    legend = profile.kinds if len(profile.kinds) > 1 else ()
    return Figure(title, sentence, svg.plot(title, sentence, x, y, marks), legend, ("type", "events", "share"), rows)


def _long_tail(profile: Profile) -> Figure:
    """Events of each item against its rank, both logarithmic."""
    title = "Long tail"
    counts, items = profile.per_item, len(profile.per_item)
    ranks = np.unique(np.geomspace(1, items, MOST_POINTS).astype(np.int64))
    x = svg.Axis.across(1, max(2, items), label="item, by popularity", logarithmic=True)
    y = svg.Axis.up(1, max(2.0, float(counts[0])), logarithmic=True)
    heights = counts[ranks - 1]
    marks = [svg.area(x, y, ranks, heights, name="band"), svg.line(x, y, ranks, heights)]
    half = int(np.searchsorted(np.cumsum(counts), profile.events / 2)) + 1
    sentence = (
        f"{plural(items, 'item')}; the most popular one has {plural(int(counts[0]), 'event')}. "
        f"{half:,} of them ({percent(half / items)}) make half of all events."
    )
    shares = np.cumsum(counts) / profile.events
    rows = tuple(
        (
            f"top {percent(part)}",
            f"{max(1, round(part * items)):,}",
            percent(float(shares[max(0, round(part * items) - 1)])),
        )
        for part in (0.01, 0.05, 0.1, 0.2, 0.5)
    )
    drawing = svg.plot(title, sentence, x, y, marks)
    return Figure(title, sentence, drawing, header=("items", "how many", "share of events"), rows=rows)


def _histories(profile: Profile) -> Figure:
    """How many people have 1, 2–3, 4–7, … events."""
    title = "History lengths"
    lengths = profile.per_user
    powers = np.arange(int(np.log2(lengths[0])) + 2)
    people = np.histogram(lengths, bins=2.0**powers)[0]
    names = [_range(int(2**power), int(2 ** (power + 1)) - 1) for power in powers[:-1]]
    step = 1 + (len(names) - 1) // 8
    ticks = [(at + 0.5, name) for at, name in enumerate(names)][::step]
    x = svg.Axis.across(0, len(people), ticks, label="events of one person")
    y = svg.Axis.up(0, float(people.max()))
    sentence = (
        f"{plural(len(lengths), 'person')}; half have {int(np.median(lengths)):,} events or more, "
        f"the longest history has {lengths[0]:,}; {percent(float((lengths == 1).mean()))} have a single event."
    )
    drawing = svg.plot(title, sentence, x, y, [svg.bars(x, y, np.arange(len(people) + 1), people, colour=2)])
    rows = tuple((name, f"{count:,}") for name, count in zip(names, people.tolist(), strict=True))
    return Figure(title, sentence, drawing, header=("events", "people"), rows=rows)


def _range(low: int, high: int) -> str:
    if high < 16:
        return str(low) if low == high else f"{low}–{high}"
    return f"{low:,}+" if low < 10_000 else f"{svg.short(low)}+"


def _week(profile: Profile) -> Figure:
    """When in the week people act."""
    title = "Hours of the week"
    hours: Counts = profile.per_hour
    day, hour = np.unravel_index(int(hours.argmax()), hours.shape)
    sentence = f"Times in UTC; the busiest hour is {WEEKDAYS[int(day)]} {hour:02d}:00 with {int(hours.max()):,} events."
    marks = svg.cells(hours, WEEKDAYS, [(at, f"{at:02d}") for at in range(0, 24, 3)], colour=0)
    rows = tuple((name, f"{int(hours[at].sum()):,}") for at, name in enumerate(WEEKDAYS))
    return Figure(title, sentence, svg.svg(title, sentence, marks), header=("day", "events"), rows=rows)


def _prices(prices: Floats) -> Figure:
    """Prices paid, in bins of equal ratio."""
    title = "Prices"
    low, middle, high = (float(value) for value in np.quantile(prices, [0.005, 0.5, 0.995]))
    low, high = (low, high) if high > low * 1.01 else (low / 2, low * 2)
    edges = np.geomspace(low, high, 33)
    counts = np.histogram(np.clip(prices, low, high), bins=edges)[0]
    x = svg.Axis.across(low, high, _round_prices(low, high), label="price", logarithmic=True)
    y = svg.Axis.up(0, float(counts.max()))
    sentence = f"Half of the prices are above {middle:,.2f}, one in 200 above {high:,.2f}; the scale is logarithmic."
    rows = tuple((f"{part:.0%}", f"{float(np.quantile(prices, part)):,.2f}") for part in (0.01, 0.25, 0.5, 0.75, 0.99))
    drawing = svg.plot(title, sentence, x, y, [svg.bars(x, y, edges, counts, colour=1)])
    return Figure(title, sentence, drawing, header=("below it", "price"), rows=rows)


def _round_prices(low: float, high: float) -> svg.Ticks:
    """1, 2, 5, 10, 20, … between two prices, at most about eight."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    factors = (1, 2, 5) if len(powers) <= 4 else (1,)
    values = [factor * 10.0**power for power in powers for factor in factors]
    inside = [value for value in values if low <= value <= high]
    return [(value, svg.short(value)) for value in inside[:: 1 + len(inside) // 9]]
