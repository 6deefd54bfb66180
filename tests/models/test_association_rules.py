"""Rules counted by hand."""

import numpy as np
import pytest

from worlds import dataset
from zhiyin.errors import ConfigError
from zhiyin.models.association_rules import AssociationRules
from zhiyin.testing import small_world, some_queries

BASKETS = {"ann": "bmt", "bob": "bm", "cat": "bm", "dan": "bt", "eve": "t", "fay": "j"}


@pytest.fixture(scope="module")
def data():
    return dataset([(user, item, day) for user, items in BASKETS.items() for day, item in enumerate(items)])


def rules(data, **settings):
    model = AssociationRules(**settings).fit(data)
    names = data.items.texts
    return {(names[row["item"]], names[row["then"]]): row for row in model.rules().iter_rows(named=True)}


def test_support_confidence_and_lift_are_those_of_the_baskets(data):
    found = rules(data, least_support=1, least_lift=0)
    assert set(found) == {(a, b) for a in "bmt" for b in "bmt" if a != b}
    milk = found["m", "b"]  # three people have milk, all of them bread; four of six have bread
    assert milk["support"] == 3
    assert milk["confidence"] == pytest.approx(1)
    assert milk["lift"] == pytest.approx(6 / 4)
    bread = found["b", "m"]
    assert bread["confidence"] == pytest.approx(3 / 4)
    assert bread["lift"] == pytest.approx(6 / 4)
    assert found["t", "b"]["lift"] == pytest.approx(6 * 2 / (3 * 4))


def test_bounds_leave_weak_rules_out(data):
    assert set(rules(data, least_support=2)) == {("b", "m"), ("m", "b"), ("b", "t"), ("t", "b")}
    assert set(rules(data, least_support=1, least_lift=1.1)) == {("b", "m"), ("m", "b")}
    assert set(rules(data, least_support=1, least_lift=0, least_confidence=0.9)) == {("m", "b")}
    assert set(rules(data, measure="lift", least_support=2, least_lift=1.1)) == {("b", "m"), ("m", "b")}


@pytest.mark.parametrize("measure", ["confidence", "lift"])
def test_scores_add_the_rules_of_the_history_up(measure):
    data = small_world(seed=7)
    x = data.interactions.matrix.toarray() > 0
    counts, both = x.sum(axis=0), (x.T.astype(int) @ x).astype(float)
    np.fill_diagonal(both, 0)
    with np.errstate(all="ignore"):
        lift = len(x) * both / np.outer(counts, counts)
        weights = both / counts[:, None] if measure == "confidence" else lift
        weights = np.where((both >= 2) & (lift >= 1.2), weights, 0)
    model = AssociationRules(measure=measure, least_support=2, least_lift=1.2, half_life_days=None).fit(data)
    history = np.zeros(x.shape)
    np.maximum.at(history, (data.interactions.users, data.interactions.items), data.interactions.weights)
    found = np.nan_to_num(model.score(some_queries(data)))
    np.testing.assert_allclose(found, history[:12] @ weights, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"measure": "leverage"}, "AssociationRules.measure must be"),
        ({"least_support": 0}, "AssociationRules.least_support must be >= 1, got 0"),
        ({"least_confidence": 2}, "AssociationRules.least_confidence must be from 0 to 1, got 2"),
        ({"least_lift": -1}, "AssociationRules.least_lift must be >= 0, got -1"),
        ({"neighbours": 0}, "AssociationRules.neighbours must be >= 1, got 0"),
    ],
)
def test_a_hyper_parameter_out_of_bounds_is_refused_in_a_sentence(settings, sentence):
    with pytest.raises(ConfigError) as caught:
        AssociationRules(**settings)
    assert str(caught.value).startswith(sentence)
