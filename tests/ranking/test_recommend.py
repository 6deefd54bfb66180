"""The one path: rules before top-k, fusion, fallback, blocks, and what a request may add."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worlds import dataset, two_tastes
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.data.split import split_by_time
from zhiyin.errors import ConfigError, ExpressionError
from zhiyin.evaluation.metrics import Hits, Relevant, ndcg
from zhiyin.models.content import Content
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.models.user_knn import UserKNN
from zhiyin.ranking import recommend as path
from zhiyin.ranking.candidates import FALLBACK, ordered
from zhiyin.ranking.fuse import Blend, Opinions, ReciprocalRank, marked
from zhiyin.ranking.learn import blended
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.similar import similar
from zhiyin.ranking.slate import slate
from zhiyin.ranking.terms import Terms


@pytest.fixture(scope="module")
def data() -> Dataset:
    return two_tastes()


@pytest.fixture(scope="module")
def pipeline(data: Dataset) -> Pipeline:
    models = {"item_knn": ItemKNN().fit(data), "user_knn": UserKNN().fit(data), "content": Content().fit(data)}
    return Pipeline(models, data.catalog, Popularity().fit(data))


def ask(data: Dataset, *histories: list[str], now: int | None = None) -> Queries:
    past = Histories.of([data.items.indexes(history).tolist() for history in histories])
    return Queries.of(past, now=data.interactions.times[-1] if now is None else now)


def names(data: Dataset, found) -> list[list[str]]:
    return [data.items.ids(row[row >= 0]).to_list() for row in found.items]


def test_lists_follow_the_taste_of_a_history_never_seen_before(data: Dataset, pipeline: Pipeline) -> None:
    lists = names(data, pipeline.recommend(ask(data, ["a-00", "a-01"], ["b-05"]), 4))
    assert {item[0] for item in lists[0]} == {"a"}
    assert {item[0] for item in lists[1]} == {"b"}


def test_seen_items_never_come_back_unless_the_shop_wants_them_to(data: Dataset, pipeline: Pipeline) -> None:
    seen = ["a-00", "a-01", "a-02"]
    assert not set(seen) & set(names(data, pipeline.recommend(ask(data, seen), 12))[0])
    keeping = replace(pipeline, rules=Rules(seen="keep"))
    assert set(seen) <= set(names(data, keeping.recommend(ask(data, seen), 12))[0])


def test_only_the_named_event_types_make_an_item_seen() -> None:
    data = dataset([("ann", "x", 1), ("ann", "y", 2), ("bob", "x", 3), ("bob", "z", 4)], ["buy", "view", "buy", "buy"])
    alone = Pipeline.of(Popularity().fit(data), data, Rules(seen_types=("buy",)))
    assert sorted(names(data, alone.recommend(data.queries(["ann"]), 3))[0]) == ["y", "z"]


def test_a_stranger_gets_a_full_list_from_the_fallback(data: Dataset, pipeline: Pipeline) -> None:
    found = pipeline.recommend(ask(data, []), 5)
    assert (found.items >= 0).all()
    assert {found.origin_names[origin] for origin in found.origins[0]} == {FALLBACK}
    assert (np.diff(found.scores[0]) <= 0).all()


def test_short_lists_are_filled_below_what_was_found(data: Dataset) -> None:
    found = Pipeline.of(ItemKNN(neighbours=2).fit(data), data).recommend(ask(data, ["a-00"]), 11)
    assert sorted(names(data, found)[0]) == sorted(set(data.items.texts) - {"a-00"})
    assert (np.diff(found.scores[0]) < 0).all()
    first_filled = list(found.origins[0]).index(1)
    assert set(found.origins[0][first_filled:]) == {1}


def test_k_beyond_the_catalogue_is_a_list_of_all_that_is_allowed(data: Dataset, pipeline: Pipeline) -> None:
    found = pipeline.recommend(ask(data, ["a-00"]), 50)
    assert len(names(data, found)[0]) == 11
    assert found.items.shape == (1, 50)
    assert (found.items[0, 11:] == -1).all()
    assert np.isneginf(found.scores[0, 11:]).all()


@pytest.mark.parametrize("k", [0, -1, 10_001])
def test_k_out_of_range_is_refused(data: Dataset, pipeline: Pipeline, k: int) -> None:
    with pytest.raises(ConfigError, match=r"k must be from 1 to 10,000, got"):
        pipeline.recommend(ask(data, []), k)


def test_conditions_hold_before_the_best_are_taken_so_lists_stay_full(data: Dataset, pipeline: Pipeline) -> None:
    found = names(data, pipeline.recommend(ask(data, ["a-00"]), 3, Terms(where=("category = 'b' AND price < 3",))))[0]
    assert sorted(found) == ["b-00", "b-01", "b-02"]
    ruled = replace(pipeline, rules=Rules(where="category = 'b'"))
    assert set(names(data, ruled.recommend(ask(data, ["a-00"]), 12, Terms(where=("price < 2",))))[0]) == {
        "b-00",
        "b-01",
    }
    with pytest.raises(ExpressionError):
        pipeline.recommend(ask(data, []), 3, Terms(where=("colour = 'red'",)))


def test_what_is_unavailable_excluded_or_not_there_yet_is_left_out() -> None:
    events = [(who, item, day) for day, who in enumerate("abc") for item in "wxyz"]
    world = dataset(events)
    frame = world.catalog.frame.with_columns(available=world.catalog.frame["item_id"] != "w")
    created = [0, 0, 0, 10**15]
    catalog = replace(world.catalog, frame=frame.with_columns(created_at=np.array(created)))
    shop = Pipeline.of(Popularity().fit(world), replace(world, catalog=catalog))
    assert names(world, shop.recommend(ask(world, [], now=5), 4)) == [["x", "y"]]
    assert names(world, shop.recommend(ask(world, [], now=10**15), 4)) == [["x", "y", "z"]]
    assert names(world, shop.recommend(ask(world, []), 4, Terms(exclude=world.items.indexes(["x", "who"])))) == [["y"]]
    free = replace(shop, rules=Rules(available=False))
    assert names(world, free.recommend(ask(world, [], now=5), 4)) == [["w", "x", "y", "z"]]


def test_a_batch_in_blocks_is_its_rows_one_by_one(data: Dataset, pipeline: Pipeline, monkeypatch) -> None:
    neighbours = {name: model for name, model in pipeline.retrievers.items() if name != "content"}
    pipeline = replace(pipeline, retrievers=neighbours)  # products of dense vectors round by the shape of the batch
    queries = data.queries(data.users.texts)
    whole = pipeline.recommend(queries, 6)
    monkeypatch.setattr(path, "BLOCK_BYTES", 4 * 12 * 4 * 7)  # seven queries a block
    assert pipeline.block_size(12) == 7
    blocks = pipeline.recommend(queries, 6)
    single = [pipeline.recommend(queries[row : row + 1], 6) for row in range(len(queries))]
    assert blocks.items.tolist() == whole.items.tolist()
    assert [one.items[0].tolist() for one in single] == whole.items.tolist()
    assert len(pipeline.recommend(queries[:0], 3)) == 0


def test_one_model_alone_keeps_its_scores(data: Dataset) -> None:
    model = ItemKNN().fit(data)
    alone = Pipeline.of(model, data, name="neighbours")
    queries = ask(data, ["a-00"])
    found = alone.recommend(queries, 3)
    scores = alone.score_all(queries)
    assert scores is not None
    assert found.scores[0].tolist() == scores[0, found.items[0]].tolist()
    assert found.origin_names == ("neighbours", FALLBACK)


def test_reciprocal_ranks_prefer_what_several_put_high() -> None:
    ranks = np.array([[[0, 1, 2, -1]], [[2, 0, -1, 1]]], np.int32)
    fused = ReciprocalRank().combine(Opinions(np.zeros((2, 1, 4), np.float32), ranks))[0]
    assert np.allclose(fused, [1 / 61 + 1 / 63, 1 / 62 + 1 / 61, 1 / 63, 1 / 62])


def test_a_blend_learns_whom_to_trust() -> None:
    rng = np.random.default_rng(0)
    chosen = np.zeros((400, 20), np.bool_)
    chosen[np.arange(400), rng.integers(0, 20, 400)] = True
    wise = chosen + rng.normal(0, 0.4, chosen.shape)
    noise = rng.normal(0, 1, chosen.shape)
    silent = np.full(chosen.shape, np.nan)
    scores = np.stack([noise, wise, silent]).astype(np.float32)
    ranks = (-scores).argsort(axis=2).argsort(axis=2).astype(np.int32)
    ranks[2] = -1
    blend = Blend().fit(Opinions(scores, ranks), chosen)
    noisy, trusted, quiet = blend.weights_[:3]
    assert trusted > 10 * max(noisy, 0.01)
    assert quiet == pytest.approx(0, abs=1e-3)
    truth = chosen.argmax(axis=1)
    found = (blend.combine(Opinions(scores, ranks)).argmax(axis=1) == truth).mean()
    assert found > 0.95 * (wise.argmax(axis=1) == truth).mean()


def test_a_blend_hears_a_retriever_alike_whatever_the_scale_of_its_query() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(2, 3, 8)).astype(np.float32)
    scores[0, :, :3] = np.nan  # no opinion is no opinion at any scale
    scores[1, 2] = 7.0  # the same of everything says nothing
    ranks = np.zeros(scores.shape, np.int32)
    features = Opinions(scores, ranks).features()
    louder = scores * np.array([1, 100, 0.01], np.float32)[:, None] + np.array([0, 5, -1], np.float32)[:, None]
    np.testing.assert_allclose(Opinions(louder, ranks).features(), features, atol=1e-4)
    assert (features[:, :3, 0] == 0).all()
    assert (features[2, :, 1] == 0).all()
    np.testing.assert_allclose(features[:2, :, 1].std(axis=1), 1, rtol=1e-5)


def test_the_gradient_of_the_blend_is_the_slope_of_its_loss() -> None:
    from zhiyin.ranking.fuse import _loss

    rng = np.random.default_rng(1)
    features, present = rng.normal(size=(6, 5, 4)), rng.random((6, 5)) < 0.8
    present[:, 0] = True
    targets = np.eye(5)[np.zeros(6, int)]
    weights, step = rng.random(4), 1e-6
    _, slope = _loss(weights, features, present, targets, 0.01)
    for i in range(4):
        up, down = weights.copy(), weights.copy()
        up[i] += step
        down[i] -= step
        numeric = (
            _loss(up, features, present, targets, 0.01)[0] - _loss(down, features, present, targets, 0.01)[0]
        ) / (2 * step)
        assert slope[i] == pytest.approx(numeric, abs=1e-6)


def test_a_blend_learnt_through_the_path_is_no_worse_than_its_members() -> None:
    split = split_by_time(two_tastes(400, 40, 12, seed=3), 0.2)
    members = {"popularity": Popularity().fit(split.train), "item_knn": ItemKNN().fit(split.train)}
    pipeline = Pipeline(members, split.train.catalog, members["popularity"])
    mixed = blended(pipeline, split)
    relevant = Relevant(split.offsets, split.relevant)

    def quality(one: Pipeline) -> float:
        return float(np.nanmean(ndcg(Hits.of(one.recommend(split.queries, 10).items, relevant))))

    alone = Pipeline({"popularity": members["popularity"]}, split.train.catalog, members["popularity"])
    assert quality(mixed) > quality(alone)
    assert quality(mixed) >= 0.95 * quality(replace(alone, retrievers={"item_knn": members["item_knn"]}))


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, float("nan")]), min_size=1, max_size=8))
@settings(deadline=None, max_examples=50)
def test_order_keeps_ties_and_puts_ignorance_last(scores: list[float]) -> None:
    places = ordered(np.zeros((1, len(scores)), np.int32), np.array([scores], np.float32), len(scores))[0]
    expected = sorted(range(len(scores)), key=lambda i: (np.isnan(scores[i]), -np.nan_to_num(scores[i])))
    assert places.tolist() == expected


def test_choices_are_marked_in_their_own_query_only() -> None:
    items = np.array([[3, 1, -1], [1, 0, 2]], np.int32)
    found = marked(items, np.array([0, 2, 3]), np.array([1, 9, 2], np.int32))
    assert found.tolist() == [[False, True, False], [False, False, True]]


def test_similar_items_share_the_taste_and_leave_out_the_item(data: Dataset, pipeline: Pipeline) -> None:
    found = similar(pipeline, data.items.indexes(["a-00", "b-03"]), 5)
    lists = names(data, found)
    assert [{item[0] for item in row} for row in lists] == [{"a"}, {"b"}]
    assert "a-00" not in lists[0]
    assert "b-03" not in lists[1]
    dear = names(data, similar(pipeline, data.items.indexes(["a-00"]), 2, Terms(where=("price > 3",))))
    assert set(dear[0]) == {"a-04", "a-05"}
    lonely = replace(pipeline, retrievers={"popularity": Popularity().fit(data)})
    assert names(data, similar(lonely, data.items.indexes(["a-00"]), 5)) == [[]]


def test_a_slate_carries_ids_ranks_and_origins(data: Dataset, pipeline: Pipeline) -> None:
    found = pipeline.recommend(ask(data, ["a-00"], []), 3)
    table = slate(found, ["ann", "bob"], data.items)
    assert table["user_id"].to_list() == ["ann"] * 3 + ["bob"] * 3
    assert table["rank"].to_list() == [1, 2, 3, 1, 2, 3]
    assert table["origin"].to_list()[3:] == [FALLBACK] * 3
    assert table["item_id"].to_list()[:3] == names(data, found)[0]
