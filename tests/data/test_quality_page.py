"""The page of findings and its plots: whole, self-contained, escaped."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from zhiyin.data.quality import svg
from zhiyin.data.quality.clean import clean
from zhiyin.data.quality.page import page
from zhiyin.data.quality.plots import figures
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.tables import Tables

DAY = 86_400_000_000
NOW = 20_000 * DAY
NASTY = "<script>alert('&\"')</script>"
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Tags(HTMLParser):
    """Fails on a tag that is not closed by its own end."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def shop(days=40, people=30, items=60, kinds=("view", "buy")):
    rng = np.random.default_rng(7)
    count = days * 20
    return pl.DataFrame(
        {
            "user_id": pl.Series(rng.integers(0, people, count)).cast(pl.String).cast(pl.Categorical),
            "item_id": pl.Series(rng.integers(0, items, count)).cast(pl.String).cast(pl.Categorical),
            "timestamp": (19_000 * DAY + np.sort(rng.integers(0, days * DAY, count))),
            "event_type": pl.Series(rng.choice(kinds, count)).cast(pl.Categorical),
            "price": rng.gamma(2, 10, count).astype(np.float32),
        }
    )


def test_the_page_is_well_formed_and_needs_nothing_from_outside():
    text = page(clean(Tables(shop()), CleanSettings(), NOW), title="My shop")
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    names = [tag for tag, _ in tags.seen]
    assert names.count("svg") == 5
    assert not {"script", "link", "img", "iframe"} & set(names)
    assert not re.search(r"https?://|@import|url\(", text)
    assert "<title>My shop</title>" in text
    assert "$" not in text


def test_nasty_ids_and_titles_stay_text():
    log = shop().with_columns(
        pl.when(pl.int_range(pl.len()) < 2)
        .then(pl.lit(NASTY))
        .otherwise(pl.col("user_id").cast(pl.String))
        .cast(pl.Categorical)
        .alias("user_id"),
        pl.lit(NASTY).cast(pl.Categorical).alias("event_type"),
        (-pl.col("price")).alias("price"),
    )
    text = page(clean(Tables(log), CleanSettings(), NOW), title=NASTY)
    assert "<script" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_page_of_almost_nothing(rows):
    cleaned = clean(Tables(shop().head(rows)), CleanSettings(), NOW)
    tags = Tags()
    tags.feed(page(cleaned))
    assert tags.open == []


def test_a_long_log_is_drawn_by_week_or_month():
    for days, unit in ((100, " on 20"), (700, "week of"), (4_000, "28 days of")):
        log = shop(days=10).with_columns((pl.col("timestamp") - 19_000 * DAY) // 10 * days + 19_000 * DAY)
        cleaned = clean(Tables(log), CleanSettings(), NOW + 10_000 * DAY)
        drawn = figures(cleaned.profile)[0]
        assert unit in drawn.sentence
        assert len(drawn.drawing) < 20_000


def test_every_plot_is_xml_with_a_title_and_a_description():
    for figure in figures(clean(Tables(shop()), CleanSettings(), NOW).profile):
        root = ElementTree.fromstring(figure.drawing)
        assert [child.tag for child in root[:2]] == ["title", "desc"]
        assert figure.sentence in (root[1].text or "")


def test_an_axis_places_values_and_keeps_outsiders_at_its_edge():
    x = svg.Axis.across(0, 10)
    assert x.place([0, 5, 10, 99]).tolist() == [svg.LEFT, (svg.LEFT + svg.RIGHT) / 2, svg.RIGHT, svg.RIGHT]
    y = svg.Axis.up(1, 100, logarithmic=True)
    assert y.place([1, 10, 100]) == pytest.approx([svg.BOTTOM, (svg.BOTTOM + svg.TOP) / 2, svg.TOP])
    assert [text for _, text in y.ticks] == ["1", "10", "100"]
    assert [at for at, _ in svg.Axis.up(0, 1_200).ticks] == [0, 250, 500, 750, 1_000]


def test_numbers_are_shortened():
    assert [svg.short(value) for value in (0, 0.05, 12, 1_200, 3e6, 2e9)] == ["0", "0.05", "12", "1.2k", "3M", "2B"]


def test_lines_bands_and_dots_for_other_pages():
    x, y = svg.Axis.across(0, 2), svg.Axis.up(0, 1)
    marks = [
        svg.area(x, y, [0, 1, 2], [0.3, 0.6, 0.9], [0.1, 0.4, 0.7], name="band"),
        svg.line(x, y, [0, 1, 2], [0.2, 0.5, 0.8]),
        svg.dots(x, y, [1], [0.5], colour=1),
    ]
    root = ElementTree.fromstring(svg.plot("Recall <k>", "Rises.", x, y, marks))
    assert root[0].text == "Recall <k>"
