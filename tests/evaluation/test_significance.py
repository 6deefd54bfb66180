import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from zhiyin.evaluation import significance
from zhiyin.evaluation.significance import compare, comparisons, holm, interval, intervals


@pytest.mark.parametrize("skewed", [False, True])
def test_the_interval_covers_the_truth_as_often_as_it_says(skewed):
    """300 worlds; the number of covered ones is binomial(300, .95), a little less for skewed values and few users."""
    rng = np.random.default_rng(7)
    draw = (lambda: rng.exponential(1.0, 80)) if skewed else (lambda: rng.normal(1.0, 2.0, 80))
    covered = 0
    for world in range(300):
        found = interval(draw(), seed=world, samples=500)
        covered += found.low <= 1.0 <= found.high
    assert binom.ppf(1e-4, 300, 0.92 if skewed else 0.93) <= covered <= binom.ppf(1 - 1e-4, 300, 0.96)


def test_a_false_discovery_is_as_rare_as_the_p_value_says():
    rng = np.random.default_rng(3)
    ours, theirs = rng.random((60, 400)), rng.random((60, 400))
    below = sum(found.p_value < 0.05 for found in comparisons(ours, theirs, samples=500))
    assert binom.ppf(1e-4, 400, 0.05) <= below <= binom.ppf(1 - 1e-4, 400, 0.05)


def test_the_p_value_is_that_of_all_sign_flips():
    """Eight users have only 256 sign patterns: the exact p can be counted."""
    differences = np.array([0.3, 0.1, -0.2, 0.5, 0.4, 0.0, 0.2, 0.6])
    flips = np.array(list(itertools.product([-1, 1], repeat=8))) @ differences
    exact = np.mean(np.abs(flips) >= differences.sum() - 1e-9)
    found = significance.sign_flip_p_values(differences[:, None], seed=1, samples=20_000)[0]
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact / 20_000))


def test_a_clear_gain_is_seen_and_is_paired_by_user():
    rng = np.random.default_rng(0)
    ease = rng.random(500)
    found = compare(ease + 0.01 + rng.normal(0, 0.01, 500), ease)
    assert found.better
    assert not found.worse
    assert found.difference.low < 0.0105 < found.difference.high + 0.001
    reverse = compare(ease, ease + 0.02)
    assert reverse.worse
    assert not reverse.better


def test_a_model_never_beats_itself():
    values = np.random.default_rng(0).random(50)
    found = compare(values, values)
    assert (found.p_value, found.difference.mean, found.better, found.worse) == (1.0, 0.0, False, False)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.one_of(st.floats(0, 1), st.just(np.nan)), min_size=2, max_size=30), st.integers(0, 99))
def test_the_bounds_enclose_the_mean_the_seed_decides_and_nan_is_counted(values, seed):
    column = np.array(values)
    found = interval(column, seed=seed, samples=200)
    assert repr(found) == repr(interval(column, seed=seed, samples=200))
    assert found.missing == np.isnan(column).sum()
    assert found.users + found.missing == len(values)
    if found.users > 1:
        known = column[~np.isnan(column)]
        assert known.min() - 1e-9 <= found.low <= found.high <= known.max() + 1e-9
        assert found.mean == pytest.approx(known.mean())


def test_columns_share_their_resamples_whatever_stands_beside_them(monkeypatch):
    values = np.random.default_rng(5).random((40, 3))
    together = intervals(values, seed=9)
    assert together[1].low == pytest.approx(interval(values[:, 1], seed=9).low)
    monkeypatch.setattr(significance, "_BLOCK_BYTES", 40 * 8 * 7)  # blocks of seven samples
    assert len(significance.resampled_means(values, seed=9, samples=50)) == 50


def test_random_cohorts_of_many_users_give_the_same_bounds(monkeypatch):
    values = np.random.default_rng(2).exponential(1.0, 6000)
    alone = interval(values)
    monkeypatch.setattr(significance, "MOST_UNITS", 1000)
    together = interval(values)
    assert together.mean == alone.mean
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert compare(values, values[::-1].copy()).p_value > 0.5


def test_a_ratio_of_sums_weighs_users_by_what_they_gave():
    found = significance.ratio_interval(np.array([1.0, 9.0, 0.0]), np.array([1.0, 3.0, 0.0]))
    assert (found.mean, found.users) == (2.5, 2)
    assert 1.0 <= found.low <= 2.5 <= found.high <= 3.0
    assert np.isnan(significance.ratio_interval(np.zeros(3), np.zeros(3)).mean)


def test_one_user_or_none_gives_a_mean_without_bounds():
    one = interval(np.array([0.5, np.nan]))
    assert (one.mean, one.users, one.missing) == (0.5, 1, 1)
    assert np.isnan([one.low, one.high]).all()
    assert np.isnan(interval(np.array([])).mean)
    assert compare(np.array([]), np.array([])).p_value == 1.0


def test_holm_asks_more_of_the_best_of_many():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.2]) == [0.2]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
