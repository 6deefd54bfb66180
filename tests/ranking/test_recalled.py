"""What was found before is what would be found now."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from worlds import DAY, two_tastes
from zhiyin.data.catalog import Catalog
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking import recalled
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.terms import Terms
from zhiyin.serving.asking import joined

TASTES = two_tastes()
N, NOW = len(TASTES.items), 31 * DAY
FRAME = TASTES.catalog.frame.with_columns(
    created_at=pl.Series([None if place % 2 else (place + 25) * DAY for place in range(N)], dtype=pl.Int64)
)
MODELS = {"knn": ItemKNN(shrinkage=0, neighbours=3).fit(TASTES), "popularity": Popularity().fit(TASTES)}


@dataclass
class ByTheDay:
    """Another item is the best on each day."""

    asked: int = 0
    rows: int = 0

    def fit(self, _):
        return self

    def score(self, queries, _=None):
        self.asked += 1
        self.rows += len(queries)
        days = queries.times // DAY
        return (-((np.arange(N)[None, :] - days[:, None]) % N)).astype(np.float32)


def pipeline(rules=Rules(), **models):  # noqa: B008 - frozen
    return Pipeline(models or MODELS, Catalog(FRAME), MODELS["popularity"], rules)


def query(items, kinds=(), person=-1, now=NOW, weights=1.0):
    plain = Histories.of([items])
    times = NOW - 10 * DAY - DAY * np.arange(len(items), 0, -1)
    kinds = np.array(kinds or [0] * len(items), np.uint8)
    past = replace(plain, times=times, kinds=kinds, weights=plain.weights * np.float32(weights), kind_names=("a", "b"))
    return Queries.of(past, np.array([person], np.int32), now)


@st.composite
def questions(draw):
    """Few enough to come again, different in each thing that a list depends on."""
    items = draw(st.lists(st.integers(0, 3), max_size=3))
    kinds = draw(st.lists(st.integers(0, 1), min_size=len(items), max_size=len(items)))
    now = draw(st.sampled_from([NOW - 3 * DAY, NOW, NOW + 20 * DAY]))
    asked = query(items, kinds, draw(st.sampled_from([-1, 0])), now, draw(st.sampled_from([0.5, 1.0])))
    terms = Terms(
        where=draw(st.sampled_from([(), ("price < 4",)])),
        exclude=draw(st.sampled_from([None, np.array([0], np.int32)])),
        seen=draw(st.sampled_from([None, "keep"])),
        seen_days=draw(st.sampled_from([None, 12.0])),
        retrievers=draw(st.sampled_from([(), ("knn",)])),
        explore=draw(st.sampled_from([0.0, 0.5])),
        boosts=draw(st.sampled_from([(), (("price < 4", 5.0),)])),
        personal=draw(st.booleans()),
        seeds=(draw(st.integers(0, 1)),),
    )
    return asked, draw(st.sampled_from([2, 5])), terms


REMEMBERING = pipeline(rules=Rules(seen_types=("a",)))


@settings(max_examples=300, deadline=None)
@given(questions())
def test_who_has_asked_before_gets_what_somebody_new_would(asked):
    found, fresh = (one.recommend(*asked) for one in (REMEMBERING, replace(REMEMBERING)))
    np.testing.assert_array_equal(found.items, fresh.items)
    np.testing.assert_array_equal(found.scores, fresh.scores)
    np.testing.assert_array_equal(found.origins, fresh.origins)


@settings(max_examples=100, deadline=None)
@given(st.lists(questions(), min_size=1, max_size=6), st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6))
def test_who_asks_together_gets_what_each_would_alone(asked, seeds):
    _, k, terms = asked[0]
    batch = joined([queries for queries, _, _ in asked])
    found = REMEMBERING.recommend(batch, k, replace(terms, seeds=tuple(seeds[: len(asked)])))
    for row, (queries, _, _) in enumerate(asked):
        alone = pipeline(rules=REMEMBERING.rules).recommend(queries, k, replace(terms, seeds=(seeds[row],)))
        np.testing.assert_array_equal(found.items[row], alone.items[0])
        np.testing.assert_array_equal(found.scores[row], alone.scores[0])
        np.testing.assert_array_equal(found.origins[row], alone.origins[0])


def test_of_those_who_ask_together_only_who_is_new_is_searched_for():
    model = ByTheDay()
    model.timeless = True
    asked = pipeline(model=model)
    asked.recommend(query([1]), 3)
    asked.recommend(joined([query([1]), query([2])]), 3)
    asked.recommend(joined([query([2]), query([1])]), 3)
    assert (model.asked, model.rows) == (2, 2)


def test_a_list_is_searched_for_once():
    model = ByTheDay()
    model.timeless = False
    asked = pipeline(model=model)
    for _ in range(3):
        asked.recommend(query([1]), 3)
    assert model.asked == 1
    asked.recommend(query([1, 2]), 3)
    assert model.asked == 2


def test_a_model_that_looks_at_the_clock_is_asked_at_each_moment():
    asked = pipeline(model=ByTheDay())
    days = [int(asked.recommend(query([], now=NOW + (90 + day) * DAY), 1).items[0, 0]) for day in range(3)]
    assert len(set(days)) == 3


def test_what_is_kept_has_a_bound(monkeypatch):
    monkeypatch.setattr(recalled, "MOST_LISTS", 4)
    asked = pipeline()
    for item in range(4):
        for other in range(4):
            asked.recommend(query([item, other]), 2)
    assert len(asked.recalled) == 4
    asked.recommend(query([0]), recalled.LONGEST + 1)
    assert len(asked.recalled) == 4
