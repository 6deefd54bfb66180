import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.evaluation import list_metrics, metrics_slow

N_ITEMS = 9


@st.composite
def padded_lists(draw):
    k = draw(st.integers(1, 6))
    shown = draw(st.lists(st.lists(st.integers(0, N_ITEMS - 1), max_size=k, unique=True), min_size=1, max_size=5))
    return np.array([row + [-1] * (k - len(row)) for row in shown], np.int32)


per_item = st.lists(st.integers(0, 30), min_size=N_ITEMS, max_size=N_ITEMS)


def check(fast, slow):
    np.testing.assert_allclose(fast, np.array(slow, np.float64), rtol=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(padded_lists(), per_item)
def test_novelty_and_average_popularity_equal_their_slow_twins(recommended, touched_by):
    counts = np.array(touched_by)
    check(
        list_metrics.novelty(recommended, counts, 30),
        [metrics_slow.novelty(row, touched_by, 30) for row in recommended.tolist()],
    )
    check(
        list_metrics.average_popularity(recommended, counts),
        [metrics_slow.average_popularity(row, touched_by) for row in recommended.tolist()],
    )


@settings(deadline=None, max_examples=50)
@given(padded_lists(), st.lists(st.integers(-1, 3), min_size=N_ITEMS, max_size=N_ITEMS))
def test_category_diversity_equals_its_slow_twin(recommended, categories):
    fast = list_metrics.category_diversity(recommended, np.array(categories, np.int32))
    check(fast, [metrics_slow.category_diversity(row, categories) for row in recommended.tolist()])


@settings(deadline=None, max_examples=50)
@given(padded_lists(), st.lists(st.tuples(*[st.integers(-3, 3)] * 3), min_size=N_ITEMS, max_size=N_ITEMS))
def test_vector_diversity_equals_its_slow_twin(recommended, vectors):
    fast = list_metrics.vector_diversity(recommended, np.array(vectors, np.float32))
    check(fast, [metrics_slow.vector_diversity(row, vectors) for row in recommended.tolist()])


@settings(deadline=None, max_examples=50)
@given(padded_lists())
def test_gini_and_personalisation_equal_their_slow_twins(recommended):
    shown = list_metrics.exposure(recommended, N_ITEMS)
    assert list_metrics.gini(shown) == pytest.approx(metrics_slow.gini(shown.tolist()), nan_ok=True)
    k = recommended.shape[1]
    slow = metrics_slow.personalisation(recommended.tolist(), k)
    assert list_metrics.personalisation(shown, len(recommended), k) == pytest.approx(slow, nan_ok=True)


def test_everybody_sees_the_same_list():
    recommended = np.tile(np.array([0, 1], np.int32), (4, 1))
    shown = list_metrics.exposure(recommended, 8)
    assert list_metrics.coverage(shown) == 2 / 8
    assert list_metrics.personalisation(shown, 4, 2) == 0.0
    assert list_metrics.gini(shown) == pytest.approx(6 / 8)


def test_everybody_sees_something_else():
    shown = list_metrics.exposure(np.arange(8, dtype=np.int32).reshape(4, 2), 8)
    assert (list_metrics.coverage(shown), list_metrics.gini(shown)) == (1.0, 0.0)
    assert list_metrics.personalisation(shown, 4, 2) == 1.0


def test_novelty_is_bits_and_an_untouched_item_is_as_new_as_one_touched_once():
    recommended = np.array([[0, -1], [1, -1], [2, -1], [-1, -1]], np.int32)
    novelty = list_metrics.novelty(recommended, np.array([16, 4, 0]), 16)
    np.testing.assert_allclose(novelty, [0.0, 2.0, 4.0, math.nan])


def test_an_item_without_a_finite_vector_poisons_nothing():
    vectors = np.array([[1, 0], [0, 1], [np.nan, 0], [0, 0]], np.float32)
    assert list_metrics.vector_diversity(np.array([[0, 1, 2, 3]], np.int32), vectors) == pytest.approx([1.0])
