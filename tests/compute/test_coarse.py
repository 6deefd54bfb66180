"""The best inner products of few vectors against scoring everything and sorting."""

import numpy as np
import pytest
from hypothesis import given, settings

from vectors import searches
from zhiyin.compute.coarse import best_of_few, coarse_of, directions_of
from zhiyin.compute.kernels import top_k

PLAIN = np.empty(0, np.float32)


@settings(deadline=None, max_examples=60)
@given(searches(fewest=1, most=700))
def test_what_scoring_everything_finds_is_found_with_ties_ignorance_and_rules(asked):
    vectors, items, allowed, k = asked
    coarse = coarse_of(items)
    assert coarse is not None
    found, scores = best_of_few(vectors, coarse, items, PLAIN, k, allowed)
    expected, best = top_k(vectors @ items.T, k, allowed)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(scores, best)


@pytest.mark.parametrize("d", [16, 100, 300])
@pytest.mark.parametrize("tail", [2.0, 50.0])  # a few long vectors; all alike
def test_the_best_of_unequal_vectors_are_those_of_scoring_everything(d, tail):
    rng = np.random.default_rng(0)
    vectors, items = rng.standard_normal((12, d), np.float32), rng.standard_normal((4_000, d), np.float32)
    items *= rng.pareto(tail, (4_000, 1)).astype(np.float32)
    items[:, d // 2 :] *= np.float32(0.1)  # which the first dimensions nearly decide
    coarse = coarse_of(items)
    assert coarse is not None
    allowed = rng.random((12, 4_000)) < 0.5
    found, scores = best_of_few(vectors, coarse, items, PLAIN, 100, allowed)
    expected, best = top_k(vectors @ items.T, 100, allowed)
    np.testing.assert_allclose(scores, best, rtol=1e-4)
    assert (found == expected).mean() > 0.999


@pytest.mark.parametrize("size", [1e-42, 1e-30, 1e18])
def test_vectors_of_any_size_are_sorted_by_their_products(size):
    rng = np.random.default_rng(1)
    items = (rng.standard_normal((600, 8)) * size).astype(np.float32)
    vectors = rng.standard_normal((3, 8), np.float32)
    coarse = coarse_of(items)
    assert coarse is not None
    found, scores = best_of_few(vectors, coarse, items, PLAIN, 20, np.ones((3, 600), bool))
    products = vectors @ items.T
    np.testing.assert_allclose(scores, np.sort(products)[:, ::-1][:, :20], rtol=1e-3, atol=1e-44)
    np.testing.assert_allclose(np.take_along_axis(products, found, 1), scores, rtol=1e-3, atol=1e-44)


def test_infinite_vectors_have_no_codes():
    items = np.array([[1.0, 1.0], [np.inf, 2.0]], np.float32)
    assert coarse_of(items) is None


def test_a_catalogue_of_which_nothing_is_known_gives_empty_lists():
    items = np.full((4, 2), np.nan, np.float32)
    coarse = coarse_of(items)
    assert coarse is not None
    found, scores = best_of_few(np.ones((3, 2), np.float32), coarse, items, PLAIN, 2, np.ones((3, 4), bool))
    assert (found == -1).all()
    assert np.isneginf(scores).all()


def test_directions_are_sorted_by_cosine_and_an_empty_vector_has_none():
    rng = np.random.default_rng(2)
    items = rng.standard_normal((700, 70), np.float32) * rng.pareto(2.0, (700, 1)).astype(np.float32)
    items[5], items[6] = 0.0, np.nan
    lengths = np.linalg.norm(items, axis=1)
    coarse = coarse_of(items)
    assert coarse is not None
    with np.errstate(divide="ignore", invalid="ignore"):
        scales = np.where(lengths > 0, 1 / lengths, np.nan).astype(np.float32)
        cosines = items[:4] @ items.T * scales
    allowed = rng.random((4, 700)) < 0.7
    found, scores = best_of_few(items[:4], directions_of(coarse, scales), items, scales, 50, allowed)
    expected, best = top_k(cosines, 50, allowed)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(scores, best, rtol=1e-5)
