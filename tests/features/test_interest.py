import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.features.interest import chosen_items, log_interest, query_interest
from zhiyin.features.recency import halved
from zhiyin.types import MICROSECONDS_PER_DAY


def test_weight_halves_with_each_half_life_and_never_reaches_zero():
    ages = np.array([-5, 0, 1, 2, 10**6]) * MICROSECONDS_PER_DAY
    np.testing.assert_allclose(halved(ages, 1.0)[:4], [1, 1, 0.5, 0.25])
    assert halved(ages, 1.0)[4].astype(np.float32) > 0
    assert (halved(ages, None) == 1).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.sampled_from([0.0, 0.2, 1.0])), max_size=30))
def test_the_interest_of_a_log_is_the_largest_weight_of_each_pair(events):
    users, items, weights = (np.array([event[i] for event in events]) for i in range(3))
    log = Interactions.of(
        users.astype(np.int32), items.astype(np.int32), np.arange(len(events)), n_users=4, n_items=5,
        weights=weights.astype(np.float32),
    )  # fmt: skip
    expected = np.zeros((4, 5), np.float32)
    for user, item, weight in events:
        expected[user, item] = max(expected[user, item], weight)
    found = log_interest(log)
    np.testing.assert_array_equal(found.toarray(), expected)
    assert found.nnz == (expected > 0).sum()
    chosen, people, touched = chosen_items(log)
    np.testing.assert_array_equal(touched, expected.any(axis=0))
    np.testing.assert_array_equal(chosen.toarray(), expected[expected.any(axis=1)][:, touched])
    np.testing.assert_array_equal(people, (expected > 0).sum(axis=0)[touched])


def test_the_interest_of_a_query_ages_from_its_newest_known_event():
    past = Histories.of([[0, 1, 0, 3, -1, 9], [], [2]])
    places = np.array([0, 1, 2, -1], np.int32)
    found = query_interest(Queries.of(past, now=10**18), places, half_life_days=1 / 24)  # an hour between events
    np.testing.assert_allclose(found.toarray(), [[1, 0.5, 0], [0, 0, 0], [0, 0, 1]])
    level = query_interest(Queries.of(past), places)
    np.testing.assert_allclose(level.toarray(), [[1, 1, 0], [0, 0, 0], [0, 0, 1]])


@pytest.mark.parametrize("places", [[], [-1, -1]])
def test_where_nothing_is_known_the_matrix_has_no_column(places):
    found = query_interest(Queries.of(Histories.of([[0, 1]])), np.array(places, np.int32))
    assert found.shape == (1, 0)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 40), st.sampled_from([0.0, 0.2, 1.0])), max_size=12),
        max_size=4,
    ),
    half_life_days=st.sampled_from([None, 0.1, 3.0]),
)
def test_the_interest_of_a_query_is_the_strongest_halved_event_of_each_item(rows, half_life_days):
    places = np.array([2, -1, 0, 1], np.int32)  # items 4 and 5 came after training
    events = [sorted(row, key=lambda event: event[1]) for row in rows]
    flat = [event for row in events for event in row]
    offsets = np.cumsum([0, *(len(row) for row in events)])
    items, days, weights = (np.array([event[i] for event in flat]) for i in range(3))
    unit, kinds = np.ones(len(flat), np.float32), np.zeros(len(flat), np.uint8)
    times = days.astype(np.int64) * MICROSECONDS_PER_DAY
    past = Histories(offsets, items.astype(np.int32), times, weights.astype(np.float32), unit, kinds)
    expected = np.zeros((len(rows), 3), np.float32)
    for row, mine in enumerate(events):
        counting = [event for event in mine if 0 <= event[0] < 4 and event[0] != 1 and event[2] > 0]
        for item, day, weight in counting:
            age = np.array([counting[-1][1] - day]) * MICROSECONDS_PER_DAY
            strength = np.float32(np.float32(weight) * halved(age, half_life_days)[0])
            expected[row, places[item]] = max(expected[row, places[item]], strength)
    found = query_interest(Queries.of(past), places, half_life_days)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-6)
    assert found.nnz == (expected > 0).sum()
    assert found.has_sorted_indices
