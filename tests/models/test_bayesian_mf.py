"""Matrix factorisation by sampling: its draws and its fold-in against slow, obvious twins."""

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array

from worlds import DAY
from zhiyin.compute.gibbs_kernels import draw_weights
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.errors import ConfigError
from zhiyin.models.bayesian_mf import BayesianMF
from zhiyin.models.factor_chain import FIRST, ITEM_BIAS, PEOPLE_BIAS, TRUST_SHAPE, FactorChain
from zhiyin.models.rating_baseline import RatingBaseline
from zhiyin.models.recommender import Rates
from zhiyin.testing import small_world, some_queries


def world(truth, seen, rated=None):
    """Ratings truth[user, item] where `rated`, and an event without a rating where only `seen`."""
    users, items = np.nonzero(seen)
    values = np.where((seen if rated is None else rated)[users, items], truth[users, items], np.nan).astype(np.float32)
    log = Interactions.of(
        users, items, np.arange(len(users)) * DAY, n_users=len(truth), n_items=truth.shape[1], values=values
    )
    ids = Vocabulary.of(f"{item:02}" for item in range(truth.shape[1]))
    return Dataset(Vocabulary.of(f"{user:03}" for user in range(len(truth))), ids, log, Catalog.of(ids))


def two_camps(users=80, n=30, seed=0):
    """Ratings that are a mean, two biases, and whether the tastes of person and item agree."""
    rng = np.random.default_rng(seed)
    kindness, quality = rng.normal(0, 0.3, users), rng.normal(0, 0.3, n)
    truth = 3 + kindness[:, None] + quality + np.where((np.arange(users)[:, None] + np.arange(n)) % 2, 1.0, -1.0)
    return truth, rng.random((users, n)) < 0.6


def test_a_draw_is_the_conditional_distribution_of_one_weight_after_the_other():
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 5, 30), rng.integers(0, 6, 30).astype(np.int32)
    features = csc_array(rng.random((5, 7)) * (rng.random((5, 7)) < 0.6))
    weights, other, errors = rng.standard_normal(7), rng.standard_normal(6), rng.standard_normal(30)
    means, precisions, normals, trusts = (
        rng.standard_normal(7),
        rng.random(7) + 1,
        rng.standard_normal(7),
        rng.random(30),
    )
    w, targets = weights.copy(), errors + (features @ weights)[users] * other[items]
    for j in range(7):
        slope = features.toarray()[users, j] * other[items]
        rest = targets - (features @ w)[users] * other[items] + slope * w[j]
        precision = precisions[j] + (trusts * slope) @ slope
        w[j] = (precisions[j] * means[j] + (trusts * slope) @ rest) / precision + normals[j] / np.sqrt(precision)
    places = np.argsort(users, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(users, minlength=5))])
    factor = features @ weights
    draw_weights(
        (features.indptr.astype(np.int64), features.indices.astype(np.int32), features.data),
        (offsets, items[places], places.astype(np.int32)), errors, other, trusts, (means, precisions), normals, weights,
        factor,
    )  # fmt: skip
    np.testing.assert_allclose(weights, w, rtol=1e-9)
    np.testing.assert_allclose(factor, features @ w, rtol=1e-9)
    np.testing.assert_allclose(errors, targets - (features @ w)[users] * other[items], rtol=1e-9, atol=1e-12)


def test_the_chain_knows_its_errors_and_its_factors():
    truth, seen = two_camps(users=20, n=10)
    users, items = (side.astype(np.int32) for side in np.nonzero(seen))
    chain = FactorChain.of(csr_array(seen.astype(np.float32)), users, items, truth[users, items], 3, seed=0)
    for _ in range(5):
        chain.step()
    sets = seen / np.sqrt(np.maximum(seen.sum(axis=1, keepdims=True), 1))
    expected = chain.people.weights[:, :20] + chain.people.weights[:, 20:] @ sets.T
    np.testing.assert_allclose(np.delete(chain.people.factors, ITEM_BIAS, 0), np.delete(expected, ITEM_BIAS, 0))
    assert (chain.people.factors[ITEM_BIAS] == 1).all()
    assert (chain.items.factors[PEOPLE_BIAS] == 1).all()
    predicted = chain.intercept + (chain.people.factors[:, users] * chain.items.factors[:, items]).sum(axis=0)
    np.testing.assert_allclose(chain.errors, truth[users, items] - predicted, atol=1e-10)


def test_the_mean_of_the_draws_of_one_person_is_the_ridge_regression():
    """With everything else held still, the draws of one factor are a Gaussian whose mean is known."""
    truth, seen = two_camps(users=6, n=12)
    users, items = (side.astype(np.int32) for side in np.nonzero(seen))
    chain = FactorChain.of(csr_array(seen.astype(np.float32)), users, items, truth[users, items], 2, seed=1)
    for _ in range(20):
        chain.step()
    q, own = chain.items.factors[FIRST], []
    side, rng = chain.people, np.random.default_rng(0)
    targets, trusts = chain.errors + side.factors[FIRST, users] * q[items], rng.random(len(users)) + 1
    for _ in range(3000):
        side.draw(FIRST, q, chain.errors, trusts, rng)
        sets = side.factors[FIRST] - side.weights[FIRST, : side.own]
        precision = np.bincount(users, trusts * q[items] ** 2, 6) + side.precisions[0, FIRST]
        pull = np.bincount(users, trusts * q[items] * (targets - sets[users] * q[items]), 6)
        own.append(side.weights[FIRST, : side.own] - (pull + side.precisions[0, FIRST] * side.means[FIRST]) / precision)
    assert np.abs(np.mean(own, axis=0)).max() < 0.1


def test_a_history_is_folded_in_at_what_is_expected_in_each_sample(monkeypatch):
    """Vector and trust each where the other puts it, found with one rating at a time and many turns."""
    monkeypatch.setattr("zhiyin.models.bayesian_mf._ROOM", 70)  # two samples at a time
    monkeypatch.setattr("zhiyin.models.bayesian_mf._TURNS", 50)
    data = small_world()
    model = BayesianMF(dimensions=3, epochs=20, samples=6).fit(data)
    past, ratings = data.interactions.histories[:1], []
    chosen, places = np.unique(model.places_[past.items]), model.places_[past.items]
    for s in range(6):
        prior = model.priors_[s] + model.hints_[chosen, s].sum(axis=0) / np.sqrt(len(chosen))
        trust, noise = 1.0, float(model.noises_[s])
        for _ in range(200):
            precision, pull = np.diag(model.ridges_[s].astype(np.float64)), model.ridges_[s] * prior.astype(np.float64)
            for place, value in zip(places, past.values, strict=True):
                x = np.append(1, model.items_[place, s, 1:].astype(np.float64))
                y = (value - model.mean_) / model.scale_ - model.items_[place, s, 0]
                precision, pull = precision + noise * trust * np.outer(x, x), pull + noise * trust * y * x
            w, squares = np.linalg.solve(precision, pull), 0.0
            for place, value in zip(places, past.values, strict=True):
                x = np.append(1, model.items_[place, s, 1:].astype(np.float64))
                y = (value - model.mean_) / model.scale_ - model.items_[place, s, 0]
                squares += (y - w @ x) ** 2 + x @ np.linalg.solve(precision, x)
            trust = (TRUST_SHAPE + len(places)) / (TRUST_SHAPE + noise * squares)
        ratings.append(model.items_[:-1, s, 0] + w[0] + model.items_[:-1, s, 1:] @ w[1:])
    expected = model.mean_ + model.scale_ * np.mean(ratings, axis=0)
    scores = model.score(some_queries(data)[:1])[0]
    np.testing.assert_allclose(scores[model.places_ >= 0], expected, atol=1e-4)


def test_few_turns_are_enough(monkeypatch):
    data = small_world()
    model, queries = BayesianMF(dimensions=3, epochs=20).fit(data), some_queries(data)
    found = model.score(queries)
    monkeypatch.setattr("zhiyin.models.bayesian_mf._TURNS", 100)
    np.testing.assert_allclose(found, model.score(queries), atol=0.01)


def test_who_rates_haphazardly_is_trusted_less():
    truth, seen = two_camps()
    truth[::4] += np.random.default_rng(1).normal(0, 1, (20, 30))
    users, items = (side.astype(np.int32) for side in np.nonzero(seen))
    chain = FactorChain.of(csr_array(seen.astype(np.float32)), users, items, truth[users, items], 2, seed=0)
    for _ in range(100):
        chain.step()
    wild = np.arange(80) % 4 == 0
    assert chain.trusts[wild].mean() < 0.5 * chain.trusts[~wild].mean()


def test_it_rates_what_it_did_not_see_far_better_than_two_biases():
    truth, seen = two_camps()
    data = world(truth, seen)
    queries = Queries.of(data.interactions.histories, now=10**18)
    asked = np.tile(np.arange(30, dtype=np.int32), (80, 1))
    errors = [
        np.sqrt(((model.fit(data).rate(queries, asked) - truth)[~seen] ** 2).mean())
        for model in (BayesianMF(dimensions=2), RatingBaseline())
    ]
    assert errors[0] < 0.2 * errors[1]


def test_choices_without_ratings_tell_a_taste():
    """People choose among what they like; the last ten have rated nothing."""
    rng = np.random.default_rng(0)
    likes = (np.arange(100)[:, None] + np.arange(30)) % 2 == 0
    seen = np.where(likes, rng.random(likes.shape) < 0.6, rng.random(likes.shape) < 0.15)
    rated = seen & (np.arange(100)[:, None] < 90)
    data = world(np.where(likes, 4.0, 2.0) + rng.normal(0, 0.2, likes.shape), seen, rated)
    scores = BayesianMF(dimensions=2).fit(data).score(Queries.of(data.interactions.histories[np.arange(90, 100)]))
    assert (scores[likes[90:]].mean() - scores[~likes[90:]].mean()) > 0.5


def test_ratings_stay_within_the_scale_and_scores_need_not():
    truth, seen = two_camps()
    data = world(np.clip(np.round(truth), 2, 4), seen)
    model = BayesianMF(dimensions=2).fit(data)
    queries, asked = Queries.of(data.interactions.histories), np.tile(np.arange(30, dtype=np.int32), (80, 1))
    ratings = model.rate(queries, asked)
    assert ratings.min() == 2
    assert ratings.max() == 4
    np.testing.assert_allclose(ratings, np.clip(model.score(queries), 2, 4), rtol=1e-6)


def test_a_stranger_gets_the_usual_rating_of_each_item_and_an_item_that_nobody_chose_an_average_one():
    data = small_world()
    model = BayesianMF(dimensions=3).fit(data)
    assert isinstance(model, Rates)
    ratings = model.rate(Queries.of(Histories.empty(1)), np.array([[0, 29, -1]], np.int32))[0]
    mine = data.interactions.values[data.interactions.items == 0].mean()
    assert abs(ratings[0] - model.mean_) < abs(mine - model.mean_)
    assert ratings[1] == pytest.approx(model.mean_, abs=0.3)
    assert np.isnan(ratings[2])
    assert np.isnan(model.score(Queries.of(Histories.empty(1)))[0, 29])


@pytest.mark.parametrize("rating", [np.nan, 4.0])
def test_ratings_that_tell_nothing(rating):
    """Without any there is no opinion; where all are alike, so are all predictions."""
    _, seen = two_camps(users=5, n=6)
    data = world(np.full(seen.shape, rating), seen)
    model = BayesianMF(dimensions=2, epochs=400).fit(data)
    queries, asked = Queries.of(data.interactions.histories), np.zeros((5, 2), np.int32)
    expected = np.full((5, 2), rating, np.float32)
    np.testing.assert_array_equal(model.rate(queries, asked), expected)
    np.testing.assert_allclose(model.score(queries, asked), expected, atol=0.5)


@pytest.mark.parametrize("name", ["dimensions", "epochs", "samples"])
def test_a_setting_out_of_bounds_is_refused_in_a_sentence(name):
    with pytest.raises(ConfigError, match=rf"BayesianMF\.{name} must be .*, got -1"):
        BayesianMF(**{name: -1})
