"""Reasons of lists in worlds in which they can be argued."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from worlds import DAY, dataset, two_tastes
from zhiyin.data.catalog import Catalog
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.content import Content
from zhiyin.models.ease import EASE
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.nmf import NMF
from zhiyin.models.popularity import Popularity
from zhiyin.models.rating_baseline import RatingBaseline
from zhiyin.models.user_knn import UserKNN
from zhiyin.ranking.explain import MOST_EVENTS_NAMED, NEW_DAYS, Because, Reason, reasons, thorough_reasons
from zhiyin.ranking.leave_one_out import MOST_LEFT_OUT, left_out
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.wording import done, sentence
from zhiyin.testing import small_world

TASTES = two_tastes()
NOW = 31 * DAY


def pipeline(data=TASTES, **models):
    fitted = {name: model.fit(data) for name, model in models.items()}
    return Pipeline(fitted, data.catalog, Popularity().fit(data))


def past(*ids, data=TASTES, kinds=(), weights=None):
    """A history of these items, a day apart, the last one just before NOW."""
    plain = Histories.of([data.items.indexes(ids)])
    names = tuple(dict.fromkeys(kinds)) or ("interaction",)
    return Queries.of(
        replace(
            plain,
            times=NOW - DAY * np.arange(len(ids), 0, -1),
            kinds=np.array([names.index(one) for one in kinds] or [0] * len(ids), np.uint8),
            kind_names=names,
            weights=plain.weights if weights is None else np.array(weights, np.float32),
        ),
        now=NOW,
    )


def told(asked, queries, k=3, by=reasons):
    found = asked.recommend(queries, k)
    return [asked.catalog.frame["item_id"][int(item)] for item in found.items[0]], by(asked, queries, found)[0]


def test_an_event_of_the_same_taste_is_the_reason_and_one_of_another_taste_is_not():
    queries = past("a-01", "b-02", kinds=("view", "purchase"))
    items, given = told(pipeline(knn=ItemKNN(shrinkage=0)), queries, 6)
    a, b = (int(index) for index in TASTES.items.indexes(["a-01", "b-02"]))
    assert {item[0] for item in items} == {"a", "b"}
    for item, reason in zip(items, given, strict=True):
        event = Because(a, "view", NOW - 2 * DAY, 1.0) if item[0] == "a" else Because(b, "purchase", NOW - DAY, 1.0)
        assert reason == Reason("history", (event,), "exact")


def test_the_strongest_event_comes_first_and_shares_are_of_all_that_speaks_for_the_item():
    model = pipeline(knn=ItemKNN(shrinkage=0, half_life_days=None))
    queries = past("a-00", "a-01", "a-02", "a-03", weights=(0.5, 1.0, 0.9, 0.8))
    found = model.recommend(queries, 1)
    added = model.retrievers["knn"].explain(queries, found.items)[0, 0]
    because = reasons(model, queries, found)[0][0].because
    assert len(because) == MOST_EVENTS_NAMED
    order = np.argsort(-added)[:MOST_EVENTS_NAMED]
    assert [one.item for one in because] == queries.histories.items[order].tolist()
    np.testing.assert_allclose([one.share for one in because], added[order] / added.sum(), rtol=1e-5)


def test_what_speaks_faintly_beside_the_strongest_is_not_named():
    queries = past("a-00", "a-01", weights=(0.05, 1.0))
    _, (reason,) = told(pipeline(knn=ItemKNN(shrinkage=0, half_life_days=None)), queries, 1)
    assert [one.item for one in reason.because] == TASTES.items.indexes(["a-01"]).tolist()
    assert reason.because[0].share < 1


def test_an_event_that_counts_against_an_item_is_no_reason():
    log = [(f"{other}{person}", item, 0.0) for other in "xy" for person in range(5) for item in (other, "both")]
    data = dataset(log)  # who has x has no y
    asked, queries = pipeline(data, ease=EASE(l2=1)), past("x", "both", data=data)
    found = asked.recommend(queries, 1)
    assert found.items[0].tolist() == data.items.indexes(["y"]).tolist()
    against, speaks = asked.retrievers["ease"].explain(queries, found.items)[0, 0]
    assert against < 0 < speaks
    (reason,) = reasons(asked, queries, found)[0]
    assert [(one.item, one.share) for one in reason.because] == [(data.items.indexes(["both"])[0], 1.0)]


def test_the_reason_is_that_of_the_retriever_which_ranks_the_item_highest():
    asked = pipeline(knn=ItemKNN(shrinkage=0, neighbours=1), popularity=Popularity())
    queries = past("a-01")
    found = asked.recommend(queries, 8)
    for origin, reason in zip(found.origins[0], reasons(asked, queries, found)[0], strict=True):
        kind = {"knn": "history", "popularity": "popular"}[found.origin_names[origin]]
        assert reason.kind == kind
        assert bool(reason.because) == (kind == "history")
    assert set(found.origins[0]) == {0, 1}


def test_the_fallback_says_that_it_fills_the_list():
    asked = pipeline(knn=ItemKNN(shrinkage=0, neighbours=1))
    _, given = told(asked, past("a-01"), 8)
    assert [one.kind for one in given] == ["history", *["fallback"] * 7]
    assert told(asked, past(), 2)[1] == [Reason("fallback"), Reason("fallback")]


def test_who_did_nothing_is_shown_what_is_popular_even_by_a_model_of_histories():
    asked = pipeline(small_world(), ratings=RatingBaseline())
    assert [one.kind for one in told(asked, past(), by=thorough_reasons)[1]] == ["popular"] * 3


def test_content_says_so_and_that_an_item_is_new_within_two_weeks():
    frame = TASTES.catalog.frame
    created = [NOW - (NEW_DAYS + (1 if place % 2 else -1)) * DAY for place in range(len(frame))]
    data = replace(TASTES, catalog=Catalog(frame.with_columns(created_at=pl.Series(created))))
    items, given = told(pipeline(data, content=Content()), past("a-01"), 5)
    for item, reason in zip(items, given, strict=True):
        assert reason.kind == ("content" if int(data.items.indexes([item])[0]) % 2 else "new")
        if item[0] == "a":
            assert [one.item for one in reason.because] == TASTES.items.indexes(["a-01"]).tolist()


@pytest.mark.parametrize("model", [UserKNN(neighbours=10, shrinkage=0), NMF(dimensions=2)])
def test_a_model_that_does_not_tell_is_asked_again_without_each_event_only_when_that_is_wanted(model):
    asked, queries = pipeline(model=model), past("b-02", "a-01")
    items, quick = told(asked, queries, 4)
    assert all(one.because == () and one.method is None for one in quick)
    assert all(one.kind == "history" for one in quick)
    _, given = told(asked, queries, 4, thorough_reasons)
    for item, reason in zip(items, given, strict=True):
        assert reason.method == "leave_one_out"
        assert reason.because[0].item == TASTES.items.indexes(["a-01" if item[0] == "a" else "b-02"])[0]


def test_a_list_of_a_batch_has_the_reasons_that_it_has_alone():
    asked = pipeline(knn=ItemKNN(shrinkage=0), popularity=Popularity())
    queries = TASTES.queries(["a000", "b003", "nobody", "a007"])
    found = asked.recommend(queries, 6)
    alone = [reasons(asked, queries[row : row + 1], asked.recommend(queries[row : row + 1], 6))[0] for row in range(4)]
    assert reasons(asked, queries, found) == alone


def slow_left_out(model, queries, items):
    """float64[m, t]: histories made one by one."""
    events = queries.histories.items.tolist()
    t = min(len(events), MOST_LEFT_OUT)
    added = np.full((len(items), t), np.nan)
    whole = model.score(queries, items)[0]
    for place, item in enumerate(events[len(events) - t :]):
        at = len(events) - t + place
        if item < 0 or item in events[at + 1 :]:
            continue
        keep = queries.histories.items != item
        fewer = replace(queries, histories=queries.histories.kept(keep))
        added[:, place] = whole - np.nan_to_num(model.score(fewer, items)[0])
    return added


@pytest.mark.parametrize("model", [UserKNN(neighbours=10, shrinkage=0), ItemKNN(shrinkage=0, half_life_days=None)])
def test_leaving_out_is_what_asking_one_by_one_finds(model):
    model = model.fit(TASTES)
    rng = np.random.default_rng(0)
    ids = [*TASTES.items.texts, "unknown"]
    for length in (0, 1, 5, 30):
        queries = past(*[ids[one] for one in rng.integers(0, len(ids), length)])
        items = np.array([3, -1, 8], np.int32)
        found = left_out(model, queries, items[None, :])
        assert found.shape == (1, 3, min(length, MOST_LEFT_OUT))
        np.testing.assert_allclose(found[0], slow_left_out(model, queries, items), rtol=1e-4, atol=1e-6)


def test_of_a_linear_model_leaving_out_and_telling_exactly_agree():
    model = ItemKNN(shrinkage=0, half_life_days=None).fit(TASTES)
    queries, items = past("a-00", "b-01", "a-02"), np.arange(12, dtype=np.int32)[None, :]
    exact, without = model.explain(queries, items), left_out(model, queries, items)
    np.testing.assert_allclose(np.nan_to_num(exact), np.nan_to_num(without), atol=1e-6)


def because(*kinds):
    return Reason("history", tuple(Because(place, kind, 0, 0.5) for place, kind in enumerate(kinds)), "exact")


@pytest.mark.parametrize(
    ("kinds", "english", "chinese"),
    [
        (("purchase", "view"), "because you bought A and viewed B", "因为你购买过A、浏览过B"),
        (("cart",), "because you put A in the cart", "因为你加购过A"),
        (("LIKE", "rating", "play"), "because you liked A, rated B and played C", "因为你喜欢A、评价过B、播放过C"),
        (("click", "wish"), "because you clicked A and saved B", "因为你点击过A、收藏过B"),
        (("interaction",), "because you chose A", "因为你选择过A"),
    ],
)
def test_a_reason_is_a_sentence_in_two_languages(kinds, english, chinese):
    titles = ["A", "B", "C"][: len(kinds)]
    assert sentence(because(*kinds), titles) == english
    assert sentence(because(*kinds), titles, "zh") == chinese


@pytest.mark.parametrize("kind", ["history", "popular", "new", "content", "fallback"])
def test_a_reason_without_an_event_is_a_sentence_too(kind):
    assert sentence(Reason(kind), []).isascii()
    assert not sentence(Reason(kind), [], "zh").isascii()


def test_a_long_title_is_cut_and_braces_in_it_are_nothing_special():
    assert done("view", "x" * 61) == f"viewed {'x' * 59}…"
    assert done("view", "{0} {}") == "viewed {0} {}"


def test_an_item_is_called_by_its_title_else_its_name_else_its_id():
    log = [("u", "i1", 0.0), ("u", "i2", 1.0)]
    assert dataset(log).catalog.titles.to_list() == ["i1", "i2"]
    named = pl.DataFrame({"item_id": ["i1", "i2"], "name": ["cup", None]})
    assert dataset(log, items=named).catalog.titles.to_list() == ["cup", "i2"]
    titled = named.with_columns(title=pl.Series(["mug", "pot"]))
    assert dataset(log, items=titled).catalog.titles.to_list() == ["mug", "pot"]
