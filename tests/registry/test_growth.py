"""A release goes with its catalogue: what is stored of items counts at once, without training."""

import polars as pl
import pytest

from worlds import two_tastes
from zhiyin.models.content import Content
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.rules import Rules
from zhiyin.registry.growth import grown
from zhiyin.registry.release import Release


@pytest.fixture(scope="module")
def release() -> Release:
    data = two_tastes()
    retrievers = {"content": Content().fit(data), "item_knn": ItemKNN(shrinkage=0.0).fit(data)}
    return Release.of(Pipeline(retrievers, data.catalog, Popularity().fit(data), Rules(seen="keep")), data)


def shown(release: Release, user: str = "a000", k: int = 20, where: str | None = None) -> list[str]:
    return release.recommend([user], k, where=where)["item_id"].to_list()


def test_a_new_item_is_recommended_to_those_who_like_its_kind(release: Release) -> None:
    rows = pl.DataFrame({"item_id": ["z-new"], "title": ["tea 2"], "category": ["a"], "price": [2]})
    found = grown(release, rows)
    assert found.unread == ()
    assert len(found.release.items) == len(release.items) + 1
    assert "z-new" not in shown(release)
    a, b = shown(found.release, "a000", 7), shown(found.release, "b000", 7)
    assert "z-new" in a
    assert "z-new" not in b
    assert found.release.similar("z-new", 3)["item_id"][0] == "a-02"  # of the same name, kind and price


def test_what_changed_of_a_known_item_counts_and_the_rest_stays(release: Release) -> None:
    wanted = "price > 900 AND category = 'a'"
    assert shown(release, where=wanted) == []
    rows = pl.DataFrame({"item_id": ["a-03", "a-03"], "price": [950, 999]})
    found = grown(release, rows).release
    assert shown(found, where=wanted) == ["a-03"]
    row = found.pipeline.catalog.frame.filter(pl.col("item_id") == "a-03").row(0, named=True)
    assert (row["price"], row["title"], row["category"]) == (999.0, "tea 3", "a")


def test_an_item_that_is_hidden_is_no_more_shown(release: Release) -> None:
    assert "a-01" in shown(release)
    found = grown(release, pl.DataFrame({"item_id": ["a-01"], "available": [False]})).release
    assert set(shown(release)) - set(shown(found)) == {"a-01"}


def test_a_new_attribute_can_be_asked_for(release: Release) -> None:
    found = grown(release, pl.DataFrame({"item_id": ["a-01"], "margin": [0.4]})).release
    assert shown(found, where="margin > 0.3") == ["a-01"]


def test_a_value_of_another_type_is_unknown_and_said_so(release: Release) -> None:
    rows = pl.DataFrame({"item_id": ["a-01", "a-02"], "price": ["cheap", "7.5"]})
    found = grown(release, rows)
    (sentence,) = found.unread
    assert "1 values of the item column 'price'" in sentence
    assert "'cheap' of 'a-01'" in sentence
    prices = dict(found.release.pipeline.catalog.frame.select("item_id", "price").rows())
    assert (prices["a-01"], prices["a-02"]) == (1.0, 7.5)


def test_nothing_new_is_the_same_release(release: Release) -> None:
    assert grown(release, pl.DataFrame(schema={"item_id": pl.String})).release is release
