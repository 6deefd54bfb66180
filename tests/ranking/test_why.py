"""The funnel tells what the request path does, stage by stage."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worlds import DAY, dataset, two_tastes
from zhiyin.data.catalog import Catalog
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError, ExpressionError
from zhiyin.models.content import Content
from zhiyin.models.ease import EASE
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.nmf import NMF
from zhiyin.models.popularity import Popularity
from zhiyin.models.user_knn import UserKNN
from zhiyin.ranking.funnel import Asked, Stage
from zhiyin.ranking.fuse import Blend, ReciprocalRank
from zhiyin.ranking.promotions import Promotion
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.terms import Terms
from zhiyin.ranking.why import STEPS, why

TASTES = two_tastes()
N = len(TASTES.items)
NOW = 31 * DAY
MODELS = {
    "knn": ItemKNN(shrinkage=0, neighbours=3).fit(TASTES),
    "ease": EASE(l2=5).fit(TASTES),
    "users": UserKNN(neighbours=5).fit(TASTES),
    "content": Content().fit(TASTES),
    "popularity": Popularity().fit(TASTES),
}
FRAME = TASTES.catalog.frame.with_columns(
    available=pl.Series([place != 4 for place in range(N)]),
    created_at=pl.Series([None if place % 2 else (place + 25) * DAY for place in range(N)], dtype=pl.Int64),
)


def pipeline(*names, rules=Rules(), catalog=TASTES.catalog, **others):  # noqa: B008 - frozen
    return Pipeline({name: MODELS[name] for name in names}, catalog, MODELS["popularity"], rules, **others)


def index(item_id, data=TASTES):
    return int(data.items.indexes([item_id])[0])


def past(*ids, kinds=(), data=TASTES):
    plain = Histories.of([data.items.indexes(ids)])
    names = tuple(dict.fromkeys(kinds)) or ("interaction",)
    numbers = np.array([names.index(one) for one in kinds] or [0] * len(ids), np.uint8)
    times = NOW - DAY * np.arange(len(ids), 0, -1)
    return Queries.of(replace(plain, times=times, kinds=numbers, kind_names=names), now=NOW)


def index_of_a():
    return np.flatnonzero(FRAME["category"].to_numpy() == "a").tolist()


def stages(found):
    return {one.name: one for one in found.stages}


@st.composite
def questions(draw):
    names = draw(st.lists(st.sampled_from(sorted(MODELS)), min_size=1, max_size=3, unique=True))
    conditions = st.sampled_from([None, "price < 4", "category = 'a'", "category = 'none'"])
    rules = Rules(
        seen=draw(st.sampled_from(["drop", "keep"])),
        seen_types=draw(st.sampled_from([(), ("purchase",), ("view", "cart")])),
        available=draw(st.booleans()),
        where=draw(conditions),
    )
    combine = draw(st.sampled_from([ReciprocalRank(), Blend()]))
    if isinstance(combine, Blend):
        combine.weights_ = np.arange(1.0, 2 * len(names) + 1)
    pool = draw(st.sampled_from([1, 3, 200]))
    asked = pipeline(*names, rules=rules, catalog=Catalog(FRAME), pool=pool, combine=combine)
    ids = draw(st.lists(st.sampled_from([*TASTES.items.texts, "unknown"]), max_size=6))
    kinds = draw(
        st.lists(st.sampled_from(["view", "cart", "purchase"]), min_size=len(ids), max_size=len(ids))
    )  # fmt: skip
    queries = past(*ids, kinds=kinds)
    queries = replace(queries, times=np.array([draw(st.sampled_from([NOW, 28 * DAY]))]))
    exclude = draw(st.none() | st.lists(st.integers(-1, N - 1), max_size=3).map(lambda some: np.array(some, np.int32)))
    condition, matches = draw(conditions), st.sampled_from(["price < 4", "category = 'a'", "category = 'none'"])
    terms = Terms(
        where=(condition,) if condition else (),
        exclude=exclude,
        boosts=draw(st.just(()) | st.tuples(st.tuples(matches, st.sampled_from([0.2, 5.0])))),
        promotions=draw(st.just(()) | st.tuples(st.builds(Promotion, matches, st.sampled_from([0.3, 1.0])))),
        caps=draw(st.just(()) | st.just((("category", 2),))),
        explore=draw(st.sampled_from([0.0, 0.3])),
        seeds=(draw(st.integers(0, 9)),),
    )
    return Asked(asked, queries, draw(st.integers(0, N - 1)), draw(st.integers(1, 14)), terms)


@settings(max_examples=150, deadline=None)
@given(questions())
def test_the_verdict_is_what_recommend_does_and_the_rules_are_its_rules(asked):
    found = why(asked)
    shown = asked.pipeline.recommend(asked.queries, asked.k, asked.terms).items[0]
    places = np.flatnonzero(shown == asked.item)
    assert found.rank == (int(places[0]) + 1 if len(places) else None)
    assert found.verdict.startswith(f"shown at rank {found.rank}:" if len(places) else "not shown: ")
    told = stages(found)
    assert told["list"].passed == bool(len(places))
    assert told["list"].remaining == (shown >= 0).sum()
    rules = [told[name] for name in ("known", "available", "exists", "rules.where", "where", "seen", "exclude")]
    assert [one.remaining for one in rules] == sorted((one.remaining for one in rules), reverse=True)
    items, catalog = asked.pipeline.allowed_items(*asked.terms.where), asked.pipeline.catalog
    allowed = asked.pipeline.rules.of_queries(asked.queries, items, catalog, asked.terms.exclude)[0]
    assert rules[-1].remaining == allowed.sum()
    assert all(one.passed for one in rules) == allowed[asked.item]
    assert all(one.detail for one in found.stages)
    if told["combined"].passed:
        assert allowed[asked.item]
        assert any(one.passed for one in found.stages if one.name.startswith("retriever "))


@pytest.mark.parametrize(
    ("rules", "changed", "stage", "verdict"),
    [
        ({}, {}, "seen", "not shown: ann bought it on 30 January 1970 (rules.seen = drop)"),
        ({"seen_types": ("purchase",)}, {}, "seen", "not shown: ann bought it on 30 January 1970 (rules.seen = drop)"),
        ({"where": "price > 3"}, {}, "rules.where", "not shown: rules.where does not hold for it: price > 3"),
        ({"seen": "keep"}, {"where": ("price > 3",)}, "where", "not shown: where does not hold for it: price > 3"),
        ({"seen": "keep"}, {"exclude": np.array([1], np.int32)}, "exclude", "not shown: the request excludes it"),
    ],
)
def test_the_first_rule_that_stops_an_item_is_the_verdict(rules, changed, stage, verdict):
    queries = past("a-00", "a-01", "a-02", kinds=("view", "purchase", "view"))
    found = why(Asked(pipeline("knn", rules=Rules(**rules)), queries, index("a-01"), 5, Terms(**changed), person="ann"))
    assert found.verdict == verdict
    assert next(one.name for one in found.stages if not one.passed) == stage


def test_a_cap_that_keeps_an_item_out_is_the_verdict():
    asked, queries = pipeline("popularity"), past("b-00")
    order = asked.recommend(queries, 12).items[0]
    of_a = [one for one in order.tolist() if one in set(index_of_a())]
    found = why(Asked(asked, queries, of_a[2], 3, Terms(caps=(("category", 2),))))
    assert found.verdict == "not shown: after caps, it is not in the list of 3"
    assert not stages(found)["list"].passed


def test_an_item_that_is_unavailable_or_not_yet_there_is_said_to_be():
    asked = Asked(pipeline("knn", catalog=Catalog(FRAME)), past("a-01"), index("a-04"), 5)
    assert why(asked).verdict == "not shown: the catalogue says that it is not available"
    late = replace(asked, item=index("b-04"), queries=past("b-01"))
    assert why(late).verdict == "not shown: it exists from 5 February 1970 on, after the moment of asking"
    never = Catalog(FRAME.with_columns(created_at=pl.lit(2**62)))
    assert "from 31 December 9999 on" in why(replace(late, pipeline=pipeline("knn", catalog=never))).verdict
    free = replace(late, pipeline=replace(asked.pipeline, rules=Rules(available=False)))
    assert why(free).rank is not None


def test_an_unknown_item_stops_at_once():
    found = why(Asked(pipeline("knn"), past("a-01"), -1, 5))
    assert found.rank is None
    missing = "this release does not know the item: check the id, or train again after it was added"
    assert found.stages == (Stage("known", False, N, missing),)
    assert found.verdict == f"not shown: {missing}"


def test_a_shown_item_has_its_rank_in_each_retriever_and_in_the_list():
    asked = pipeline("knn", "popularity")
    queries = past("a-01")
    item = int(asked.recommend(queries, 5).items[0, 2])
    told = stages(found := why(Asked(asked, queries, item, 5)))
    assert found.rank == 3
    scores = MODELS["knn"].score(queries)[0]
    higher = (scores > scores[item]).sum()
    assert f"knn puts it at rank {higher + 1} of " in told["retriever knn"].detail
    assert told["combined"].detail.startswith(f"rank 3 of {told['combined'].remaining} candidates")
    assert told["list"].detail == "rank 3 of 5"
    assert "fallback" not in told


def test_an_item_below_the_end_of_the_list_is_told_what_it_would_take():
    asked, queries = pipeline("popularity"), past("a-01")
    order = asked.recommend(queries, 12)
    item, least = int(order.items[0, 7]), order.scores[0, 2]
    found = why(Asked(asked, queries, item, 3))
    needed = f"it would need a score above {least:.4g}"
    assert found.verdict == f"not shown: it is at rank 8 and the list has 3 places: {needed}"


def test_an_item_beyond_the_pool_is_told_its_rank_and_how_many_are_proposed():
    asked, queries = pipeline("popularity", pool=2), past("a-01")
    item = int(pipeline("popularity").recommend(queries, 12).items[0, 7])
    found = why(Asked(asked, queries, item, 1))
    assert found.verdict.startswith("not shown: no retriever proposes it: popularity puts it at rank 8 of 11 ")
    assert found.verdict.endswith("and proposes the best 2")


def test_an_item_that_only_the_fallback_knows_is_shown_by_it_or_too_far_down():
    asked, queries = pipeline("knn"), past("a-01")
    whole = asked.recommend(queries, 11)
    fills = int(np.flatnonzero(whole.origins[0] == 1)[0])
    shown = why(Asked(asked, queries, int(whole.items[0, fills]), 11))
    assert shown.verdict == f"shown at rank {fills + 1}: found by fallback"
    assert stages(shown)["fallback"].passed
    assert not stages(shown)["combined"].passed
    beyond = why(Asked(asked, queries, int(whole.items[0, 10]), fills + 1))
    assert stages(beyond)["fallback"] == Stage(
        "fallback", False, 1, "what everybody likes fills the places that are left (1): it is not there"
    )
    assert beyond.verdict.startswith("not shown: no retriever proposes it: knn has no opinion: ")


def test_silence_has_its_reason():
    log = [("u1", "x", 0.0), ("u1", "y", 1.0), ("u2", "alone", 2.0)]
    data = dataset(log, items=pl.DataFrame({"item_id": ["untouched", "x"]}))
    models = {"knn": ItemKNN(), "ease": EASE(), "topics": NMF(dimensions=1), "popularity": Popularity()}
    fitted = {name: model.fit(data) for name, model in models.items()}
    asked = Pipeline(fitted, data.catalog, Popularity().fit(data))

    def reasons(item, *history):
        found = why(Asked(asked, past(*history, data=data), index(item, data), 1))
        return {one.name.split()[1]: one.detail.partition("has no opinion: ")[2] for one in found.stages[7:11]}

    nothing = "training knew nothing of the item"
    assert reasons("untouched", "x") == {
        "knn": "the item is a neighbour of no other",
        "ease": nothing,
        "topics": nothing,
        "popularity": "the model does not say why",
    }
    assert reasons("y") == dict.fromkeys(["knn", "ease", "topics"], "the history is empty") | {"popularity": ""}
    assert reasons("y", "alone")["knn"] == "the item is a neighbour of others (1), none of which is in the history"
    assert reasons("y", "untouched")["ease"] == "training knew no item of the history"


def test_more_stages_can_be_added():
    def lucky(asked):
        return [Stage("lucky", asked.item % 2 == 1, 6, "it has bad luck")]

    asked = Asked(pipeline("knn"), past("a-01"), index("a-00"), 1)
    found = why(asked, [STEPS[0], lucky, *STEPS[1:]])
    assert found.stages[1].name == "lucky"


def test_what_no_request_may_ask_is_refused():
    asked = Asked(pipeline("knn"), past("a-01"), index("a-00"), 0)
    with pytest.raises(ConfigError, match="k must be"):
        why(asked)
    with pytest.raises(ExpressionError):
        why(replace(asked, k=3, terms=Terms(where=("price <",))))
