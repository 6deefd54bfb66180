"""Worlds whose right answer is known by reasoning."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.errors import ConfigError
from zhiyin.models.content import Content
from zhiyin.models.ease import EASE
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.models.user_knn import UserKNN
from zhiyin.testing import small_world, some_queries
from zhiyin.types import MICROSECONDS_PER_DAY

PERSONAL = [ItemKNN(shrinkage=1), UserKNN(shrinkage=1), EASE(l2=1)]


def world(users, items, *, days=None, n_items=None, table=None, weights=None):
    users, items = np.asarray(users), np.asarray(items)
    days = np.arange(len(users)) if days is None else np.asarray(days)
    n_items = n_items or int(items.max()) + 1
    log = Interactions.of(
        users, items, (days * MICROSECONDS_PER_DAY).astype(np.int64), n_users=int(users.max()) + 1, n_items=n_items,
        weights=None if weights is None else np.asarray(weights, np.float32),
    )  # fmt: skip
    ids = Vocabulary.of(f"{item:03}" for item in range(n_items))
    return Dataset(Vocabulary.of(f"{user:03}" for user in range(log.n_users)), ids, log, Catalog.of(ids, table))


def asked(*histories):
    return Queries.of(Histories.of(histories), now=MICROSECONDS_PER_DAY)


@pytest.mark.parametrize("model", PERSONAL, ids=repr)
def test_on_a_checkerboard_the_one_square_held_back_is_the_best_unseen(model):
    size = 12
    users, items = np.nonzero((np.arange(size)[:, None] + np.arange(size)) % 2 == 0)
    off_diagonal = users != items
    data = world(users[off_diagonal], items[off_diagonal])
    queries = Queries.of(data.interactions.histories, now=10**15)
    scores = model.fit(data).score(queries)
    scores[queries.histories.matrix(size).nonzero()] = np.nan
    assert np.array_equal(np.nanargmax(np.nan_to_num(scores, nan=-1), axis=1), np.arange(size))


@pytest.mark.parametrize("model", PERSONAL, ids=repr)
def test_of_two_tastes_each_finds_its_own(model):
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(60), 6)
    tastes = (users % 2) * 20
    data = world(users, tastes + np.concatenate([rng.choice(20, 6, replace=False) for _ in range(60)]))
    scores = np.nan_to_num(model.fit(data).score(asked([1, 2], [21, 22])))
    assert scores[0, :20].mean() > 5 * abs(scores[0, 20:].mean())
    assert scores[1, 20:].mean() > 5 * abs(scores[1, :20].mean())


@pytest.mark.parametrize("model", [ItemKNN(shrinkage=0), EASE(l2=0.1)], ids=repr)
def test_on_a_chain_neighbours_are_nearest(model):
    links = 10  # person i chose items i and i + 1
    data = world(np.repeat(np.arange(links), 2), np.ravel(np.column_stack([range(links), range(1, links + 1)])))
    scores = np.nan_to_num(model.fit(data).score(asked([5])))[0]
    assert set(np.argsort(-scores)[:2]) == {4, 6}


def test_old_hits_fade_from_a_decayed_popularity_and_leave_a_windowed_one():
    items = [0] * 10 + [1] * 3
    data = world(np.arange(13), items, days=[*range(10), 100, 101, 102], n_items=3)
    plain, decayed, windowed = (
        model.fit(data).score(asked([]))[0]
        for model in (
            Popularity(half_life_days=None),
            Popularity(half_life_days=10),
            Popularity(half_life_days=None, window_days=5),
        )
    )
    assert plain[0] == 10
    assert decayed[0] < decayed[1]
    assert decayed[1] == pytest.approx(1 + 2**-0.1 + 2**-0.2)
    assert np.isnan(windowed[0])
    assert windowed[1] == 3
    assert np.isnan([plain[2], decayed[2], windowed[2]]).all()


def test_events_count_by_their_weight_and_those_of_no_weight_not_at_all():
    data = world([0, 1, 2, 3], [0, 0, 1, 2], weights=[0.2, 0.2, 1.0, 0.0])
    scores = Popularity(half_life_days=None).fit(data).score(asked([]))[0]
    np.testing.assert_allclose(scores, [0.4, 1.0, np.nan], rtol=1e-6)
    silent = world([0, 0, 1, 1], [0, 1, 0, 2], weights=[1, 1, 1, 0])
    for model in (ItemKNN(shrinkage=0), UserKNN(shrinkage=0), EASE(l2=1)):
        assert np.isnan(model.fit(silent).score(asked([0]))[0, 2])


@pytest.mark.parametrize("model", [ItemKNN, UserKNN, EASE], ids=lambda model: model.__name__)
def test_a_fresh_event_outweighs_an_old_one(model):
    data = world([0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 2, 3, 2, 3])
    scores = model(half_life_days=0.01).fit(data).score(asked([0, 2]))[0]  # an hour between the two
    assert scores[3] > scores[1]
    level = model(half_life_days=None).fit(data).score(asked([0, 2]))[0]
    assert level[3] == pytest.approx(level[1])


def test_who_comes_back_after_long_is_known_by_what_they_did_last():
    data = world([0, 0, 1, 1, 1], [0, 1, 0, 1, 2])
    model = ItemKNN(half_life_days=0.001, shrinkage=0).fit(data)
    past = Histories.of([[2, 0]])
    long_after, at_once = (model.score(Queries.of(past, now=now))[0] for now in (10**18, 2 * 3_600_000_000))
    assert long_after[1] > long_after[2] > 0
    np.testing.assert_array_equal(long_after, at_once)


def test_a_title_in_chinese_finds_its_siblings_before_anybody_touched_it():
    titles = ["青花瓷茶壶", "白瓷茶壶", "不锈钢炒锅", "铸铁炒锅", "红木书桌", "青花瓷茶杯 新品"]
    table = pl.DataFrame({"item_id": [f"{item:03}" for item in range(6)], "title": titles})
    data = world([0, 0, 1, 1, 2], [0, 1, 2, 3, 4], n_items=6, table=table)
    model = Content().fit(data)
    scores = model.score(asked([0], [2]))
    assert np.nanargmax(scores[0, 1:]) + 1 in (1, 5)
    assert scores[0, 5] > scores[0, 2]
    assert scores[1, 3] > scores[1, 5]
    new = model.vectors_of(pl.DataFrame({"title": ["青花瓷茶盘", None, "Zebra"], "colour": ["x", "y", "z"]}))
    assert np.nanargmax(new[0] @ model.item_vectors_.T) in (0, 5)
    assert np.isnan(new[1:]).all()


def test_categories_and_near_prices_make_items_alike():
    table = pl.DataFrame({
        "item_id": [f"{item:03}" for item in range(40)],
        "category": ["mug", "lamp"] * 20,
        "price": [float(item) for item in range(40)],
    })  # fmt: skip
    model = Content().fit(world([0], [0], n_items=40, table=table))
    alike = model.similar(np.array([20], np.int32))[0]
    assert alike[22] > alike[21]  # the category
    assert alike[22] > alike[30]  # the price
    assert alike[30] > alike[31]


def test_without_a_catalogue_content_has_no_opinion():
    scores = Content().fit(world([0, 1], [0, 1])).score(asked([0], []))
    assert scores.shape == (2, 2)
    assert np.isnan(scores).all()


def test_one_user_and_one_item_are_a_world_too():
    for model in (Popularity(), ItemKNN(), UserKNN(), EASE(), Content()):
        scores = model.fit(world([0], [0])).score(asked([0], [], [-1]))
        assert scores.shape == (3, 1)


def test_columns_that_say_nothing_can_be_ignored():
    world = small_world()
    first = world.catalog.columns[0]
    without = replace(world, catalog=Catalog(world.catalog.frame.drop(first)))
    queries = some_queries(world)
    found, expected = Content(ignore=(first,)).fit(world).score(queries), Content().fit(without).score(queries)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ConfigError, match=r"Content\.ignore: the item column 'titel'"):
        Content(ignore=("titel",)).fit(world)
