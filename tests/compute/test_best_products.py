"""The best inner products against scoring everything and sorting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.compute import best_products as module
from zhiyin.compute.best_products import best_products, tiles_of
from zhiyin.compute.kernels import top_k


def found_and_expected(vectors, items, k, allowed):
    found = best_products(vectors, tiles_of(items), k, lambda rows: allowed[rows])
    return found, top_k(vectors @ items.T, k, allowed)


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 10**6),
    b=st.integers(0, 90),
    n=st.integers(1, 60),
    d=st.integers(1, 5),
    k=st.integers(0, 70),
    width=st.integers(1, 20),
)
def test_what_scoring_everything_finds_is_found_with_ties_ignorance_and_rules(seed, b, n, d, k, width):
    rng = np.random.default_rng(seed)
    vectors, items = (rng.integers(-2, 3, (rows, d)).astype(np.float32) for rows in (b, n))  # sums without rounding
    vectors[rng.random(b) < 0.1] = np.nan
    items[rng.random(n) < 0.2] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_WIDTH", width)
        patch.setattr(module, "_ROWS", 1 + width // 2)
        found, expected = found_and_expected(vectors, items, k, rng.random((b, n)) < 0.8)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("k", [10, 100, 700])
def test_long_lists_of_unequal_vectors_are_those_of_scoring_everything(k):
    rng = np.random.default_rng(0)
    vectors, items = rng.standard_normal((130, 16), np.float32), rng.standard_normal((5_000, 16), np.float32)
    items *= rng.pareto(2.0, (5_000, 1)).astype(np.float32)  # a few long ones: most tiles are never looked at
    found, expected = found_and_expected(vectors, items, k, rng.random((130, 5_000)) < 0.5)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5)
    assert (found[0] == expected[0]).mean() > 0.999


def test_infinite_and_empty_vectors_are_sorted_like_any_other():
    vectors = np.array([[1.0, 0.0], [0.0, 0.0], [-1.0, 1.0]], np.float32)
    items = np.array([[1.0, 1.0], [np.inf, 2.0], [-np.inf, 3.0], [0.0, 0.0]], np.float32)
    with np.errstate(invalid="ignore"):  # zero times infinity
        found, expected = found_and_expected(vectors, items, 3, np.ones((3, 4), bool))
    np.testing.assert_array_equal(found[0], expected[0])
    assert expected[0].tolist() == [[1, 0, 3], [0, 3, -1], [2, 0, 3]]


def test_a_catalogue_of_which_nothing_is_known_gives_empty_lists():
    found, scores = best_products(
        np.ones((3, 2), np.float32), tiles_of(np.full((4, 2), np.nan, np.float32)), 2, lambda _: np.ones((3, 4), bool)
    )
    assert (found == -1).all()
    assert np.isneginf(scores).all()
