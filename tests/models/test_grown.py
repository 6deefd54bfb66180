"""A release goes on answering when the catalogue grows, and a new item with a description is found at once."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from tests.models.test_laws import MAKERS
from zhiyin.compute.kernels import top_k
from zhiyin.compute.threads import threads
from zhiyin.data.catalog import Catalog
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.content import Content
from zhiyin.models.grown import grown
from zhiyin.testing import small_world, some_queries

NEW = 3


@pytest.fixture(autouse=True)
def _one_thread():
    threads(1)
    yield
    threads(None)


def larger(world, title: str | None = None) -> Catalog:
    rows = pl.DataFrame({"item_id": [f"new {i}" for i in range(NEW)], "title": [title] * NEW})
    return Catalog(pl.concat([world.catalog.frame, rows], how="diagonal_relaxed"))


def with_new_items(queries: Queries, n: int) -> Queries:
    """The same people, who have also done something with the first new item, last of all."""
    past = queries.histories
    ends = past.offsets[1:]
    histories = Histories(
        past.offsets + np.arange(len(past) + 1),
        np.insert(past.items, ends, n),
        np.insert(past.times, ends, queries.times - 1),
        np.insert(past.weights, ends, 1),
        np.insert(past.values, ends, np.nan),
        np.insert(past.kinds, ends, 0),
        past.kind_names,
    )
    return dataclasses.replace(queries, histories=histories)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: repr(make()))
def test_a_new_item_of_which_nothing_is_known_changes_no_opinion(make):
    world = small_world()
    n, queries = len(world.items), some_queries(world)
    model = make().fit(world)
    before = model.score(queries)
    wider = grown(model, larger(world), n)
    scores = wider.score(queries)
    assert scores.shape == (len(queries), n + NEW)
    np.testing.assert_array_equal(scores[:, :n], before)
    assert np.isnan(scores[:, n:]).all()
    np.testing.assert_array_equal(wider.score(with_new_items(queries, n))[:, :n], before)
    asked = np.array([n, 2, -1, n + NEW - 1, 5], np.int32)
    some = wider.score(queries, asked)
    np.testing.assert_array_equal(np.isnan(some[:, [0, 2, 3]]), True)
    np.testing.assert_allclose(some[:, [1, 4]], before[:, [2, 5]], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.score(queries), before)  # the old one stays as it is


def test_a_described_item_is_found_by_content_before_anybody_has_touched_it():
    world = small_world()
    n = len(world.items)
    wider = grown(Content().fit(world), larger(world, "blue red mug"), n)
    of_mugs = Queries.of(Histories.of([[0, 3, 6]]), now=10**15)
    scores = wider.score(of_mugs)[0]
    lamps = np.arange(2, n, 3)
    assert scores[n] > scores[lamps].max()
    after_it = wider.score(Queries.of(Histories.of([[n]]), now=10**15))[0]  # and it speaks in a history
    mugs = np.arange(0, n, 3)
    assert np.nanmean(after_it[mugs]) > np.nanmean(after_it[lamps])


def test_a_model_of_any_shape_learns_the_grown_catalogue_when_it_is_trained_again():
    world = small_world()
    narrow = grown(Plain().fit(world), larger(world), len(world.items))
    assert narrow.score(some_queries(world)).shape == (12, len(world.items) + NEW)
    assert narrow.fit(world).score(some_queries(world)).shape == (12, len(world.items))


@dataclasses.dataclass
class Plain:
    """Everybody's count of each item."""

    counts_: np.ndarray = dataclasses.field(init=False)

    def fit(self, data):
        self.counts_ = data.interactions.item_counts.astype(np.float32)
        return self

    def score(self, queries, items=None):
        scores = np.tile(self.counts_, (len(queries), 1))
        return scores if items is None else np.where(items < 0, np.nan, scores[:, items])


@pytest.mark.parametrize("asked_before", [True, False])
def test_a_larger_catalogue_is_searched_as_it_would_be_scored(asked_before):
    world = small_world()
    n, past = len(world.items), Queries.of(Histories.of([[0, 3, 6], [], [1]]), now=10**15)
    model = Content().fit(world)
    allowed = np.ones((3, n + NEW), bool)
    if asked_before:
        model.reading(past).best(4, allowed[:, :n])
        model.alike(np.array([0], np.int32)).best(4, allowed[:1, :n])
    once = grown(model, larger(world, "blue red mug"), n)
    often = once
    for _ in range(10):
        often = grown(often, larger(world, "blue red mug"), n + NEW)
    for wider in (once, often):
        found, best = wider.reading(past).best(n + NEW, allowed)
        expected, scores = top_k(wider.score(past), n + NEW, allowed)
        np.testing.assert_allclose(best, scores, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(np.isin(n, found[0]), True)
        np.testing.assert_array_equal(found < 0, expected < 0)
        others = np.arange(n + NEW) != 0
        alike = wider.alike(np.array([0], np.int32)).best(5, others[None])[1]
        np.testing.assert_allclose(
            alike, top_k(wider.similar(np.array([0], np.int32)), 5, others[None])[1], rtol=1e-5, atol=1e-6
        )
