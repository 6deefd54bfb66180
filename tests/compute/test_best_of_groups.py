"""The best inner products by groups of similar direction against scoring everything and sorting."""

import numpy as np
import pytest
from hypothesis import given, settings

from vectors import searches
from zhiyin.compute.best_of_groups import best_of_groups
from zhiyin.compute.grouped import grouped_directions, grouped_of
from zhiyin.compute.groups import centres_of, nearest_of
from zhiyin.compute.kernels import top_k

PLAIN = np.empty(0, np.float32)


@settings(deadline=None, max_examples=40)
@given(searches())
def test_what_scoring_everything_finds_is_found_with_ties_ignorance_and_rules(asked):
    vectors, items, allowed, k = asked
    found, scores = best_of_groups(vectors, grouped_of(items), items, PLAIN, k, allowed)
    expected, best = top_k(vectors @ items.T, k, allowed)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(scores, best)


def clustered(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Vectors of length 1 around forty directions."""
    tastes = rng.standard_normal((40, d))
    vectors = tastes[rng.integers(0, 40, n)] + 0.4 * rng.standard_normal((n, d))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("d", [16, 100, 300])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.01])  # of the items that are allowed
def test_the_best_of_many_directions_are_those_of_scoring_everything(d, share):
    rng = np.random.default_rng(0)
    items = clustered(6_000, d, rng)
    vectors = items[:12] * np.logspace(-3, 3, 12).astype(np.float32)[:, None]
    vectors[6:] *= -1  # away from every group
    allowed = rng.random((12, 6_000)) < share
    found, scores = best_of_groups(vectors, grouped_of(items), items, PLAIN, 20, allowed)
    expected, best = top_k(vectors @ items.T, 20, allowed)
    np.testing.assert_allclose(scores, best, rtol=1e-4)
    assert (found == expected).mean() > 0.99


@pytest.mark.parametrize("size", [1e-42, 1e-30, 1e18])
def test_vectors_of_any_size_are_sorted_by_their_products(size):
    rng = np.random.default_rng(1)
    items = (rng.standard_normal((600, 8)) * size).astype(np.float32)
    vectors = rng.standard_normal((3, 8), np.float32)
    found, scores = best_of_groups(vectors, grouped_of(items), items, PLAIN, 20, np.ones((3, 600), bool))
    products = vectors @ items.T
    np.testing.assert_allclose(scores, np.sort(products)[:, ::-1][:, :20], rtol=1e-3, atol=1e-44)
    np.testing.assert_allclose(np.take_along_axis(products, found, 1), scores, rtol=1e-3, atol=1e-44)


def test_directions_are_sorted_by_cosine_and_an_empty_vector_has_none():
    rng = np.random.default_rng(2)
    items = clustered(700, 70, rng) * rng.uniform(0.5, 2, (700, 1)).astype(np.float32)
    items[5], items[6] = 0.0, np.nan
    lengths = np.linalg.norm(items, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scales = np.where(lengths > 0, 1 / lengths, np.nan).astype(np.float32)
        cosines = items[:4] @ items.T * scales
    allowed = rng.random((4, 700)) < 0.7
    found, scores = best_of_groups(items[:4], grouped_directions(grouped_of(items), scales), items, scales, 50, allowed)
    expected, best = top_k(cosines, 50, allowed)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(scores, best, rtol=1e-5)


def test_every_taste_has_a_group_of_its_own():
    rng = np.random.default_rng(3)
    items = clustered(6_000, 100, rng)
    everything = np.arange(6_000, dtype=np.int32)
    centres = centres_of(items, np.ones(6_000), everything)
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1, rtol=1e-5)
    nearest, along = nearest_of(items, everything, centres)
    np.testing.assert_allclose(along, (items @ centres.T).max(axis=1), rtol=1e-5)
    spread = np.full((6_000, 100), 1 / 10, np.float32) * rng.choice([-1, 1], (6_000, 100)).astype(np.float32)
    alone = nearest_of(spread, everything, centres_of(spread, np.ones(6_000), everything))[1]
    assert along.mean() > alone.mean() + 0.2  # tastes are found where there are some
    assert len(np.unique(nearest)) >= 40
    np.testing.assert_array_equal(centres, centres_of(items, np.ones(6_000), everything))
