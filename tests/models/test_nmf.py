"""Non-negative factors against dense numpy, and their topics."""

import numpy as np
import pytest

from worlds import two_tastes
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.models.nmf import NMF
from zhiyin.testing import small_world, some_queries


def dense(log):
    x = np.zeros((log.n_users, log.n_items))
    np.maximum.at(x, (log.users, log.items), log.weights)
    return x


def loss(x, people, items, l1):
    return ((x - people @ items.T) ** 2).sum() + l1 * people.sum()


def slow_people(x, items, l1, sweeps=3000):
    """Projected gradient descent on |X - W Hᵀ|² + l1 Σ W."""
    people, gram = np.zeros((len(x), items.shape[1])), items.T @ items
    step = 0.5 / np.linalg.eigvalsh(gram).max()
    for _ in range(sweeps):
        people = np.maximum(people - step * (2 * people @ gram - 2 * x @ items + l1), 0)
    return people


def test_a_history_is_folded_in_where_projected_gradients_end():
    data = small_world()
    model = NMF(dimensions=4, l1=0.2, half_life_days=None).fit(data)
    items = np.nan_to_num(model.item_vectors_).astype(np.float64)
    expected = slow_people(dense(data.interactions)[:12], items, 0.2)
    np.testing.assert_allclose(model.encode(some_queries(data)), expected, atol=1e-3)


def test_more_sweeps_lose_less_and_nothing_is_negative():
    data = small_world()
    x, losses = dense(data.interactions), []
    for epochs in (1, 3, 10, 30):
        model = NMF(dimensions=4, epochs=epochs, half_life_days=None).fit(data)
        items = np.nan_to_num(model.item_vectors_).astype(np.float64)
        assert (items >= 0).all()
        losses.append(loss(x, slow_people(x, items, model.l1), items, model.l1))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.7 * (x**2).sum()


def test_the_two_topics_of_two_tastes_are_the_tastes():
    data = two_tastes()
    model = NMF(dimensions=2).fit(data)
    of_a = np.array([text.startswith("a") for text in data.items.texts])
    items, weights = model.topics(6)
    assert sorted([of_a[items[0]].mean(), of_a[items[1]].mean()]) == [0, 1]
    assert (np.diff(weights, axis=1) <= 0).all()
    scores = model.score(Queries.of(Histories.of([np.flatnonzero(of_a)[:2].tolist()])))[0]
    assert scores[of_a].min() > scores[~of_a].max()


def test_topics_beyond_the_catalogue_are_padded_and_the_untouched_are_in_none():
    model = NMF(dimensions=3).fit(small_world())
    items, weights = model.topics(40)
    assert items.shape == weights.shape == (3, 40)
    assert not np.isin(items, [28, 29]).any()
    assert (items[:, 28:] == -1).all()


@pytest.mark.parametrize("name", ["dimensions", "l1", "epochs", "half_life_days"])
def test_a_setting_out_of_bounds_is_refused_in_a_sentence(name):
    with pytest.raises(ConfigError, match=rf"NMF\.{name} must be .*, got -1"):
        NMF(**{name: -1})
