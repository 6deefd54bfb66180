"""The filters against dense algebra, written as in their paper."""

import numpy as np
import pytest

from zhiyin.errors import ConfigError
from zhiyin.models.chebyshev_filter import ChebyshevFilter
from zhiyin.models.graph_filter import GraphFilter
from zhiyin.models.low_pass import LowPass
from zhiyin.testing import small_world, some_queries


@pytest.fixture(scope="module")
def data():
    return small_world(seed=7)


@pytest.fixture(scope="module")
def touched(data):
    return data.interactions.item_counts > 0


@pytest.fixture(scope="module")
def x(data, touched):
    """float64[users, c]: the weight of the strongest event."""
    log = data.interactions
    matrix = np.zeros((log.n_users, log.n_items))
    np.maximum.at(matrix, (log.users, log.items), log.weights)
    return matrix[:, touched]


def low_pass(x, dimensions, exponents, sharpness):
    user, item, into, out = exponents
    degrees, activity = (x > 0.0).sum(axis=0) * 1.0, (x > 0.0).sum(axis=1) * 1.0
    _, values, rows = np.linalg.svd(activity[:, None] ** -user * x * degrees**-item, full_matrices=False)
    v, s = rows[:dimensions].T, values[:dimensions] ** 2
    return np.diag(degrees**-into) @ v @ np.diag(s**sharpness) @ v.T @ np.diag(degrees**out)


@pytest.mark.parametrize("sharpness", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("exponents", [(0.5, 0.5, 0.5, 0.5), (0.3, 0.4, 0.6, 0.1)])
def test_the_low_pass_filter_keeps_the_strongest_directions(data, touched, x, exponents, sharpness):
    names = ("user_exponent", "item_exponent", "in_exponent", "out_exponent")
    model = LowPass(
        dimensions=20, sharpness=sharpness, half_life_days=None, **dict(zip(names, exponents, strict=True))
    ).fit(data)
    scores = model.score(some_queries(data))
    expected = x[:12] @ low_pass(x.astype(np.float64), 20, exponents, sharpness)
    np.testing.assert_allclose(scores[:, touched], expected, rtol=2e-2, atol=2e-3)
    assert np.isnan(scores[:, ~touched]).all()


@pytest.mark.parametrize(("user", "into", "out"), [(1.0, 0.5, 0.5), (0.7, 0.8, 0.1)])
def test_the_linear_filter_is_a_degree_normalised_gram_matrix(data, touched, x, user, into, out):
    degrees, activity = (x > 0.0).sum(axis=0) * 1.0, (x > 0.0).sum(axis=1) * 1.0
    gram = np.diag(degrees**-into) @ x.T @ np.diag(activity**-user) @ x @ np.diag(degrees**-out)
    np.fill_diagonal(gram, 0)
    model = GraphFilter(user_exponent=user, in_exponent=into, out_exponent=out, low_pass=0, half_life_days=None).fit(
        data
    )
    scores = model.score(some_queries(data))[:, touched]
    np.testing.assert_allclose(np.nan_to_num(scores), x[:12] @ gram / np.linalg.norm(gram), rtol=1e-4, atol=1e-6)


def test_both_filters_are_scaled_alike_and_added_up(data, touched, x):
    settings = {"dimensions": 20, "sharpness": 0.5, "half_life_days": None}
    far = low_pass(x.astype(np.float64), 20, (0.5, 0.4, 0.4, 0.2), 0.5)
    near = GraphFilter(low_pass=0, half_life_days=None).fit(data).score(some_queries(data))[:, touched]
    both = GraphFilter(low_pass=2, **settings).fit(data).score(some_queries(data))[:, touched]
    expected = np.nan_to_num(near) + 2 * x[:12] @ far / np.linalg.norm(far)
    np.testing.assert_allclose(both, expected, rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize(("order", "flatness"), [(1, 1.0), (3, 3.0), (8, 4.0)])
def test_the_chebyshev_filter_is_its_polynomial_of_the_eigenvalues(data, touched, x, order, flatness, monkeypatch):
    monkeypatch.setattr("zhiyin.models.chebyshev_filter._BLOCK", 200)  # few queries at a time
    degrees, activity = (x > 0.0).sum(axis=0) * 1.0, (x > 0.0).sum(axis=1) * 1.0
    r = activity[:, None] ** -0.5 * x * degrees**-0.3
    values, vectors = np.linalg.eigh(r.T @ r)
    model = ChebyshevFilter(
        order=order, flatness=flatness, item_exponent=0.3, in_exponent=0.6, out_exponent=0.1, half_life_days=None
    ).fit(data)
    shape = np.polynomial.chebyshev.chebval(2 * values / values.max() - 1, model.coefficients())
    kernel = np.diag(degrees**-0.6) @ vectors @ np.diag(shape) @ vectors.T @ np.diag(degrees**0.1)
    scores = model.score(some_queries(data))
    np.testing.assert_allclose(scores[:, touched], x[:12] @ kernel, rtol=1e-2, atol=1e-3)
    assert np.isnan(scores[:, ~touched]).all()


def test_a_long_series_follows_the_plateau():
    z = np.linspace(-1, 1, 50)
    found = np.polynomial.chebyshev.chebval(z, ChebyshevFilter(order=60, flatness=3).coefficients())
    np.testing.assert_allclose(found, (1 + np.sign(z) * np.abs(z) ** 3) / 2, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: LowPass(dimensions=0), "LowPass.dimensions must be >= 1, got 0"),
        (lambda: LowPass(sharpness=-1), "LowPass.sharpness must be from 0 to 4, got -1"),
        (lambda: LowPass(in_exponent=9), "LowPass.in_exponent must be from -2 to 2, got 9"),
        (lambda: LowPass(half_life_days=0), "LowPass.half_life_days must be > 0, got 0"),
        (lambda: ChebyshevFilter(order=0), "ChebyshevFilter.order must be >= 1, got 0"),
        (lambda: ChebyshevFilter(flatness=0), "ChebyshevFilter.flatness must be > 0, got 0"),
        (lambda: GraphFilter(neighbours=0), "GraphFilter.neighbours must be >= 1, got 0"),
        (lambda: GraphFilter(low_pass=-1), "GraphFilter.low_pass must be >= 0, got -1"),
        (lambda: GraphFilter(out_exponent=3), "GraphFilter.out_exponent must be from -2 to 2, got 3"),
    ],
)
def test_a_hyper_parameter_out_of_bounds_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value).startswith(sentence)
