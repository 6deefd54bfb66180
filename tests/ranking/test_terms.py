"""What one request may say, through the whole path: no term breaks a rule, and lists stay full."""

from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worlds import DAY, dataset, two_tastes
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError, ExpressionError
from zhiyin.models.content import Content
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking import arrange
from zhiyin.ranking.candidates import EXPLORE, FALLBACK
from zhiyin.ranking.fuse import Blend, ReciprocalRank
from zhiyin.ranking.promotions import Promotion
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.terms import PLAIN, Terms

NEW = 5
COLUMNS = ("brand", "category")


def with_new_items(data: Dataset) -> Dataset:
    """The same world with a brand for every item, and five items that nobody has touched, the last one the newest."""
    ids = [*data.items.texts, *(f"new-{i}" for i in range(NEW))]
    table = data.catalog.frame.select(
        "item_id", "title", "category", "price",
        brand=pl.Series([None if i % 5 == 4 else f"brand {i % 3}" for i in range(len(data.items))]),
        created_at=pl.lit(0, pl.Int64),
    )  # fmt: skip
    fresh = pl.DataFrame(
        {
            "item_id": ids[-NEW:], "title": [f"{'tea' if i % 2 else '咖啡'} {i}" for i in range(NEW)],
            "category": ["a" if i % 2 else "b" for i in range(NEW)], "price": [float(i) for i in range(NEW)],
            "brand": ["brand 0"] * NEW, "created_at": [10 * DAY + i for i in range(NEW)],
        }
    )  # fmt: skip
    items = replace(data.items, texts=pl.Series(ids))
    log = replace(data.interactions, n_items=len(ids))
    return replace(data, items=items, interactions=log, catalog=Catalog.of(items, pl.concat([table, fresh])))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return with_new_items(two_tastes(people=40, items=14))


@pytest.fixture(scope="module")
def pipeline(data: Dataset) -> Pipeline:
    models = {"item_knn": ItemKNN().fit(data), "popularity": Popularity().fit(data)}
    return Pipeline(models, data.catalog, Popularity().fit(data))


@pytest.fixture(scope="module")
def with_content(data: Dataset, pipeline: Pipeline) -> Pipeline:
    return replace(pipeline, retrievers={**pipeline.retrievers, "content": Content(dimensions=8).fit(data)})


@pytest.fixture(scope="module")
def queries(data: Dataset) -> Queries:
    return data.queries([*data.users.texts.head(4), "a stranger"])


def names(data: Dataset, items: np.ndarray) -> list[str]:
    return data.items.ids(items[items >= 0]).to_list()


@st.composite
def terms(draw) -> Terms:
    boosts = draw(st.dictionaries(st.sampled_from(["price > 3", "category = 'a'", "brand IS NULL"]),
                                  st.floats(0.01, 100), max_size=2))  # fmt: skip
    promotions = draw(st.lists(st.builds(
        Promotion, st.sampled_from(["category = 'b'", "brand = 'brand 1'", "price < 2"]),
        st.sampled_from([0.1, 0.3, 0.5, 1.0]), until=st.sampled_from([None, "1969-01-01"])), max_size=2))  # fmt: skip
    caps = draw(st.dictionaries(st.sampled_from(COLUMNS), st.integers(1, 6), max_size=2))
    return Terms(
        where=draw(st.sampled_from([(), ("price < 6",), ("price < 6", "category = 'a'")])),
        exclude=draw(st.sampled_from([None, np.array([0, -1, 15], np.int32)])),
        boosts=tuple(boosts.items()), promotions=tuple(promotions), caps=tuple(caps.items()),
        seen=draw(st.sampled_from([None, "keep"])), seen_days=draw(st.sampled_from([None, 5.0])),
        retrievers=draw(st.sampled_from([(), ("item_knn",), ("popularity", "item_knn")])),
        personal=draw(st.booleans()), explore=draw(st.sampled_from([0.0, 0.1, 0.34, 0.5])),
        seeds=(draw(st.integers(0, 2**64 - 1)),),
    )  # fmt: skip


@given(asked=terms(), k=st.integers(1, 12))
@settings(deadline=None, max_examples=100)
def test_no_term_breaks_a_rule_a_condition_or_a_cap_and_no_item_comes_twice(data, pipeline, queries, asked, k):
    found = pipeline.recommend(queries, k, asked)
    assert found.items.shape == (len(queries), k)
    ruled = asked.rules(pipeline.rules)
    who = queries if asked.personal else queries.anonymous()
    permitted = ruled.of_queries(who, pipeline.allowed_items(*asked.where), data.catalog, asked.exclude)
    for row in range(len(queries)):
        shown = found.items[row][found.items[row] >= 0]
        assert (found.items[row, len(shown) :] == -1).all()
        assert permitted[row, shown].all()
        assert len(set(shown.tolist())) == len(shown)
        values = [pipeline.masks.values(column) for column, _ in asked.caps]
        for column, (_, limit) in zip(values, asked.caps, strict=True):
            counts = Counter(column[shown].tolist())
            assert all(count <= limit for value, count in counts.items() if value >= 0)
        others = np.setdiff1d(np.flatnonzero(permitted[row]), shown)
        if len(shown) < k:  # then no other item would fit
            for other in others:
                assert any(column[other] >= 0 and (column[shown] == column[other]).sum() >= limit
                           for column, (_, limit) in zip(values, asked.caps, strict=True))  # fmt: skip
        for promotion in asked.promotions:
            if promotion.until is None and not asked.caps and len(asked.promotions) == 1:
                match = pipeline.masks.matching(promotion.where)
                drawn = found.origins[row] == len(found.origin_names) - 1 if asked.explore else np.zeros(k, bool)
                rest = int((match & permitted[row]).sum())
                room = k - int(drawn.sum())
                assert match[shown].sum() >= min(promotion.owed(k), rest - NEW if asked.explore else rest, room)


@given(asked=terms(), k=st.integers(1, 12))
@settings(deadline=None, max_examples=40)
def test_asked_not_to_be_personal_everybody_gets_the_same(pipeline, queries, asked, k):
    asked = replace(asked, personal=False)
    one = pipeline.recommend(queries[:1], k, asked)
    for row in range(len(queries)):
        other = pipeline.recommend(queries[row : row + 1], k, asked)
        assert other.items.tolist() == one.items.tolist()
        assert other.scores.tolist() == one.scores.tolist()


@given(asked=terms(), k=st.integers(1, 12))
@settings(deadline=None, max_examples=40)
def test_the_same_request_is_answered_alike_and_a_batch_is_its_rows_where_nothing_is_drawn(pipeline, queries, asked, k):
    whole = pipeline.recommend(queries, k, asked)
    again = pipeline.recommend(queries, k, asked)
    assert again.items.tolist() == whole.items.tolist()
    calm = replace(asked, explore=0.0)
    together = pipeline.recommend(queries, k, calm)
    alone = [pipeline.recommend(queries[row : row + 1], k, calm).items[0].tolist() for row in range(len(queries))]
    assert alone == together.items.tolist()


def test_a_plain_request_is_the_path_that_is_measured(pipeline, queries):
    plain = pipeline.recommend(queries, 5)
    assert plain.probabilities is None
    assert pipeline.under(PLAIN) is pipeline
    generous = Terms(caps=(("category", 100),))
    capped = pipeline.recommend(queries, 5, generous)
    assert capped.items.tolist() == plain.items.tolist()
    np.testing.assert_array_equal(capped.scores, plain.scores)
    assert (capped.probabilities == 1).all()


def test_caps_look_further_than_the_candidates_until_the_list_is_full(data, pipeline, queries, monkeypatch):
    monkeypatch.setattr(arrange, "DEEPER", 1)
    shallow = replace(pipeline, pool=1)
    found = shallow.recommend(queries, 4, Terms(caps=(("category", 2),)))
    assert (found.items >= 0).all()
    for row in found.items:
        assert Counter(data.catalog.frame["category"][row.tolist()].to_list()) == {"a": 2, "b": 2}


def test_a_promoted_item_that_no_model_proposes_is_looked_for(data, pipeline, queries, monkeypatch):
    monkeypatch.setattr(arrange, "DEEPER", 1)
    found = replace(pipeline, pool=2).recommend(queries, 4, Terms(promotions=(Promotion("item_id = 'new-1'", 0.25),)))
    assert all(names(data, row)[0] == "new-1" for row in found.items)
    assert {found.origin_names[origin] for origin in found.origins[:, 0]} == {FALLBACK}


def test_all_conditions_hold(data, pipeline, queries):
    both = pipeline.recommend(queries, 12, Terms(where=("price < 4", "category = 'b'")))
    assert {name for row in both.items for name in names(data, row)} <= {
        *(f"b-0{i}" for i in range(4)), *(f"new-{i}" for i in range(NEW)),
    }  # fmt: skip
    with pytest.raises(ExpressionError, match="colour"):
        pipeline.recommend(queries, 3, Terms(where=("price < 4", "colour = 'red'")))


def test_what_was_seen_long_ago_may_come_again() -> None:
    world = dataset([("ann", "x", 1), ("ann", "y", 9), ("bob", "x", 3), ("bob", "y", 4), ("bob", "z", 4)])
    shop = Pipeline.of(Popularity().fit(world), world)
    asked = world.queries(["ann"], now=11 * DAY)

    def shown(terms: Terms) -> set[str]:
        return set(names(world, shop.recommend(asked, 3, terms).items[0]))

    assert shown(PLAIN) == {"z"}
    assert shown(Terms(seen_days=5)) == {"x", "z"}
    assert shown(Terms(seen_days=10)) == {"z"}  # ten days ago exactly
    assert shown(Terms(seen_days=1)) == shown(Terms(seen="keep")) == {"x", "y", "z"}
    assert shown(Terms(seen_types=("purchase",))) == {"x", "y", "z"}
    bought = replace(shop, rules=Rules(seen_types=("purchase",)))
    assert bought.under(Terms(seen_types=())).rules == Rules()
    ruled = replace(shop, rules=Rules(seen_days=5))
    assert set(names(world, ruled.recommend(asked, 3).items[0])) == {"x", "z"}
    with pytest.raises(ConfigError, match=r"rules\.seen_days must be above 0, got 0"):
        Rules(seen_days=0)


def test_some_of_the_retrievers_may_propose_and_the_blend_keeps_their_weights(data, pipeline, queries):
    blend = Blend()
    blend.weights_ = np.array([1.0, 0.0, 2.0, 0.0])  # scores of two, reciprocal ranks of two
    blended = replace(pipeline, combine=blend)
    for names_ in (("item_knn",), ("popularity",)):
        alone = Pipeline({names_[0]: pipeline.retrievers[names_[0]]}, data.catalog, pipeline.fallback)
        found = blended.recommend(queries, 5, Terms(retrievers=names_))
        assert found.items.tolist() == alone.recommend(queries, 5).items.tolist()
        assert found.origin_names == (names_[0], FALLBACK)
    swapped = blended.recommend(queries, 5, Terms(retrievers=("popularity", "item_knn")))
    assert swapped.items.tolist() == blended.recommend(queries, 5).items.tolist()
    assert blend.among([1, 0]).weights_.tolist() == [0.0, 1.0, 0.0, 2.0]
    assert isinstance(blend.among([1]), ReciprocalRank)  # it has learnt to hear nothing of popularity
    assert ReciprocalRank().among([1]) == ReciprocalRank()
    with pytest.raises(ConfigError, match=r"retrievers: 'item_kn' is not known: did you mean 'item_knn'\?"):
        pipeline.recommend(queries, 5, Terms(retrievers=("item_kn",)))


def test_conditions_are_remembered_for_every_choice_of_retrievers(pipeline):
    fewer = pipeline.under(Terms(retrievers=("popularity",), seen="keep"))
    assert fewer is pipeline.under(Terms(retrievers=("popularity",), seen="keep"))
    assert fewer.masks is pipeline.masks
    assert fewer.rules == Rules(seen="keep")


def test_exploring_shows_what_nobody_has_touched_with_its_probability(data, pipeline, with_content, queries):
    for shop in (pipeline, with_content):
        found = shop.recommend(queries, 10, Terms(explore=0.2, seeds=(3,)))
        assert found.origin_names[-1] == EXPLORE
        explored = found.origins == len(found.origin_names) - 1
        assert np.flatnonzero(explored.any(axis=0)).tolist() == [4, 9]
        assert all(name.startswith("new-") for name in names(data, found.items[explored]))
        assert ((found.probabilities < 1) == explored).all()
        assert (np.diff(found.scores[:, :5], axis=1) <= 0).all()


def test_exploring_draws_in_proportion(data, with_content, queries):
    ask = queries[np.zeros(2_000, np.int64)]
    found = with_content.recommend(ask, 10, Terms(explore=0.1, seeds=(1,)))
    items, told = found.items[:, 9], found.probabilities[:, 9]
    for item in np.unique(items):
        assert (items == item).mean() == pytest.approx(told[items == item][0], abs=0.05)
    suits = {name[-1] for name in names(data, items[told == told.max()])}
    assert suits <= {"1", "3"}  # somebody with a taste for a, and tea


def test_by_date_the_newest_are_the_likeliest(data, pipeline, queries):
    assert names(data, pipeline.fresh) == ["new-4", "new-3", "new-2", "new-1", "new-0"]
    found = pipeline.recommend(queries[np.zeros(500, np.int64)], 10, Terms(explore=0.1))
    told = {name: found.probabilities[row, 9] for row, name in enumerate(names(data, found.items[:, 9]))}
    assert sorted(told, key=told.__getitem__, reverse=True) == names(data, pipeline.fresh)


def test_exploring_leaves_lists_alone_that_are_short_or_have_nothing_new(data, pipeline, queries):
    plain = pipeline.recommend(queries, 9)
    assert pipeline.recommend(queries, 9, Terms(explore=0.1)).items.tolist() == plain.items.tolist()
    nothing = Terms(explore=0.5, where=("created_at <= '1970-01-01'",))
    assert EXPLORE not in pipeline.recommend(queries, 4, nothing).origin_names
    early = Queries.of(Histories.empty(1), now=5 * DAY)  # the new ones do not exist yet
    found = pipeline.recommend(early, 4, Terms(explore=0.5))
    assert not any(name.startswith("new-") for name in names(data, found.items[0]))
    assert (found.probabilities == 1).all()


def test_no_query_is_no_list(pipeline, queries):
    busy = Terms(
        caps=(("brand", 1),), promotions=(Promotion("price < 2", 0.5),), explore=0.5, boosts=(("price < 2", 2),)
    )
    assert pipeline.recommend(queries[:0], 3, busy).items.shape == (0, 3)


@pytest.mark.parametrize(
    ("caps", "says"),
    [
        ((("brnad", 1),), r"caps: the item column 'brnad' is not known: did you mean 'brand'\?"),
        ((("tags", 1),), "caps: the item column 'tags' is a list or structure"),
    ],
)
def test_a_column_that_cannot_be_capped_is_a_sentence(data, pipeline, queries, caps, says):
    frame = data.catalog.frame.with_columns(tags=pl.lit(["x"]), weight=pl.lit(float("nan")))
    shop = replace(pipeline, catalog=Catalog(frame))
    with pytest.raises(ConfigError, match=says):
        shop.recommend(queries, 3, Terms(caps=caps))
    assert (shop.masks.values("weight") == -1).all()  # NaN is not known
