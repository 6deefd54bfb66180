"""Bayesian personalised ranking: its gradient against differences, its draws, its worlds."""

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.sgd_kernels import bpr_pass


def objective(u, v, w, b, c, l2):
    """What one step climbs: ln σ(s_i - s_j) - l2/2 |·|²."""
    margin = u @ v + b - u @ w - c
    return -np.log1p(np.exp(-margin)) - l2 / 2 * (u @ u + v @ v + w @ w + b * b + c * c)


def one_step(learn_items=True, weight=1.0):
    rng = np.random.default_rng(0)
    people, vectors = rng.standard_normal((1, 3)).astype(np.float32), rng.standard_normal((2, 3)).astype(np.float32)
    biases, x = rng.standard_normal(2).astype(np.float32), csr_array(np.array([[weight, 0]], np.float32))
    before = people.copy(), vectors.copy(), biases.copy()
    zero = np.zeros(1, np.int32)
    bpr_pass(zero, zero, x.indptr, x.indices, x.data, people, vectors, biases, 50, 1e-3, 0.1, learn_items, 7)
    return before, (people, vectors, biases)


def test_a_step_goes_along_the_gradient_of_the_paper():
    before, after = one_step()
    point = np.concatenate([before[0][0], before[1][0], before[1][1], before[2]]).astype(np.float64)
    moved = np.concatenate([after[0][0], after[1][0], after[1][1], after[2]]) - point

    def at(x):
        return objective(x[:3], x[3:6], x[6:9], x[9], x[10], 0.1)

    eye = 1e-5 * np.eye(len(point))
    gradient = [(at(point + e) - at(point - e)) / 2e-5 for e in eye]
    np.testing.assert_allclose(moved / 1e-3, gradient, atol=1e-3)


def test_folding_in_moves_the_person_as_training_does_and_no_item():
    before, folded = one_step(learn_items=False)
    _, trained = one_step()
    np.testing.assert_array_equal(folded[1], before[1])
    np.testing.assert_array_equal(folded[2], before[2])
    np.testing.assert_allclose(folded[0], trained[0], rtol=1e-6)


def test_a_weak_sign_makes_a_short_step():
    (start, _, _), (strong, _, _) = one_step()
    _, (weak, _, _) = one_step(weight=0.25)
    np.testing.assert_allclose(weak - start, (strong - start) / 4, rtol=1e-2, atol=1e-6)


def test_whoever_chose_everything_teaches_nothing():
    people, vectors = np.ones((1, 2), np.float32), np.ones((3, 2), np.float32)
    x, order = csr_array(np.ones((1, 3), np.float32)), np.arange(3, dtype=np.int32)
    bpr_pass(order, order * 0, x.indptr, x.indices, x.data, people, vectors, vectors[:, 0] * 0, 4, 1.0, 0.1, True, 0)
    assert (people == 1).all()
    assert (vectors == 1).all()
