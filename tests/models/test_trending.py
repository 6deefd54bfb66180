"""What is wanted more than before, and what is new: worlds in which they must win."""

import numpy as np
import polars as pl
import pytest

from worlds import dataset
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.models.latest import Latest
from zhiyin.models.popularity import Popularity
from zhiyin.models.trending import Trending


def scores(model, data: Dataset) -> dict[str, float]:
    values = model.fit(data).score(Queries.of(Histories.empty(1)))[0].tolist()
    return dict(zip(data.items.texts, values, strict=True))


def shop(days: int = 60, spring: int = 3, growth: float = 1.0) -> Dataset:
    """A bestseller and a steady seller every day, and one that wakes up in the last days."""
    log, who = [], 0
    for day in range(days):
        busy = growth if day >= days - spring else 1.0
        for item, each in (("bestseller", 20), ("steady", 4), ("awake", 0.2 if day < days - spring else 6)):
            for _ in range(round(each * busy) if each >= 1 else day % 5 == 0):
                log.append((f"u{who}", item, day + who % 7 / 10))
                who += 1
    return dataset(log)


def test_what_wakes_up_trends_though_others_are_more_popular():
    found = scores(Trending(), shop())
    assert max(found, key=found.__getitem__) == "awake"
    assert found["awake"] > 2
    assert all(abs(found[item]) < found["awake"] / 2 for item in ("bestseller", "steady"))
    popular = scores(Popularity(), shop())
    assert max(popular, key=popular.__getitem__) == "bestseller"


def test_a_busy_week_of_the_whole_shop_is_no_trend():
    calm, busy = scores(Trending(), shop()), scores(Trending(), shop(growth=3.0))
    assert busy["awake"] > 2
    assert busy["bestseller"] < busy["awake"] / 2
    assert abs(busy["steady"] - calm["steady"]) < 2


def test_what_falls_asleep_is_last_and_a_single_event_is_no_trend():
    log = [(f"a{i}", "asleep", float(i)) for i in range(40)] + [(f"s{i}", "steady", float(i)) for i in range(60)]
    log += [("x", "once", 59.0)]
    found = scores(Trending(), dataset(log))
    assert min(found, key=found.__getitem__) == "asleep"
    assert found["asleep"] < 0
    assert found["once"] < 1


def test_a_log_of_a_single_moment_ranks_by_weight():
    found = scores(Trending(), dataset([("a", "x", 1), ("b", "x", 1), ("a", "y", 1)]))
    assert found["x"] > found["y"] > 0


def test_histories_say_the_same_as_the_log():
    data = shop()
    model = Trending().fit(data)
    again = Trending().learnt(data.interactions.histories, len(data.items))
    np.testing.assert_allclose(again.item_scores_, model.item_scores_, rtol=1e-5)
    newest = Latest().learnt(data.interactions.histories, data.catalog)
    np.testing.assert_array_equal(newest.item_scores_, Latest().fit(data).item_scores_)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"recent_days": 0}, r"Trending\.recent_days must be > 0"),
        ({"before_days": 2}, r"Trending\.before_days must be greater than recent_days, got 2"),
        ({"prior": 0}, r"Trending\.prior must be > 0"),
    ],
)
def test_settings_that_cannot_be_are_sentences(settings, says):
    with pytest.raises(ConfigError, match=says):
        Trending(**settings)


def test_new_is_what_came_last_by_the_catalogue_or_by_its_first_event():
    day = 86_400_000_000
    items = pl.DataFrame({"item_id": ["told", "untold", "future"], "created_at": [9 * day, None, 30 * day]})
    found = scores(Latest(), dataset([("a", "told", 20), ("a", "untold", 3), ("b", "untold", 25)], items=items))
    assert found["future"] == 0
    assert found["told"] == pytest.approx(-21)
    assert found["untold"] == pytest.approx(-27)
