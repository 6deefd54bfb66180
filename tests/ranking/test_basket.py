"""What goes with several items, what everybody wants, and who is alike: worlds in which the answer can be argued."""

from dataclasses import replace

import numpy as np
import pytest

from worlds import DAY, dataset, two_tastes
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.basket import goes_with
from zhiyin.ranking.lists import Lists
from zhiyin.ranking.people import People
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.similar import similar
from zhiyin.ranking.terms import Terms


@pytest.fixture(scope="module")
def data() -> Dataset:
    return two_tastes()


@pytest.fixture(scope="module")
def pipeline(data: Dataset) -> Pipeline:
    models = {"item_knn": ItemKNN(shrinkage=0).fit(data), "popularity": Popularity().fit(data)}
    return Pipeline(models, data.catalog, Popularity().fit(data))


def nobody(rows: int = 1, now: int = 100 * DAY) -> Queries:
    return Queries.of(Histories.empty(rows), None, now)


def names(data: Dataset, items: np.ndarray) -> list[str]:
    return data.items.ids(items[items >= 0]).to_list()


def cupboard() -> tuple[Dataset, Pipeline]:
    """Milk goes with both tea and cake; ten others with one of them alone, and more closely."""
    log = []
    for who in range(12):
        log += [(f"t{who}", "tea", 1), (f"t{who}", f"leaf {who % 2}", 2), (f"c{who}", "cake", 1),
                (f"c{who}", f"fork {who % 2}", 2)]  # fmt: skip
        if who < 2:
            log += [(f"t{who}", "milk", 3), (f"c{who}", "milk", 3)]
    data = dataset([(who, item, float(day)) for who, item, day in log])
    return data, Pipeline.of(ItemKNN(shrinkage=0).fit(data), data)


@pytest.mark.parametrize("how", ["similar", "cart"])
def test_one_item_is_answered_as_similar_items_are(data, pipeline, how):
    for item in range(3):
        one = np.array([item], np.int32)
        expected = similar(pipeline, one, 6)
        assert goes_with(pipeline, one, how, nobody(), 6).items.tolist() == expected.items.tolist()


def test_several_items_are_averaged_and_left_out(data, pipeline):
    basket = data.items.indexes(["a-00", "b-00", "gone"])
    found = goes_with(pipeline, basket, "similar", nobody(2), 12)
    model = pipeline.retrievers["item_knn"]
    mean = np.nan_to_num(model.similar(basket[:2])).mean(axis=0)
    mean[basket[:2]] = -1
    order = [item for item in np.argsort(-mean, kind="stable") if mean[item] > 0]
    assert found.items[0][found.items[0] >= 0].tolist() == order
    assert found.items[1].tolist() == found.items[0].tolist()


def test_a_cart_wants_what_goes_with_all_of_it(data):
    data, shop = cupboard()
    basket = data.items.indexes(["tea", "cake"])
    alike, beside = (goes_with(shop, basket, how, nobody(), 1).items[0] for how in ("similar", "cart"))
    assert names(data, beside) == ["milk"]
    assert names(data, alike) != ["milk"]


def test_rules_terms_and_what_the_person_has_seen_hold_for_a_basket_too(data, pipeline):
    basket = data.items.indexes(["a-00"])
    seen = data.items.indexes(["a-01"])
    person = Queries.of(Histories.of([seen.tolist()]), None, 10**15)
    terms = Terms(where=("category = 'a'",), exclude=data.items.indexes(["a-02"]), caps=(("price", 1),), explore=0.5)
    found = names(data, goes_with(pipeline, basket, "cart", person, 12, terms).items[0])
    assert sorted(found) == ["a-03", "a-04", "a-05"]
    kept = names(data, goes_with(pipeline, basket, "cart", person, 12, replace(terms, seen="keep")).items[0])
    assert sorted(kept) == ["a-01", "a-03", "a-04", "a-05"]
    assert "a-01" in names(data, goes_with(pipeline, basket, "cart", person, 12, Terms(personal=False)).items[0])


def test_nothing_is_said_where_no_model_knows(data, pipeline):
    basket = data.items.indexes(["a-00"])
    silent = Terms(retrievers=("popularity",))
    assert (goes_with(pipeline, basket, "similar", nobody(), 3, silent).items == -1).all()
    assert (Lists(pipeline, data.interactions.histories).of("cart", nobody(), 3).items == -1).all()
    with pytest.raises(ConfigError, match="k must be from 1"):
        goes_with(pipeline, basket, "cart", nobody(), 0)


def test_a_list_of_each_kind_is_that_of_its_model(data):
    log = [(f"u{i}", "old favourite", float(day)) for i in range(30) for day in (0, 10, 20)]
    log += [(f"u{i}", "rising", 29.5) for i in range(12)] + [("u1", "rising", 1.0), ("u2", "newest", 29.9)]
    world = dataset(log)
    lists = Lists(Pipeline.of(ItemKNN().fit(world), world), world.interactions.histories)
    first = {kind: names(world, lists.of(kind, nobody(), 3).items[0])[0] for kind in ("popular", "trending", "latest")}
    assert first == {"popular": "old favourite", "trending": "rising", "latest": "newest"}
    assert lists.proposing("trending") is lists.proposing("trending")
    assert lists.proposing("personal") is lists.pipeline
    held_back = lists.of("popular", world.queries(["u1"]), 3)
    assert names(world, held_back.items[0]) == ["newest"]  # the rules on seen items hold for a person


def test_people_are_alike_by_the_cosine_of_what_they_did():
    data = dataset([("ann", "x", 1), ("ann", "y", 2), ("bob", "x", 1), ("bob", "y", 1), ("bob", "x", 3),
                    ("cem", "x", 1), ("cem", "z", 1), ("dan", "z", 1)])  # fmt: skip
    people = People(data.interactions.histories, len(data.items))
    found, cosines = people.alike(data.queries(["ann", "dan", "a stranger"]), 3)
    assert [data.users.ids(row[row >= 0]).to_list() for row in found] == [["bob", "cem"], ["cem"], []]
    np.testing.assert_allclose(cosines[0, :2], [1.0, 0.5])
    visitor = Queries.of(Histories.of([data.items.indexes(["z"]).tolist(), [-1]]), None, 10 * DAY)
    found, cosines = people.alike(visitor, 1)
    assert data.users.ids(found[0]).to_list() == ["dan"]
    assert cosines[0, 0] == 1.0
    assert found[1, 0] == -1
