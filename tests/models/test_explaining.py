"""What each event adds to a score adds up to the score, for every model that says so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from models.test_laws import MAKERS
from zhiyin.compute.threads import threads
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.features.interest import MOST_EXPLAINED
from zhiyin.models.ease import EASE
from zhiyin.models.ials import IALS
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.recommender import Explains
from zhiyin.testing import small_world, some_queries
from zhiyin.types import MICROSECONDS_PER_DAY

EXPLAINING = [make for make in MAKERS if isinstance(make(), Explains)]
WORLD = small_world()
TOLERANCE = {IALS: 1e-3}  # of the largest score: its fold-in stops short of the optimum that is explained


@pytest.fixture(autouse=True)
def _one_thread():
    """Starting threads takes longer than these worlds."""
    threads(1)
    yield
    threads(None)


def all_items(rows):
    items = np.tile(np.arange(len(WORLD.items), dtype=np.int32), (rows, 1))
    items[:, 4] = -1
    return items


def test_the_talent_is_that_of_the_models_that_are_linear_in_the_history():
    assert {type(make()).__name__ for make in EXPLAINING} == {
        "AssociationRules", "CoVisitation", "Content", "EASE", "GraphFilter", "IALS", "ItemKNN", "LightGCN", "LowPass",
        "SLIM", "SparseEASE",
    }  # fmt: skip


@pytest.mark.parametrize("make", EXPLAINING, ids=lambda make: repr(make()))
def test_what_events_add_sums_to_the_score_and_no_opinion_is_nan_throughout(make):
    model, queries = make().fit(WORLD), some_queries(WORLD)
    items = all_items(len(queries))
    scores, added = model.score(queries, items), model.explain(queries, items)
    assert added.dtype == np.float32
    assert added.shape == (*items.shape, queries.histories.lengths.max())
    silent = np.isnan(added).all(axis=2)
    np.testing.assert_array_equal(silent, np.isnan(scores))
    largest = np.nanmax(np.abs(scores))
    np.testing.assert_allclose(
        np.nansum(added, axis=2)[~silent], scores[~silent], atol=TOLERANCE.get(type(model), 1e-5) * largest
    )


@pytest.mark.parametrize("make", EXPLAINING, ids=lambda make: repr(make()))
def test_padding_and_unknown_events_say_nothing_and_a_row_is_explained_as_in_a_batch(make):
    model = make().fit(WORLD)
    queries = Queries.of(Histories.of([[0, -1, 3, 0], [6], []]), now=10 * MICROSECONDS_PER_DAY)
    items = all_items(3)
    added = model.explain(queries, items)
    assert np.isnan(added[0][:, [0, 1]]).all()  # the first event with item 0 is outdone by its repeat
    assert np.isnan(added[1][:, :3]).all()
    assert np.isnan(added[2]).all()
    assert not np.isnan(added[0]).all()
    for row in range(3):
        alone = model.explain(queries[row : row + 1], items[row : row + 1])[0]
        wide = added[row][:, 4 - alone.shape[1] :]
        np.testing.assert_allclose(alone, wide, rtol=1e-4, atol=1e-6)


@st.composite
def pasts(draw):
    """Long, with repeats, unknown items, equal times and different weights."""
    length = draw(st.integers(0, 70))
    items = draw(st.lists(st.integers(-1, 29), min_size=length, max_size=length))
    hours = np.cumsum(draw(st.lists(st.integers(0, 100), min_size=length, max_size=length)))
    weights = draw(st.lists(st.sampled_from([0.0, 0.2, 1.0]), min_size=length, max_size=length))
    past = Histories.of([items])
    times = np.asarray(hours, np.int64) * 3_600_000_000
    return Histories(past.offsets, past.items, times, np.array(weights, np.float32), past.values, past.kinds)


def slow_contributions(model, past, items):
    """float64[m, t], an event at a time."""
    dense = model.weights_.toarray() if isinstance(model.weights_, csr_array) else model.weights_
    known = [e for e in range(len(past.items)) if past.items[e] >= 0 and past.weights[e] > 0]
    known = [e for e in known if model.places_[past.items[e]] >= 0]
    newest = max((past.times[e] for e in known), default=0)
    days = {e: (newest - past.times[e]) / MICROSECONDS_PER_DAY for e in known}
    voice = {e: np.float32(past.weights[e] * 0.5 ** min(days[e] / model.half_life_days, 60)) for e in known}
    t = min(len(past.items), MOST_EXPLAINED)
    added = np.full((len(items), t), np.nan)
    for e in known:
        rivals = [other for other in known if past.items[other] == past.items[e]]
        if e != max(rivals, key=lambda other: (voice[other], other)) or e < len(past.items) - t:
            continue
        for place, item in enumerate(items):
            weight = dense[model.places_[past.items[e]], model.places_[item]] if model.places_[item] >= 0 else 0
            spoken = not isinstance(model.weights_, csr_array) and model.places_[item] >= 0
            if weight or spoken:
                added[place, e - (len(past.items) - t)] = voice[e] * weight
    return added


KNN, DENSE = ItemKNN(neighbours=6, half_life_days=2).fit(WORLD), EASE(l2=5, half_life_days=30).fit(WORLD)


@settings(max_examples=60, deadline=None)
@given(pasts(), st.sampled_from([KNN, DENSE]))
def test_item_to_item_is_explained_as_by_its_slow_twin(past, model):
    items = np.arange(30, dtype=np.int32)
    found = model.explain(Queries.of(past, now=0), items[None, :])[0]
    np.testing.assert_allclose(found, slow_contributions(model, past, items), rtol=1e-4, atol=1e-7)
