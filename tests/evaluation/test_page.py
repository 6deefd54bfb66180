import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from zhiyin.evaluation import plot
from zhiyin.evaluation.page import page
from zhiyin.evaluation.plot import Mean
from zhiyin.evaluation.report import Report, Row
from zhiyin.evaluation.segments import Segment
from zhiyin.evaluation.significance import Comparison, Interval

METRICS = ("ndcg", "recall", "auc")
LISTS = {"coverage": 0.5, "gini": 0.7, "personalisation": 0.3}


def row(name, mean, role="model", gain=0.0, **more):
    values = {metric: Interval(mean, mean - 0.01, mean + 0.01, 100) for metric in METRICS}
    kinds = {metric: Interval(1.0, 0.9, 1.1, 100) for metric in ("novelty", "diversity", "popularity")}
    against = {}
    if gain:
        change = Interval(gain, gain - 0.01, gain + 0.01, 100)
        against = {metric: Comparison(change, 0.0004) for metric in METRICS}
    segments = {"light users": {"ndcg": values["ndcg"]}}
    return Row(name, role, values | kinds, against, LISTS, segments, **more)


def report_of(*rows, **more):
    fields = {"metrics": METRICS, "k": 10, "users": 100, "items": 50, "baseline": "popularity"} | more
    segments = (Segment("light users", "5–9 events", 100),)
    return Report(rows, protocol="global time, last 14d held out", footnotes=("a note",), segments=segments, **fields)


@pytest.fixture
def report():
    return report_of(
        row("ease", 0.3, gain=0.1, fit_seconds=1.5), row("popularity", 0.2, "baseline"),
        row("random", 0.05, gain=-0.15), row("best achievable", 0.9, "ceiling"),
    )  # fmt: skip


def test_the_page_says_who_wins_by_how_much_and_how_it_was_measured(report):
    html = page(report)
    assert "<h1>ease beats popularity by 50%</h1>" in html
    for words in ("NDCG@10", "people asked", "light users, 5–9 events", "Global time, last 14d held out.", "a note"):
        assert words in html
    assert "33%" in html  # .3 of the .9 that is achievable
    assert "p &lt; .001" in html or "p < .001" in html


def test_the_page_stands_alone(report):
    html = page(report)
    assert not re.search(r"<script|https?://|\ssrc=|<link|\son\w+=|@import|url\(", html)
    assert "$" not in html


def test_every_drawing_is_well_formed_and_says_in_words_what_it_shows(report):
    drawings = re.findall(r'<svg class="plot means".*?</svg>', page(report), re.DOTALL)
    assert len(drawings) == 2 + 1 + 2  # the main one wide and narrow, one segment, two other metrics
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.attrib["role"] == "img"
        assert "ease 0.3" in root.attrib["aria-label"]


def test_names_that_look_like_html_stay_names():
    hostile = '<img src=x onerror="alert(1)">&$title'
    report = report_of(row(hostile, 0.3, gain=0.1), row("popularity", 0.2, "baseline"))
    html = page(report)
    assert "<img" not in html
    assert "&lt;img" in html


def test_without_a_winner_the_page_says_so():
    even = report_of(row("ease", 0.2), row("popularity", 0.2, "baseline"))
    assert "<h1>Nothing beats popularity beyond noise</h1>" in page(even)
    alone = report_of(row("ease", 0.2), baseline=None)
    assert "<h1>ease, measured</h1>" in page(alone)


def test_one_person_or_nobody_leaves_gaps_not_errors():
    nan = float("nan")
    one, none = Interval(0.5, nan, nan, 1), Interval(nan, nan, nan, 0, 1)
    lonely = replace(row("ease", 0.2), metrics={**row("ease", 0.2).metrics, "ndcg": one, "auc": none})
    html = page(report_of(lonely, baseline=None))
    assert "one person" in html
    assert "nan" not in html


def test_ratings_have_their_own_plots_and_the_lowest_is_best():
    def rated(name, rmse):
        plain = row(name, 0.2)
        return replace(plain, metrics={**plain.metrics, "rmse": Interval(rmse, rmse - 0.1, rmse + 0.1, 9)})

    html = page(report_of(rated("near", 0.8), rated("far", 1.2), baseline=None))
    assert "<b>0.8000</b>" in html
    assert "<b>1.2000</b>" not in html
    assert "RMSE" in html


def test_a_far_ceiling_is_an_arrow_and_does_not_squeeze_the_models():
    near = Mean("ease", Interval(0.1, 0.09, 0.11, 9), "better")
    far = Mean("best achievable", Interval(0.9, 0.8, 1.0, 9), "ceiling")
    low, high = plot.span_of([[near, far]])
    assert high < 0.2
    assert 'class="arrow"' in plot.means("NDCG", [near, far])
    assert plot.span_of([[near, replace(far, found=Interval(0.15, 0.14, 0.16, 9))]])[1] > 0.15
    assert low <= 0.09


def test_nothing_known_still_draws():
    unknown = Mean("ease", Interval(np.nan, np.nan, np.nan, 0), "same")
    drawing = ElementTree.fromstring(plot.means("NDCG", [unknown]))
    assert "ease unknown" in drawing.attrib["aria-label"]
