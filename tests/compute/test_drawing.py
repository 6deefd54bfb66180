"""Drawing from hands, against the obvious way."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zhiyin.compute.drawing import dealt, drawn_from, lots_of, standardised

SCORES = st.floats(-1e3, 1e3, width=32) | st.just(np.float32(np.nan))
SIZES = st.tuples(st.integers(1, 3), st.integers(1, 12))


@settings(deadline=None, max_examples=200)
@given(SIZES.flatmap(lambda size: st.tuples(arrays(np.float32, size, elements=SCORES), arrays(bool, size[1]))))
def test_what_counts_has_mean_0_and_deviation_1_and_keeps_its_order(given_):
    scores, counted = given_
    if not counted.any():
        counted[0] = True
    for line, worth in zip(scores, standardised(scores, counted), strict=True):
        known = ~np.isnan(line) & counted
        if not known.any():  # the first is the best
            assert (np.diff(worth) < 0).all()
            continue
        filled = np.where(np.isnan(line), line[known].min(), line).astype(np.float64)
        deviation = filled[counted].std()
        expected = (filled - filled[counted].mean()) / (deviation if deviation > 0 else 1)
        np.testing.assert_allclose(worth, expected, rtol=1e-5, atol=1e-5 * max(1, np.abs(expected).max()))


@settings(deadline=None, max_examples=200)
@given(
    SIZES.flatmap(lambda size: st.tuples(arrays(np.int32, size, elements=st.integers(-3, 3)), arrays(bool, size))),
    st.integers(1, 4),
)
def test_cards_are_dealt_in_turn_the_best_first(given_, hands):
    whole, allowed = given_
    worth = whole.astype(np.float64)
    for row, hand_of in enumerate(dealt(worth, allowed, hands)):
        assert ((hand_of >= 0) == allowed[row]).all()
        sizes = [int((hand_of == hand).sum()) for hand in range(hands)]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] - sizes[-1] <= 1
        if hands > 1:
            cards = sorted(np.flatnonzero(allowed[row]), key=lambda card: -worth[row, card])
            assert [int(hand_of[card]) for card in cards] == [place % hands for place in range(len(cards))]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.integers(-1, 2)), min_size=1, max_size=10),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=3, max_size=3),
)
def test_a_card_is_drawn_where_its_part_of_the_weight_lies(cards, lots):
    worth, hand_of = np.array([[one for one, _ in cards]]), np.array([[hand for _, hand in cards]], np.int32)
    found, shares = drawn_from(worth, hand_of, np.array([lots]))
    for hand, lot in enumerate(lots):
        own = [card for card, (_, of) in enumerate(cards) if of == hand]
        if not own:
            assert (found[0, hand], shares[0, hand]) == (-1, 1)
            continue
        weights = np.exp(worth[0, own])
        ends = weights.cumsum() / weights.sum()
        place = own.index(found[0, hand])
        np.testing.assert_allclose(shares[0, hand], weights[place] / weights.sum(), rtol=1e-5)
        assert (ends[place - 1] if place else 0) - 1e-9 <= lot <= ends[place] + 1e-9


SEEDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5)


@settings(deadline=None, max_examples=200)
@given(SEEDS, st.integers(1, 6))
def test_the_lots_of_a_row_are_those_of_its_seed_whoever_else_draws(seeds, places):
    together = lots_of(np.array(seeds, np.uint64), len(seeds), places)
    assert ((together >= 0) & (together < 1)).all()
    for row, seed in enumerate(seeds):
        np.testing.assert_array_equal(together[row], lots_of(np.array([seed], np.uint64), 1, places)[0])


def test_lots_are_uniform_and_know_nothing_of_each_other_in_seeds_that_follow_each_other():
    rows, places = 40_000, 3
    for lots in (
        lots_of(np.arange(rows, dtype=np.uint64), rows, places),
        lots_of(np.zeros(1, np.uint64), rows, places),
    ):
        counts = np.stack([np.histogram(lots[:, place], 20, (0, 1))[0] for place in range(places)])
        expected = rows / 20
        assert (((counts - expected) ** 2 / expected).sum(axis=1) < 43.8).all()  # 0.1 % of chi-square, 19 degrees
        assert np.abs(np.corrcoef(lots.T) - np.eye(places)).max() < 0.02
        assert abs(np.corrcoef(lots[1:, 0], lots[:-1, 0])[0, 1]) < 0.02


def test_one_seed_for_all_gives_each_row_lots_of_its_own():
    lots = lots_of(np.array([7], np.uint64), 50, 2)
    assert len(np.unique(lots)) == 100
