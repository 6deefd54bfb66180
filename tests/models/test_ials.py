"""Implicit alternating least squares against normal equations in plain numpy."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from worlds import two_tastes
from zhiyin.compute.als_kernels import solve_rows
from zhiyin.compute.threads import threads
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.models.ials import IALS
from zhiyin.testing import small_world, some_queries


def slow_row(weights, fixed, unobserved_weight, l2):
    """The normal equations of one row: weights [n] is dense, zero where nothing was chosen."""
    gram = unobserved_weight * fixed.T @ fixed + l2 * np.eye(fixed.shape[1])
    return np.linalg.solve(gram + fixed.T @ (weights[:, None] * fixed), fixed.T @ weights)


def loss(x, people, items, model):
    """What the paper minimises."""
    scores = people @ items.T
    observed = (x * (scores - 1) ** 2).sum()
    frequent = [x.sum(axis=axis) + model.unobserved_weight * x.shape[axis] for axis in (1, 0)]
    ridge = sum(
        (count**model.frequency_exponent) @ (side**2).sum(axis=1)
        for count, side in zip(frequent, (people, items), strict=True)
    )
    return observed + model.unobserved_weight * (scores**2).sum() + model.l2 * ridge


def random_rows(rng, rows=90, n=40, d=10):
    weights = rng.choice([0.0, 0.0, 1.0, 0.5], (rows, n))
    weights[3] = 0
    rotated = np.linalg.svd(rng.standard_normal((n, d)), full_matrices=False)
    return weights, (rotated[0] * rotated[1]).astype(np.float32)  # its Gram matrix is diagonal


@pytest.mark.parametrize("block", [1, 4, 10, 64])
def test_rows_converge_to_their_normal_equations(block):
    weights, fixed = random_rows(np.random.default_rng(0))
    diagonal, l2 = 0.3 * np.diag(fixed.T @ fixed), np.linspace(0.1, 2, len(weights)).astype(np.float32)
    solved = np.zeros((len(weights), fixed.shape[1]), np.float32)
    for _ in range(60):
        x = csr_array(weights.astype(np.float32))
        solve_rows(x, fixed, diagonal.astype(np.float32), l2, solved, block=block, steps=2)
    expected = [slow_row(w, fixed.astype(np.float64), 0.3, ridge) for w, ridge in zip(weights, l2, strict=True)]
    np.testing.assert_allclose(solved, expected, atol=1e-5)


def test_the_number_of_threads_changes_no_bit():
    weights, fixed = random_rows(np.random.default_rng(1), rows=200)
    results = []
    for count in (1, 3):
        threads(count)
        solved = np.zeros((200, 10), np.float32)
        solve_rows(
            csr_array(weights.astype(np.float32)), fixed, np.ones(10, np.float32), np.ones(200, np.float32), solved,
            block=4, steps=2,
        )  # fmt: skip
        results.append(solved)
    threads(None)
    np.testing.assert_array_equal(*results)


def test_a_sweep_leaves_what_it_starts_from_as_it_is():
    rng = np.random.default_rng(2)
    x = csr_array((rng.random((30, 20)) < 0.2).astype(np.float32))
    people, items = (rng.standard_normal((side, 6), np.float32) for side in x.shape)
    before = people.copy(), items.copy()
    IALS(dimensions=6).sweep(x, x.T.tocsr(), people, items)
    np.testing.assert_array_equal(people, before[0])
    np.testing.assert_array_equal(items, before[1])


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_training_ends_where_alternating_normal_equations_end(exponent):
    data = small_world()
    log = data.interactions
    x = np.zeros((log.n_users, log.n_items))
    np.maximum.at(x, (log.users, log.items), log.weights)
    x = x[:, x.any(axis=0)]
    model = IALS(dimensions=3, l2=0.02, frequency_exponent=exponent, epochs=300, subspace=2, half_life_days=None)
    model.fit(data)
    items = model.item_vectors_[model.places_ >= 0].astype(np.float64)
    ridges = [model.l2 * (x.sum(axis=axis) + model.unobserved_weight * x.shape[axis]) ** exponent for axis in (1, 0)]
    people = np.array([slow_row(row, items, model.unobserved_weight, l2) for row, l2 in zip(x, ridges[0], strict=True)])
    before = loss(x, people, items, model)
    for _ in range(30):
        items = np.array(
            [slow_row(row, people, model.unobserved_weight, l2) for row, l2 in zip(x.T, ridges[1], strict=True)]
        )
        people = np.array(
            [slow_row(row, items, model.unobserved_weight, l2) for row, l2 in zip(x, ridges[0], strict=True)]
        )
    assert before == pytest.approx(loss(x, people, items, model), rel=1e-4)


def test_a_history_is_folded_in_by_its_normal_equations_with_the_regularisation_of_training():
    data = small_world()
    model = IALS(dimensions=4, epochs=5, half_life_days=None).fit(data)
    known = model.places_ >= 0
    items = model.item_vectors_[known].astype(np.float64)
    queries = some_queries(data)
    weights = np.zeros((len(queries), len(known)))
    np.maximum.at(weights, (queries.histories.rows, queries.histories.items), queries.histories.weights)
    l2 = model.l2 * (weights.sum(axis=1) + model.unobserved_weight * known.sum())
    expected = [
        slow_row(row, items, model.unobserved_weight, ridge) for row, ridge in zip(weights[:, known], l2, strict=True)
    ]
    np.testing.assert_allclose(model.encode(queries), expected, atol=1e-4)


def test_of_two_tastes_each_finds_its_own():
    data = two_tastes()
    model = IALS(dimensions=2, l2=0.01).fit(data)
    of_a = np.array([text.startswith("a") for text in data.items.texts])
    mine = np.flatnonzero(of_a)[:2].tolist()
    scores = model.score(Queries.of(Histories.of([mine])))[0]
    assert scores[of_a].min() > scores[~of_a].max() + 0.3


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"dimensions": 0}, "IALS.dimensions must be >= 1, got 0"),
        ({"l2": 0.0}, "IALS.l2 must be > 0, got 0.0"),
        ({"unobserved_weight": -1}, "IALS.unobserved_weight must be > 0, got -1"),
        ({"frequency_exponent": 2}, "IALS.frequency_exponent must be in 0 to 1, got 2"),
        ({"epochs": 0}, "IALS.epochs must be >= 1, got 0"),
        ({"subspace": 0}, "IALS.subspace must be >= 1, got 0"),
        ({"deviation": 0}, "IALS.deviation must be > 0, got 0"),
        ({"half_life_days": 0}, "IALS.half_life_days must be > 0, got 0"),
    ],
)
def test_a_setting_out_of_bounds_is_refused_in_a_sentence(settings, sentence):
    with pytest.raises(ConfigError) as caught:
        IALS(**settings)
    assert str(caught.value).startswith(sentence)
