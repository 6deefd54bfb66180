"""Regressions of items on items, against slow and obvious ones."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import nnls

from worlds import dense_interest
from zhiyin.data.interactions import Interactions
from zhiyin.errors import ConfigError
from zhiyin.models.ease import EASE
from zhiyin.models.slim import SLIM
from zhiyin.models.sparse_ease import SparseEASE
from zhiyin.testing import small_world, some_queries


@pytest.fixture(scope="module")
def data():
    return small_world(seed=7)


@pytest.fixture(scope="module")
def x(data):
    """float64[users, c]: of the items that somebody touched."""
    return dense_interest(data)[:, data.interactions.item_counts > 0]


def slow(x, item, others, penalties, l1):
    """Non-negative least squares of |y - Aw|² + Σ p w² + 2 l1 Σ w, as plain least squares of more rows."""
    a, y = x[:, others], x[:, item]
    square = a.T @ a + np.diag(penalties[others])
    root = np.linalg.cholesky(square).T
    return nnls(root, np.linalg.solve(root.T, a.T @ y - l1))[0]


@pytest.mark.parametrize("l1", [0.0, 0.05])
@pytest.mark.parametrize(("user_exponent", "l2_exponent"), [(0.0, 0.0), (1.0, 0.5)])
@pytest.mark.parametrize("neighbours", [5, 1000])
def test_slim_solves_each_neighbourhood(data, x, neighbours, user_exponent, l2_exponent, l1):
    degrees, activity = (x > 0).sum(axis=0), (x > 0).sum(axis=1)
    people = x * activity[:, None] ** (-user_exponent / 2)
    strength = (people**2).sum(axis=0).mean()
    penalties = 2.0 * strength * degrees**l2_exponent / (degrees**l2_exponent).mean()
    norms = np.linalg.norm(people, axis=0)
    cosines = np.float32(people.T @ people / np.outer(norms, norms))
    np.fill_diagonal(cosines, 0)
    model = SLIM(l2=2.0, l1=l1, neighbours=neighbours, user_exponent=user_exponent, l2_exponent=l2_exponent).fit(data)
    found = model.weights_.toarray()
    assert (found >= 0).all()
    for item, alike in enumerate(cosines):
        others = np.flatnonzero(found[:, item]) if neighbours == 5 else np.flatnonzero(alike > 0)
        assert len(others) <= neighbours
        least = np.sort(alike)[::-1][min(neighbours, len(alike)) - 1]
        assert (alike[others] >= least - 1e-6).all()
        if neighbours == 5 and np.sort(alike)[-6] == least:
            continue  # ties may fall either way
        if neighbours == 5:
            others = np.argsort(-alike, kind="stable")[:5]
        expected = slow(people, item, others, penalties, l1 * strength)
        np.testing.assert_allclose(found[others, item], expected, rtol=1e-2, atol=1e-3)


def test_sparse_ease_with_all_neighbours_is_ease(data):
    busy = replace(data, interactions=dense_log(np.random.default_rng(0), users=200, n=len(data.items)))
    exact = EASE(l2=20).fit(busy)
    sparse = SparseEASE(l2=20, neighbours=1000, memory_gb=1e-9).fit(busy)
    np.testing.assert_allclose(sparse.weights_.toarray(), exact.weights_, atol=1e-3)
    np.testing.assert_array_equal(SparseEASE(l2=20).fit(busy).weights_, exact.weights_)


def test_sparse_ease_is_near_ease_where_most_items_never_met(data):
    exact, sparse = EASE(l2=5).fit(data), SparseEASE(l2=5, neighbours=10, memory_gb=1e-9).fit(data)
    found, expected = (np.nan_to_num(one.score(some_queries(data))) for one in (sparse, exact))
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9


def dense_log(rng, users, n):
    """Everybody chose about half of the items, so that each two items met."""
    people, items = np.nonzero(rng.random((users, n)) < 0.5)
    return Interactions.of(people, items, np.arange(len(items)), n_users=users, n_items=n)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SLIM(neighbours=0), "SLIM.neighbours must be >= 1, got 0"),
        (lambda: SLIM(l1=-1), "SLIM.l1 must be >= 0, got -1"),
        (lambda: SLIM(l2=0), "SLIM.l2 must be > 0, got 0"),
        (lambda: SLIM(user_exponent=7), "SLIM.user_exponent must be from -2 to 2, got 7"),
        (lambda: SparseEASE(l2=0), "SparseEASE.l2 must be > 0, got 0"),
        (lambda: SparseEASE(neighbours=0), "SparseEASE.neighbours must be >= 1, got 0"),
        (lambda: SparseEASE(memory_gb=0), "SparseEASE.memory_gb must be > 0, got 0"),
    ],
)
def test_a_hyper_parameter_out_of_bounds_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value).startswith(sentence)
