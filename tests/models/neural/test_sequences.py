"""What networks read, held to obvious Python."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.data.histories import Histories
from zhiyin.models.neural.sequences import GAPS, Sequences

PLACES = np.array([0, -1, 1, 2, 3], np.int32)  # item 1 has no place
HISTORIES = st.lists(st.lists(st.integers(-1, 6), max_size=9), max_size=7)  # 5 and 6 are past the end
WINDOW = st.integers(1, 5)


def known(row):
    """1 + the place of each item that has one."""
    return [int(PLACES[item]) + 1 for item in row if 0 <= item < len(PLACES) and PLACES[item] >= 0]


def rows_of(sequences):
    return [
        sequences.items[start:stop].tolist()
        for start, stop in zip(sequences.offsets, sequences.offsets[1:], strict=False)
    ]


def made(rows, *window):
    return Sequences.of(Histories.of(rows), PLACES, *window)


@settings(max_examples=50, deadline=None)
@given(rows=HISTORIES, window=WINDOW)
def test_the_newest_known_events_stay_and_know_whose_they_are(rows, window):
    found = made(rows, window)
    assert rows_of(found) == [known(row)[-window:] for row in rows]
    assert found.owners.tolist() == list(range(len(rows)))
    gaps = np.split(found.gaps, found.offsets[1:-1])
    for row, of_row in zip(rows, gaps, strict=False):
        assert all(gap > 0 for gap in of_row[1:])
        assert (of_row[:1] == 0).all() or len(known(row)) > window, "only the first of a history has no event before"


@settings(max_examples=50, deadline=None)
@given(rows=HISTORIES, window=WINDOW)
def test_windows_make_every_event_but_the_first_a_target_once(rows, window):
    windows = made(rows).windows(window)
    lists = rows_of(windows)
    assert all(2 <= len(one) <= window + 1 for one in lists)
    for owner, row in enumerate(rows):
        mine = [one for one, whose in zip(lists, windows.owners.tolist(), strict=True) if whose == owner]
        wanted = known(row)
        assert sorted(item for one in mine for item in one[1:]) == sorted(wanted[1:])
        if len(wanted) > 1:
            assert mine[0] == wanted[-window - 1 :], "the newest window is a full one"
        assert all(
            one == wanted[start : start + len(one)] for one, start in zip(mine, starts(wanted, mine), strict=True)
        )


def starts(whole, pieces):
    """Where each piece begins, counted from the newest."""
    stop = len(whole)
    for piece in pieces:
        yield stop - len(piece)
        stop -= len(piece) - 1


@settings(max_examples=50, deadline=None)
@given(rows=HISTORIES, events=st.integers(1, 30), seed=st.none() | st.integers(0, 9))
def test_batches_hold_every_row_once_and_few_enough_places(rows, events, seed):
    sequences = made(rows)
    parts = list(sequences.batches(events, None if seed is None else np.random.default_rng(seed)))
    assert sorted(np.concatenate([*parts, np.empty(0, np.int64)]).tolist()) == list(range(len(rows)))
    for part in parts:
        lengths = sequences.lengths[part]
        assert len(part) == 1 or lengths.max() * len(part) <= events
    lengths = [sequences.lengths[part] for part in parts if len(part)]
    ranges = sorted((int(one.min()), int(one.max())) for one in lengths)
    assert all(lower[1] <= upper[0] or lower[0] == upper[0] for lower, upper in pairwise(ranges))


@settings(max_examples=50, deadline=None)
@given(rows=HISTORIES.filter(bool), window=WINDOW, data=st.data())
def test_side_by_side_the_newest_are_followed_by_zeros(rows, window, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=6))
    sequences = made(rows)
    for events, wanted in (
        (sequences.events(np.array(chosen)), [known(rows[row]) for row in chosen]),
        (sequences.newest(np.array(chosen), window), [known(rows[row])[-window:] for row in chosen]),
    ):
        width = max([*map(len, wanted), 1])
        assert events.items.tolist() == [one + [0] * (width - len(one)) for one in wanted]
        assert ((events.kinds > 0) == (events.items > 0)).all()
        assert events.lengths.tolist() == [len(one) for one in wanted]


@settings(max_examples=50, deadline=None)
@given(rows=HISTORIES, data=st.data())
def test_without_the_last_the_rest_stays(rows, data):
    able = [row for row in range(len(rows)) if known(rows[row])]
    chosen = data.draw(st.sets(st.sampled_from(able))) if able else set()
    found = made(rows).without_last(np.array(sorted(chosen), np.int64))
    assert rows_of(found) == [known(row)[:-1] if place in chosen else known(row) for place, row in enumerate(rows)]


def test_the_time_since_the_event_before_is_told_in_powers_of_two():
    past = Histories.of([[0, 0, 0, 0], [0]])
    second = 1_000_000
    times = np.array([0, 0, 1 * second, 2**40 * second, 5], np.int64)
    past = Histories(past.offsets, past.items, times, past.weights, past.values, past.kinds)
    assert Sequences.of(past, PLACES).gaps.tolist() == [0, 1, 1, GAPS - 1, 0]
