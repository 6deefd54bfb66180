import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.data.interactions import Interactions
from zhiyin.features.pasts import MOMENTS, Pasts, counted, read, reading, repeats
from zhiyin.features.table import Encoded, Layout

HOUR = 3_600_000_000


def log_of(events):
    users, items, hours = (np.array(column, np.int64) for column in zip(*events, strict=True))
    return Interactions.of(users, items, hours * HOUR, n_users=4, n_items=6)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=30))
def test_before_each_event_its_person_knows_what_was_strictly_earlier(events):
    log = log_of([*events, (0, 0, 10), (1, 1, 11)])  # two times at least
    histories, known = log.histories, np.ones(6, np.bool_)
    known[5] = False
    pasts = Pasts.before_each(histories, known)
    rows = np.flatnonzero(counted(histories, known))
    newest = pasts.newest(4)
    assert len(pasts) == len(rows)
    for row, place in enumerate(rows):
        person, time = histories.rows[place], histories.times[place]
        begin, end = histories.offsets[person], histories.offsets[person + 1]
        earlier = [
            item
            for item, then in zip(histories.items[begin:end], histories.times[begin:end], strict=True)
            if then < time and known[item]
        ]
        assert newest[row][newest[row] >= 0].tolist() == earlier[::-1][:4]


def test_without_any_times_a_person_knows_all_but_the_event_itself():
    log = log_of([(0, 1, 5), (0, 2, 5), (1, 3, 5)])
    pasts = Pasts.before_each(log.histories, np.ones(6, np.bool_))
    items = log.histories.items
    assert [sorted(row[row >= 0].tolist()) for row in pasts.newest(3, without=items)] == [[2], [1], []]


def test_the_moment_is_in_utc_and_counts_from_the_last_event():
    log = log_of([(0, 1, 0), (0, 2, 4)])
    now = np.array([26 * HOUR], np.int64)  # Friday, 2 January 1970, two o'clock
    pasts = Pasts.of(log.histories[:1], np.ones(6, np.bool_), now)
    assert pasts.moments().tolist() == [[2, 1 + 5, 2, 4]]  # two events; the last 22 hours ago: five binary digits
    nothing = Pasts.of(log.histories[1:2], np.ones(6, np.bool_), now)
    assert nothing.moments()[0, :2].tolist() == [0, 0]
    late = Pasts.of(log.histories[:1], np.ones(6, np.bool_), now * 10**6)
    assert (late.moments() < np.array(MOMENTS.sizes)).all()


def test_what_is_read_of_the_newest_items_fits_its_layout():
    items = Encoded(np.array([[1, 4, -1], [2, 5, 6]], np.int32), np.empty((2, 0), np.float32))
    layout = Layout((3, 8), (1, 2))
    newest = np.array([[1, 0], [-1, -1]], np.int32)
    found = read(items, layout, newest, np.zeros((2, 4), np.int32)).codes
    assert found.tolist() == [
        [2, 1, 5, 6, 4, -1, 2, 5, 6, 0, 0, 0, 0],
        [-1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0],
    ]
    assert reading(layout, 2).widths == (2, 4, 1, 2, 1, 1, 1, 1)


def test_repeats_are_counted_among_the_newest():
    newest = np.array([[1, 1, 2], [0, 0, 0]], np.int32)
    rows, items = np.array([0, 0, 0, 1, 1]), np.array([1, 2, 3, 0, 1], np.int32)
    assert repeats(newest, rows, items).codes[:, 0].tolist() == [2, 1, 0, 3, 0]
