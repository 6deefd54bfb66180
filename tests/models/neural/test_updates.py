"""A model that goes on learning knows what it knew, and what is new, after fewer epochs."""

from dataclasses import replace

import numpy as np
import pytest

from worlds import dataset
from zhiyin.data.dataset import Dataset
from zhiyin.models.recommender import Updates
from zhiyin.models.sasrec import SASRec

SETTINGS = {
    "dimensions": 16,
    "window": 8,
    "batch_events": 24,
    "dropout": 0.0,
    "learning_rate": 0.003,
    "epochs": 16,
    "validation_people": 0,
}


def ring(items: list[str], people: range, day: float, events: int = 6) -> list[tuple[str, str, float]]:
    """Everybody goes around the same ring, each from a place of its own."""
    return [
        (f"u{person:03d}", items[(person + step) % len(items)], day + step / 24)
        for person in people
        for step in range(events)
    ]


BEFORE = [f"item-{place:02d}" for place in range(10)]
AFTER = [*BEFORE[:5], "a-new-item", *BEFORE[5:]]  # first in the alphabet: every index moves


@pytest.fixture(scope="module")
def before() -> Dataset:
    return dataset(ring(BEFORE, range(200), day=0))


@pytest.fixture(scope="module")
def after() -> Dataset:
    return dataset([*ring(BEFORE, range(200), day=0), *ring(AFTER, range(200, 400), day=10)])


@pytest.fixture(scope="module")
def model(before: Dataset) -> SASRec:
    return SASRec(**SETTINGS).fit(before)


def old_indexes(before: Dataset, after: Dataset) -> np.ndarray:
    return before.items.indexes(after.items.texts)


def test_a_new_item_becomes_recommendable_and_the_old_order_is_not_forgotten(model, before, after):
    assert isinstance(model, Updates)
    updated = model.update(after, old_indexes(before, after))
    assert len(updated.curve_) <= SETTINGS["epochs"] / 4 < len(model.curve_)
    for past, expected in ((["item-03", "item-04"], "a-new-item"), (["a-new-item", "item-05"], "item-06"),
                           (["item-07", "item-08"], "item-09")):  # fmt: skip
        asked = dataset([("somebody", item, 20 + step / 24) for step, item in enumerate(past)])
        histories = asked.interactions.histories
        queries = replace(
            asked.queries(["somebody"]),
            histories=replace(histories, items=after.items.indexes(asked.items.texts)[histories.items]),
        )
        best = int(np.nanargmax(updated.score(queries)[0]))
        assert after.items.texts[best] == expected


def test_it_begins_lower_than_a_new_model_and_needs_fewer_epochs(model, before, after):
    updated = model.update(after, old_indexes(before, after))
    fresh = SASRec(**SETTINGS | {"epochs": 4}).fit(after)  # as many as the other
    assert updated.curve_[0, 0] < 0.7 * fresh.curve_[0, 0]
    assert (fresh.curve_[:2, 0] > updated.curve_[:2, 0]).all()


def test_without_anything_new_the_vectors_move_to_their_new_places_and_nothing_else_happens(model, before):
    more = dataset(ring(BEFORE, range(200), day=0), items=None)
    same = model.update(more, old_indexes(before, more))
    np.testing.assert_array_equal(same.item_vectors_, model.item_vectors_)
    assert len(same.curve_) == 0
    assert all(np.array_equal(same.weights_[name], model.weights_[name]) for name in model.weights_)


def test_the_model_that_is_updated_stays_as_it_is(model, before, after):
    vectors = model.item_vectors_.copy()
    updated = model.update(after, old_indexes(before, after))
    np.testing.assert_array_equal(model.item_vectors_, vectors)
    assert updated == model
    assert updated.newest_ > model.newest_


def test_with_another_kind_of_event_all_is_learned_anew(before):
    log = ring(BEFORE, range(200), day=0)
    kinds = dataset(log, kinds=["view" if place % 3 else "buy" for place in range(len(log))])
    short = SASRec(**SETTINGS | {"epochs": 1})
    other = replace(short).fit(before).update(kinds, old_indexes(before, kinds))
    assert other.kinds_ == 2
    np.testing.assert_array_equal(other.item_vectors_, short.fit(kinds).item_vectors_)
