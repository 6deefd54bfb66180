"""Matrix factorisation of ratings: its steps and its fold-in against slow, obvious twins."""

import numpy as np
import pytest

from worlds import DAY
from zhiyin.compute.sgd_kernels import rating_pass
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.errors import ConfigError
from zhiyin.models.biased_mf import BiasedMF
from zhiyin.models.rating_baseline import RatingBaseline
from zhiyin.models.recommender import Rates
from zhiyin.testing import small_world, some_queries


def rated_world(users=80, n=30, seed=0):
    """Ratings that are a mean, two biases, and whether the tastes of person and item agree."""
    rng = np.random.default_rng(seed)
    kindness, quality = rng.normal(0, 0.3, users), rng.normal(0, 0.3, n)
    truth = 3 + kindness[:, None] + quality + np.where((np.arange(users)[:, None] + np.arange(n)) % 2, 1.0, -1.0)
    rows, items = np.nonzero(rng.random((users, n)) < 0.6)
    log = Interactions.of(
        rows, items, np.arange(len(rows)) * DAY, n_users=users, n_items=n,
        values=truth[rows, items].astype(np.float32),
    )  # fmt: skip
    ids = Vocabulary.of(f"{item:02}" for item in range(n))
    return Dataset(Vocabulary.of(f"{user:02}" for user in range(users)), ids, log, Catalog.of(ids)), truth


def test_a_pass_is_koren_s_update_one_rating_after_the_other():
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 4, 20).astype(np.int32), rng.integers(0, 5, 20).astype(np.int32)
    residuals, order = rng.standard_normal(20).astype(np.float32), rng.permutation(20).astype(np.int32)
    sides = [rng.standard_normal(shape).astype(np.float32) for shape in ((4, 3), (5, 3), 4, 5)]
    p, q, b, c = (side.astype(np.float64) for side in sides)
    squares = 0.0
    for at in order:
        u, i = users[at], items[at]
        error = residuals[at] - b[u] - c[i] - p[u] @ q[i]
        squares += error**2
        b[u] += 0.01 * (error - 0.2 * b[u])
        c[i] += 0.01 * (error - 0.2 * c[i])
        p[u], q[i] = p[u] + 0.01 * (error * q[i] - 0.1 * p[u]), q[i] + 0.01 * (error * p[u] - 0.1 * q[i])
    met = rating_pass(order, users, items, residuals, *sides, 0.01, 0.1, 0.2)
    assert met == pytest.approx(squares, rel=1e-4)
    for found, expected in zip(sides, (p, q, b, c), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_history_is_folded_in_at_the_least_of_its_sum():
    data = small_world()
    model = BiasedMF(dimensions=3, l2=0.2, bias_l2=0.3).fit(data)
    past = data.interactions.histories[:1]
    items, values = past.items, past.values.astype(np.float64)
    x = model.factors_[model.places_[items]].astype(np.float64)
    y = values - model.mean_ - model.biases_[model.places_[items]]
    w, ridge = np.zeros(4), np.array([0.2, 0.2, 0.2, 0.3])
    for _ in range(20_000):
        w -= 0.002 * (x.T @ (x @ w - y) + len(y) * ridge * w)
    expected = model.mean_ + model.biases_ + model.factors_ @ w
    scores = model.score(some_queries(data)[:1])[0]
    np.testing.assert_allclose(scores[model.places_ >= 0], expected, atol=1e-4)


def test_it_rates_what_it_did_not_see_far_better_than_two_biases():
    data, truth = rated_world()
    queries = Queries.of(data.interactions.histories, now=10**18)
    asked = np.tile(np.arange(30, dtype=np.int32), (80, 1))
    unseen = data.interactions.matrix.toarray() == 0
    errors = [
        np.sqrt(((model.fit(data).rate(queries, asked) - truth)[unseen] ** 2).mean())
        for model in (BiasedMF(dimensions=4, l2=0.02, epochs=200), RatingBaseline())
    ]
    assert errors[0] < 0.4 * errors[1]


def test_a_stranger_gets_the_usual_rating_of_each_item_and_an_unrated_item_an_average_one():
    data = small_world()
    model = BiasedMF(dimensions=3).fit(data)
    assert isinstance(model, Rates)
    nobody = Queries.of(Histories.empty(1))
    ratings = model.rate(nobody, np.array([[0, 29, -1]], np.int32))[0]
    assert ratings[0] == pytest.approx(model.mean_ + model.biases_[model.places_[0]])
    assert ratings[1] == pytest.approx(model.mean_)
    assert np.isnan(ratings[2])
    assert np.isnan(model.score(nobody)[0, 29])


def test_without_ratings_there_is_no_opinion():
    data, _ = rated_world(users=5, n=6)
    log = data.interactions
    bare = data.with_interactions(Interactions.of(log.users, log.items, log.times, n_users=5, n_items=6))
    model = BiasedMF(dimensions=2).fit(bare)
    queries = Queries.of(bare.interactions.histories)
    assert np.isnan(model.score(queries)).all()
    assert np.isnan(model.rate(queries, np.zeros((5, 2), np.int32))).all()


@pytest.mark.parametrize("name", ["dimensions", "epochs", "learning_rate", "l2", "bias_l2"])
def test_a_setting_out_of_bounds_is_refused_in_a_sentence(name):
    with pytest.raises(ConfigError, match=rf"BiasedMF\.{name} must be .*, got -1"):
        BiasedMF(**{name: -1})
