"""The stages that make a shop's list of the best items: each with its law."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.errors import ConfigError
from zhiyin.ranking.boosts import boosted
from zhiyin.ranking.candidates import FALLBACK, Candidates
from zhiyin.ranking.explore import draw, places_of
from zhiyin.ranking.promotions import Promotion
from zhiyin.ranking.slots import Row, placed

UNKNOWN = -1


def found(scores: list[float], origins: list[int] | None = None) -> Candidates:
    """One query's candidates, item i with score i, in the order of the scores."""
    order = np.argsort(-np.array(scores, np.float32), kind="stable")
    given_origins = np.zeros(len(scores), np.int8) if origins is None else np.array(origins, np.int8)
    return Candidates(
        order[None, :].astype(np.int32), np.array(scores, np.float32)[order][None, :], given_origins[order][None, :],
        ("model", FALLBACK),
    )  # fmt: skip


def rank_of(item: int, candidates: Candidates) -> int:
    return candidates.items[0].tolist().index(item)


def lifts(candidates: Candidates, factors: dict[int, float]) -> np.ndarray:
    return np.log([[factors.get(int(item), 1.0) for item in candidates.items[0]]]).astype(np.float32)


FINITE = st.floats(-100, 100, width=16)
SCORES = st.lists(FINITE, min_size=2, max_size=12, unique=True)
FACTORS = st.floats(0.01, 100)


@given(SCORES, st.data())
@settings(deadline=None, max_examples=200)
def test_a_factor_above_one_lifts_whatever_the_sign_and_a_greater_one_higher(scores, data):
    candidates = found(scores)
    item = data.draw(st.integers(0, len(scores) - 1))
    small, large = sorted([data.draw(FACTORS), data.draw(FACTORS)])
    ranks = [rank_of(item, boosted(candidates, lifts(candidates, {item: factor}))) for factor in (small, large)]
    assert ranks[1] <= ranks[0]
    before = rank_of(item, candidates)
    for factor, rank in zip((small, large), ranks, strict=True):
        assert rank <= before if factor >= 1 else rank >= before
    changed = boosted(candidates, lifts(candidates, {item: large}))
    assert [one for one in changed.items[0] if one != item] == [one for one in candidates.items[0] if one != item]
    assert (np.diff(changed.scores[0]) <= 0).all()


@given(SCORES, st.floats(-50, 50), st.floats(0.1, 10), st.dictionaries(st.integers(0, 11), FACTORS, max_size=3))
@settings(deadline=None, max_examples=100)
def test_a_boost_says_the_same_on_every_scale_of_scores(scores, shift, stretch, factors):
    there = found([float(score) for score in range(len(scores))])
    elsewhere = found([score * stretch + shift for score in range(len(scores))])
    one, other = boosted(there, lifts(there, factors)), boosted(elsewhere, lifts(elsewhere, factors))
    np.testing.assert_allclose((other.scores - shift) / stretch, one.scores, atol=1e-3)


def test_two_factors_of_one_item_multiply_and_doubling_doubles_the_odds():
    candidates = found([3.0, 2.0, 1.0])
    scale = np.std([3.0, 2.0, 1.0])
    doubled = boosted(candidates, lifts(candidates, {2: 2.0}))
    odds = [np.exp((one.scores[0, rank_of(2, one)] - one.scores[0, rank_of(1, one)]) / scale)
            for one in (candidates, doubled)]  # fmt: skip
    assert odds[1] == pytest.approx(2 * odds[0], rel=1e-4)


def test_a_boost_decides_among_equals_and_its_scale_is_that_of_what_was_proposed():
    equal = found([5.0, 5.0, 5.0])
    assert boosted(equal, lifts(equal, {2: 1.1})).items[0, 0] == 2
    filled = found([0.2, 0.1, -1.0, -500.0], [0, 0, 1, 1])  # the fallback's scores are places, not opinions
    assert boosted(filled, lifts(filled, {1: 1.5})).items[0].tolist() == [0, 1, 2, 3]
    assert boosted(filled, lifts(filled, {1: 20.0})).items[0].tolist() == [1, 0, 2, 3]
    short = Candidates(*(np.array([one]) for one in ([4, -1], np.array([1.0, -np.inf], np.float32), [0, -1])), ("m",))
    assert boosted(short, np.zeros((1, 2), np.float32)).items[0].tolist() == [4, -1]


@st.composite
def shelves(draw_):
    """Candidates with values of two columns and matches of two promotions."""
    m = draw_(st.integers(0, 14))
    values = draw_(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 2)), min_size=m, max_size=m))
    matches = draw_(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=m, max_size=m))
    return Row([True] * m, [list(one) for one in values], [list(one) for one in matches])


SHARES = st.sampled_from([0.05, 0.1, 0.2, 0.25, 0.3, 0.35, 0.5, 0.75, 1.0])


@given(shelves(), st.integers(1, 12), st.lists(st.integers(1, 3), min_size=2, max_size=2), SHARES, SHARES)
@settings(deadline=None, max_examples=200)
def test_caps_are_never_exceeded_nothing_repeats_and_no_place_is_left_that_could_be_filled(row, k, limits, one, two):
    promotions = [Promotion("a", one), Promotion("b", two)]
    chosen, room = placed(row, k, promotions, limits, {})
    assert len(chosen) == k
    shown = [candidate for candidate in chosen if candidate >= 0]
    assert len(set(shown)) == len(shown)
    for cap, limit in enumerate(limits):
        counts = Counter(row.values[candidate][cap] for candidate in shown)
        assert all(count <= limit for value, count in counts.items() if value != UNKNOWN)
        assert set(room.full(cap)) == {value for value, count in counts.items() if value >= 0 and count == limit}
    if len(shown) < k:
        assert not any(room.fits(row.values[other]) for other in range(len(row.free)) if other not in shown)
        assert chosen[len(shown) :] == [-1] * (k - len(shown))


@given(shelves(), st.integers(1, 12), SHARES)
@settings(deadline=None, max_examples=200)
def test_a_promotion_has_its_share_of_every_beginning_of_the_list(row, k, share):
    row = Row(row.free, [[]] * len(row.free), [one[:1] for one in row.matches])
    chosen, _ = placed(row, k, [Promotion("a", share)], [], {})
    available, given_ = sum(one[0] for one in row.matches), 0
    for place, candidate in enumerate(chosen):
        given_ += candidate >= 0 and row.matches[candidate][0]
        assert given_ >= min(math.ceil(share * (place + 1) - 1e-9), available)
    shown = [one for one in chosen if one >= 0]
    for group in (True, False):  # among themselves, both stay in the order of what the person wants
        places = [one for one in shown if row.matches[one][0] is group]
        assert places == sorted(places)


@given(shelves(), st.integers(1, 12), SHARES, SHARES)
@settings(deadline=None, max_examples=200)
def test_several_promotions_have_their_shares_where_there_is_room_for_all(row, k, one, two):
    matches = [[first, second and not first] for first, second in row.matches]
    row = Row(row.free, [[]] * len(row.free), matches)
    promotions = [Promotion("a", one), Promotion("b", two)]
    needs = [min(math.ceil(each.share * k - 1e-9), sum(match[i] for match in matches))
             for i, each in enumerate(promotions)]  # fmt: skip
    chosen, _ = placed(row, k, promotions, [], {})
    if math.ceil(one * k - 1e-9) + math.ceil(two * k - 1e-9) <= k:
        for i, need in enumerate(needs):
            assert sum(matches[candidate][i] for candidate in chosen if candidate >= 0) >= need


def test_promotions_that_are_due_at_the_same_place_get_it_in_time():
    row = Row([True] * 8, [[]] * 8, [[i in (4, 5), i in (6, 7)] for i in range(8)])
    chosen, _ = placed(row, 4, [Promotion("a", 0.3), Promotion("b", 0.3)], [], {})
    assert chosen == [4, 6, 5, 7]  # two each by the fourth place; waiting for it, one would come too late


def test_without_promotions_or_caps_the_best_stay_in_their_order():
    row = Row([True] * 5, [[]] * 5, [[]] * 5)
    assert placed(row, 3, [], [], {})[0] == [0, 1, 2]
    assert placed(row, 3, [], [], {1: 4})[0] == [0, 4, 1]


def test_what_was_drawn_leaves_less_room_and_counts_for_a_promotion():
    row = Row([True, True, True, False], [[7], [7], [8], [7]], [[False], [True], [False], [True]])
    assert placed(row, 3, [Promotion("a", 0.3)], [1], {2: 3})[0] == [2, -1, 3]
    assert placed(row, 3, [Promotion("a", 0.3)], [2], {0: 3})[0] == [3, 0, 2]


@given(st.integers(1, 60), st.floats(0.01, 0.5))
@settings(deadline=None)
def test_exploring_takes_its_share_of_every_beginning_rounded_down(k, share):
    places = places_of(share, k)
    assert len(places) == math.floor(share * k + 1e-9)
    assert len(set(places)) == len(places)
    for count in range(1, k + 1):
        assert sum(place < count for place in places) <= share * count + 1e-6


def test_the_probabilities_of_what_is_drawn_are_those_of_a_simulation():
    fresh = np.array([10, 11, 12, 13, 14], np.int32)
    worth = np.array([[2.0, 1.0, 0.0, -1.0, 0.5]])
    allowed = np.array([[True, True, True, True, False]])
    rounds, seen = 4_000, Counter()
    told: dict[tuple[int, int], float] = {}
    for seed in range(rounds):
        drawn = draw(fresh, worth, allowed, [[]] * 5, [], [4, 9], (seed,))
        assert len(set(drawn.items[0].tolist())) == 2
        for place in range(2):
            key = (place, int(drawn.items[0, place]))
            seen[key] += 1
            assert told.setdefault(key, float(drawn.probabilities[0, place])) == drawn.probabilities[0, place]
    assert {item for _, item in told} == {10, 11, 12, 13}
    for place in range(2):
        assert sum(one for (at, _), one in told.items() if at == place) == pytest.approx(1, abs=1e-6)
    for key, probability in told.items():
        assert seen[key] / rounds == pytest.approx(probability, abs=4 * math.sqrt(0.25 / rounds))
    assert told[0, 10] == pytest.approx(np.exp(2) / (np.exp(2) + np.exp(0)))  # dealt: 10 and 12, then 11 and 13


@given(
    st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 1)), min_size=1, max_size=12),
    st.lists(st.integers(1, 2), min_size=2, max_size=2), st.integers(1, 4), st.integers(0, 2**64 - 1),
)  # fmt: skip
@settings(deadline=None, max_examples=200)
def test_whatever_is_drawn_keeps_the_caps_and_repeats_nothing(values, limits, places, seed):
    fresh = np.arange(len(values), dtype=np.int32)
    worth = np.linspace(1, -1, len(values))[None, :]
    drawn = draw(fresh, worth, np.ones(worth.shape, bool), [list(one) for one in values], limits,
                 list(range(places)), (seed,))  # fmt: skip
    items = [item for item in drawn.items[0].tolist() if item >= 0]
    assert items
    assert len(set(items)) == len(items)
    assert ((drawn.probabilities > 0) & (drawn.probabilities <= 1)).all()
    for cap, limit in enumerate(limits):
        counts = Counter(values[item][cap] for item in items)
        assert all(count <= limit for value, count in counts.items() if value >= 0)


def test_a_promotion_runs_from_its_beginning_to_before_its_end():
    day = 86_400_000_000
    sale = Promotion("a", 0.5, since="1970-01-02", until="1970-01-03T02:00:00+02:00")
    assert [sale.active(time) for time in (0, day - 1, day, 2 * day - 1, 2 * day)] == [False, False, True, True, False]
    assert Promotion("a", 0.5).active(0)


@pytest.mark.parametrize(
    ("promotion", "says"),
    [
        (Promotion("a", 0), r"here\.share must be above 0"),
        (Promotion("a", 1.01), r"here\.share must be above 0 and at most 1, got 1\.01"),
        (Promotion("a", float("nan")), r"here\.share"),
        (Promotion("a", 0.1, since="soon"), r"here\.since is no time, got 'soon'"),
        (Promotion("a", 0.1, until="2026-13-01"), r"here\.until is no time"),
    ],
)
def test_a_promotion_that_cannot_be_is_a_sentence(promotion, says):
    with pytest.raises(ConfigError, match=says):
        promotion.check("here")
