"""What the pages on data and models count: days and kinds, the long tail, and one number of many models."""

import math
from dataclasses import replace

import numpy as np
import pytest

from worlds import two_tastes
from zhiyin.data.quality.reasons import REASONS
from zhiyin.data.store.shown import DAY
from zhiyin.evaluation.report import Report, Row
from zhiyin.evaluation.segments import Segment
from zhiyin.evaluation.significance import Comparison as Difference
from zhiyin.evaluation.significance import Interval
from zhiyin.registry.outlines import Outline
from zhiyin.registry.progress_file import Doing
from zhiyin.serving.dashboard.assets import Assets
from zhiyin.serving.dashboard.comparison import EVERYBODY, Comparison, metrics_of
from zhiyin.serving.dashboard.doing import said
from zhiyin.serving.dashboard.inflow import Inflow, learnt
from zhiyin.serving.dashboard.long_tail import LongTail, top_shares
from zhiyin.serving.dashboard.pages.data import inflow_chart, tail_chart
from zhiyin.serving.dashboard.pages.model import curve_charts
from zhiyin.serving.dashboard.timeline import settings_of
from zhiyin.serving.dashboard.words import words

from .conftest import release_of

EN = words("en")


def test_the_first_items_take_their_part_of_the_events() -> None:
    counts = np.array([50, 20, 10, 10, 5, 5, 0, 0, 0, 0])
    assert top_shares(counts) == pytest.approx((0.5, 0.5, 0.7, 0.95))
    assert top_shares(np.zeros(4, np.int64)) == ()
    assert tail_chart(LongTail(4, 4, (), ()), EN) is None


def test_the_tail_of_a_release_is_that_of_its_events() -> None:
    release = release_of(two_tastes())
    tail = LongTail.of(release)
    counts = np.bincount(release.histories.items, minlength=12)
    assert (tail.items, tail.untouched) == (12, 0)
    assert [count for _, count in tail.most] == sorted(counts, reverse=True)[:5]
    assert tail.shares[-1] == pytest.approx(np.sort(counts)[-6:].sum() / counts.sum())


def test_assets_are_what_the_catalogue_says() -> None:
    assets = Assets.of(release_of(two_tastes()))
    assert (assets.items, assets.people, assets.available) == (12, 60, 12)
    assert assets.prices == (0.0, 2.5, 5.0)
    assert [one["name"] for one in assets.columns] == ["title", "category", "price", "available"]


def test_events_are_counted_by_day_and_kind() -> None:
    release = release_of(two_tastes())
    found = learnt(release, 10)
    late = release.histories.times[release.histories.times >= 10 * DAY]
    assert sum(found.values()) == len(late)
    assert {day for day, _ in found} == set((late // DAY).tolist())


def test_the_commonest_kinds_have_their_colour_and_the_rest_is_one() -> None:
    counts = {(9, kind): 10 - i for i, kind in enumerate("abcdef")} | {(3, "f"): 100}
    found = Inflow(9, counts, {})
    days = found.days(3)
    assert days == range(7, 10)
    assert found.kinds(days) == ["a", "b", "c", "d"], "of these days alone"
    chart = inflow_chart(found, 3, EN)
    assert [series.name for series in chart.series] == ["a", "b", "c", "d", "other kinds"]
    assert list(chart.series[-1].values) == [0, 0, 6 + 5]
    assert list(chart.labels) == ["1970-01-08", "1970-01-09", "1970-01-10"]
    assert inflow_chart(Inflow(9, {}, {}), 3, EN).is_empty


def interval(mean: float) -> Interval:
    return Interval(mean, mean - 0.1, mean + 0.1, 50)


def row(name: str, ndcg: float, role: str = "model", **more: Interval) -> Row:
    difference = Difference(Interval(0.1, 0.05, 0.2, 50), 0.001)
    against = {"ndcg": difference} if role == "model" else {}
    metrics = {"ndcg": interval(ndcg), **more}
    return Row(name, role, metrics, against, {}, {"new users": {"ndcg": interval(ndcg / 2)}})


REPORT = Report(
    (row("a", 0.5, rmse=interval(0.9)), row("b", 0.4, rmse=interval(0.2)), row("popularity", 0.3, "baseline"),
     row("best achievable", 0.2, "ceiling")),
    ("ndcg", "auc"), 10, 50, 100, "popularity", "by time", segments=(Segment("new users", "0–4 events", 20),),
)  # fmt: skip


def test_models_stand_in_order_the_ceiling_last_and_less_is_better_for_errors() -> None:
    assert metrics_of(REPORT) == ["ndcg", "rmse"], "what nobody was measured by is not offered"
    found = Comparison.of(REPORT, "ndcg", EVERYBODY)
    assert [bar.name for bar in found.bars] == ["a", "b", "popularity", "best achievable"]
    assert [bar.against for bar in found.bars] == ["better", "better", "", ""]
    errors = Comparison.of(REPORT, "rmse", EVERYBODY)
    assert ([bar.name for bar in errors.bars], errors.is_less_better) == (["b", "a"], True)
    plot = found.plot({"best achievable": "可达上限"})
    assert (plot["base"], plot["rows"][-1]["name"], errors.plot({})["base"]) == (0.3, "可达上限", None)


def test_parts_of_the_people_have_their_own_numbers() -> None:
    found = Comparison.of(REPORT, "ndcg", "new users")
    assert [bar.mean for bar in found.bars] == [0.25, 0.2, 0.15, 0.1]
    assert {bar.against for bar in found.bars} == {""}
    assert Comparison.of(REPORT, "rmse", "new users").bars == ()


def test_a_mean_of_one_person_has_no_range() -> None:
    lonely = replace(REPORT.rows[0], metrics={"ndcg": Interval(0.5, math.nan, math.nan, 1)})
    bar = Comparison.of(replace(REPORT, rows=(lonely,)), "ndcg", EVERYBODY).bars[0]
    assert (bar.low, bar.high) == (None, None)


def test_a_curve_has_gaps_where_nothing_was_validated() -> None:
    curve = np.array([[0.9, np.nan], [0.5, 0.1]])
    loss, metric = curve_charts(Outline("SASRec", {}, curve), EN)
    assert (loss[1].labels, list(loss[1].series[0].values)) == (["1", "2"], [0.9, 0.5])
    assert list(metric[1].series[0].values) == [None, 0.1]
    assert len(curve_charts(Outline("SASRec", {}, np.array([[0.9, np.nan]])), EN)) == 1
    assert curve_charts(Outline("EASE"), EN) == []


@pytest.mark.parametrize(
    ("what", "spoken"),
    [
        ("reading", "Reading the files"),
        ("training sasrec: loss 0.5", "Fitting models to measure them: sasrec: loss 0.5"),
        ("fitting on everything ease", "Fitting what was chosen on everything: ease"),
        ("something new", "something new"),
    ],
)
def test_what_is_done_is_said_in_words(what: str, spoken: str) -> None:
    assert EN.say(said(Doing(what, 0, 1))) == spoken


def test_settings_are_named_by_their_place() -> None:
    recipe = {"models": {"ease": {"l2": 500.0}, "popularity": {}}, "weights": {}}
    assert settings_of(recipe) == {"models.ease.l2": 500.0, "models.popularity": {}, "weights": {}}
    assert settings_of(None) == {}


def test_every_reason_to_leave_an_event_out_has_a_title() -> None:
    assert {f"finding.{code}" for code in REASONS} <= EN.texts.keys()
