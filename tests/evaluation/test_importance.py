"""A setting that decides is told from one that does nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.evaluation.importance import FEWEST, importance

rng = np.random.default_rng(0)


def test_what_decides_is_all_and_what_does_nothing_is_nothing():
    setting = rng.uniform(0, 1, 200)
    assert importance(setting, 3 - 2 * setting) > 0.95
    assert importance(setting, rng.normal(size=200)) < 0.1


def test_a_best_value_in_the_middle_is_seen_too():
    setting = rng.uniform(-1, 1, 200)
    assert abs(np.corrcoef(setting, -(setting**2))[0, 1]) < 0.2
    assert importance(setting, -(setting**2)) > 0.7


def test_half_of_it_is_half():
    one, other = rng.uniform(0, 1, (2, 3000))
    assert importance(one, one + other) == pytest.approx(0.5, abs=0.06)


def test_nothing_is_said_of_too_few_trials_and_zero_of_a_setting_that_never_changed():
    assert np.isnan(importance(np.arange(FEWEST - 1), np.arange(FEWEST - 1)))
    assert importance(np.ones(20), rng.normal(size=20)) == 0
    assert importance(np.arange(20), np.ones(20)) == 0


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=FEWEST, max_size=60))
@settings(deadline=None, max_examples=50)
def test_it_is_a_share(pairs):
    tried, found = np.array(pairs).T
    assert 0 <= importance(tried, found) <= 1
