"""Matrix factorisation under a sampled softmax: its gradient against differences, its worlds."""

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.sgd_kernels import softmax_pass


def loss(u, chosen, drawn, weights):
    others = np.exp(drawn @ u).sum()
    return (weights * (-chosen @ u + np.log(np.exp(chosen @ u) + others))).sum()


def passed(*, learn_items, draws=400):
    """The items 0 and 1 are chosen; all draws that count fall on item 2."""
    rng = np.random.default_rng(0)
    people, vectors = rng.standard_normal((1, 3)).astype(np.float32), rng.standard_normal((3, 3)).astype(np.float32)
    x, before = csr_array(np.array([[1, 0.5, 0]], np.float32)), (people.copy(), vectors.copy())
    squares = np.zeros(1, np.float32), np.zeros(3, np.float32)
    zero = np.zeros(1, np.int32)
    softmax_pass(
        zero, x.indptr, x.indices, x.data, people, vectors, *squares, draws, 1e-4, 0.0, learn_items, 3
    )  # fmt: skip
    return before, (people, vectors)


def test_a_person_steps_against_the_gradient():
    (person, vectors), (after, _) = passed(learn_items=False)
    steps = (after - person)[0] / 1e-4
    point, eye = person[0].astype(np.float64), 1e-5 * np.eye(3)

    def gradient(count):
        drawn, w = np.repeat(vectors[2:], count, axis=0), np.array([1, 0.5])
        slope = np.array([
            loss(point + e, vectors[:2], drawn, w) - loss(point - e, vectors[:2], drawn, w) for e in eye
        ])  # fmt: skip
        return -slope / np.sqrt((slope**2).mean())  # AdaGrad's first step: the gradient over its own size

    gaps = [np.abs(steps - gradient(count)).max() for count in range(80, 190)]
    assert min(gaps) < 2e-2  # a third of the draws, about


def test_folding_in_moves_no_item():
    (_, vectors), (_, after) = passed(learn_items=False)
    np.testing.assert_array_equal(vectors, after)


def test_what_was_chosen_rises_and_what_was_drawn_falls():
    (person, vectors), (_, after) = passed(learn_items=True)
    change = (after - vectors) @ person[0]
    assert (change[:2] > 0).all()
    assert change[2] < 0
