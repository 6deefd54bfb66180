import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.evaluation.segments import new_items, user_segments


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 200)))
def test_everybody_is_in_exactly_one_segment(lengths):
    parts = user_segments(np.array(lengths, np.int64))
    inside = np.sum([mask for _, mask in parts], axis=0) if parts else np.zeros(0)
    assert (inside == 1).all()
    assert all(segment.users == mask.sum() > 0 for segment, mask in parts)


def test_the_median_parts_light_from_heavy_and_the_bounds_say_so():
    parts = user_segments(np.array([0, 4, 5, 7, 9, 100, 1200]))
    assert [(part.name, part.bounds, part.users) for part, _ in parts] == [
        ("new users", "0–4 events", 2),
        ("light users", "5–9 events", 3),
        ("heavy users", "over 9 events", 2),
    ]


def test_one_length_for_all_makes_one_segment():
    assert [(part.name, part.bounds) for part, _ in user_segments(np.array([5, 5, 5]))] == [("light users", "5 events")]


def test_an_item_is_new_below_five_events():
    assert new_items(np.array([0, 4, 5])).tolist() == [True, True, False]
