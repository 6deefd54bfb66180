"""Matrix factorisation under a sampled softmax: its gradient against differences, its worlds."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from worlds import two_tastes
from zhiyin.compute.sgd_kernels import softmax_pass
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.models.softmax_mf import SoftmaxMF
from zhiyin.testing import small_world, some_queries


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


def test_of_two_tastes_each_finds_its_own():
    data = two_tastes()
    model = SoftmaxMF(dimensions=2, l2=0.05).fit(data)
    of_a = np.array([text.startswith("a") for text in data.items.texts])
    scores = model.score(Queries.of(Histories.of([np.flatnonzero(of_a)[:2].tolist()])))[0]
    assert scores[of_a].min() > scores[~of_a].max()


def test_another_seed_is_another_model():
    data = small_world()
    first, second = (SoftmaxMF(dimensions=4, seed=seed).fit(data).score(some_queries(data)) for seed in (0, 1))
    assert not np.allclose(first, second, equal_nan=True)


@pytest.mark.parametrize("name", ["dimensions", "epochs", "learning_rate", "l2", "negatives", "half_life_days"])
def test_a_setting_out_of_bounds_is_refused_in_a_sentence(name):
    with pytest.raises(ConfigError, match=rf"SoftmaxMF\.{name} must be .*, got -1"):
        SoftmaxMF(**{name: -1})
