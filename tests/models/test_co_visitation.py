"""Pairs of visits counted one by one."""

import numpy as np
import pytest

from worlds import dataset
from zhiyin.errors import ConfigError
from zhiyin.models.co_visitation import CoVisitation
from zhiyin.testing import small_world
from zhiyin.types import MICROSECONDS_PER_DAY


@pytest.mark.parametrize(("hours", "backward", "exponent"), [(24, 0.5, 0.0), (72, 0.0, 1.0), (1, 1.0, 0.3)])
def test_weights_are_sums_over_all_pairs_of_visits(hours, backward, exponent):
    data = small_world(seed=7)
    log = data.interactions
    expected = np.zeros((log.n_items, log.n_items))
    for one in range(len(log)):
        for other in range(len(log)):
            passed = log.times[other] - log.times[one]
            near = abs(passed) <= hours * MICROSECONDS_PER_DAY / 24
            if log.users[one] == log.users[other] and log.items[one] != log.items[other] and near:
                expected[log.items[one], log.items[other]] += log.weights[other] * (1 if passed >= 0 else backward)
    expected *= np.maximum(log.item_counts, 1.0) ** -exponent
    touched = log.item_counts > 0
    model = CoVisitation(window_hours=hours, backward=backward, popularity_exponent=exponent).fit(data)
    np.testing.assert_allclose(model.weights_.toarray(), expected[np.ix_(touched, touched)], rtol=1e-4)


def test_each_item_keeps_its_best_companions():
    data = small_world(seed=7)
    everything = CoVisitation(window_hours=100).fit(data).weights_.toarray()
    few = CoVisitation(window_hours=100, neighbours=3).fit(data).weights_.toarray()
    assert ((few > 0).sum(axis=1) <= 3).all()
    np.testing.assert_allclose(np.sort(few)[:, -3:], np.sort(everything)[:, -3:], rtol=1e-5)


def test_what_comes_after_counts_more_than_what_came_before():
    world = dataset([(user, item, day) for user in "xyz" for day, item in enumerate("abc")])
    weights = CoVisitation(window_hours=30, backward=0.2, popularity_exponent=0).fit(world).weights_.toarray()
    np.testing.assert_allclose(weights, [[0, 3, 0], [0.6, 0, 3], [0, 0.6, 0]], rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"window_hours": 0}, "CoVisitation.window_hours must be > 0, got 0"),
        ({"backward": 2}, "CoVisitation.backward must be from 0 to 1, got 2"),
        ({"popularity_exponent": 5}, "CoVisitation.popularity_exponent must be from -2 to 2, got 5"),
        ({"neighbours": 0}, "CoVisitation.neighbours must be >= 1, got 0"),
    ],
)
def test_a_hyper_parameter_out_of_bounds_is_refused_in_a_sentence(settings, sentence):
    with pytest.raises(ConfigError) as caught:
        CoVisitation(**settings)
    assert str(caught.value).startswith(sentence)
