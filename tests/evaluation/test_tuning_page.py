"""The page of a search says what was found, draws what mattered, and runs nothing."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from zhiyin.evaluation.report import Report, Row
from zhiyin.evaluation.significance import Interval
from zhiyin.evaluation.tuning_page import page

SCHEMA = {
    "model": pl.String, "type": pl.String, "number": pl.Int64, "state": pl.String, "value": pl.Float64,
    "first_value": pl.Float64, "seconds": pl.Float64, "settings": pl.String, "reason": pl.String,
}  # fmt: skip


def trial(number, half_life, value, model="trend", kind="Popularity", state="complete"):
    settings = json.dumps({"half_life_days": half_life})
    full = value if state == "complete" else None
    return (model, kind, number, state, full, None if state == "failed" else value, 1.5, settings, "")


@pytest.fixture
def trials():
    rng = np.random.default_rng(0)
    rows = [trial(i, float(10 ** (i / 6)), 0.2 - 0.01 * i + 0.001 * rng.normal()) for i in range(16)]
    rows += [trial(1, 5.0, 0.15, "<b>ease", "EASE"), trial(2, 6.0, 0.1, "<b>ease", "EASE", "pruned")]
    rows += [trial(3, None, 0.0, "<b>ease", "EASE", "failed")]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@pytest.fixture
def report():
    row = Row("blend", "model", {"ndcg": Interval(0.25, 0.2, 0.3, 100)}, {}, {}, {})
    return Report((row,), ("ndcg",), 10, 100, 50, None, "global time, last 14d held out")


def test_it_says_what_was_found_and_how_it_was_measured(trials, report):
    html = page(trials, report, "it went well", ["a note"])
    for words in (
        "zhiyin tune", "trend reaches 0.2", "blend 0.2500", "It went well.", "a note", "Global time, last 14d held out",
        "the test window was not asked", "<dd>19</dd><dt>trials", "<dd>1</dd><dt>given up early",
        "<dd>1</dd><dt>failed",
    ):  # fmt: skip
        assert words in html, words


def test_it_draws_the_course_what_mattered_and_every_setting(trials, report):
    html = page(trials, report, "it went well")
    assert all(words in html for words in ("The best so far", "What mattered", "trend: half_life_days"))
    (share,) = set(re.findall(r"trend half_life_days (\d+)%", html))
    assert int(share) > 80
    assert "ease half_life_days" not in html.partition("What each setting did")[0], "two trials say nothing"
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(drawing)


def test_it_runs_nothing_and_loads_nothing(trials, report):
    html = page(trials, report, "<script>alert(1)</script>", ["<img src=x>"])
    assert "<script" not in html
    assert "<img" not in html
    assert "<b>ease" not in html
    assert not re.findall(r'(?:src|href)="', html)


def test_a_search_in_which_nothing_succeeded_has_a_page(trials, report):
    html = page(trials.filter(state="failed"), report, "nothing was found")
    assert "No trial succeeded" in html
    assert page(trials.head(1), report, "one")
