import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.evaluation import metrics, metrics_slow
from zhiyin.evaluation.metrics import Hits, Relevant

N_ITEMS = 12
items = st.integers(0, N_ITEMS - 1)


@st.composite
def lists_and_wants(draw):
    length = draw(st.integers(1, 8))
    rows = draw(st.lists(st.tuples(st.lists(items, max_size=length, unique=True), st.sets(items)), max_size=6))
    recommended = [shown + [-1] * (length - len(shown)) for shown, _ in rows]
    return np.array(recommended, np.int32).reshape(-1, length), [wanted for _, wanted in rows]


def relevant_of(wants):
    return Relevant.of([sorted(wanted) for wanted in wants])


@pytest.mark.parametrize("name", sorted(metrics.RANKING))
@settings(deadline=None, max_examples=50)
@given(lists_and_wants())
def test_every_ranking_metric_equals_its_slow_twin(name, world):
    recommended, wants = world
    fast = metrics.RANKING[name](Hits.of(recommended, relevant_of(wants)))
    twin = getattr(metrics_slow, {"map": "average_precision", "mrr": "reciprocal_rank"}.get(name, name))
    slow = [twin(row.tolist(), wanted) for row, wanted in zip(recommended, wants, strict=True)]
    np.testing.assert_allclose(fast, np.array(slow, np.float64), rtol=1e-12)
    assert fast.dtype == np.float64


@settings(deadline=None, max_examples=50)
@given(lists_and_wants())
def test_every_ranking_metric_lies_between_0_and_1_and_is_nan_only_without_relevant_items(world):
    recommended, wants = world
    hits = Hits.of(recommended, relevant_of(wants))
    for metric in metrics.RANKING.values():
        values = metric(hits)
        assert (np.isnan(values) == [not wanted for wanted in wants]).all()
        known = values[~np.isnan(values)]
        assert ((known >= 0) & (known <= 1 + 1e-12)).all()


@settings(deadline=None, max_examples=50)
@given(lists_and_wants())
def test_moving_a_hit_up_never_hurts(world):
    recommended, wants = world
    relevant = relevant_of(wants)
    hits = Hits.of(recommended, relevant)
    order = np.argsort(~hits.found, axis=1, kind="stable")
    best_first = Hits.of(np.take_along_axis(recommended, order, axis=1), relevant)
    for metric in metrics.RANKING.values():
        before, after = metric(hits), metric(best_first)
        assert (np.isnan(before) | (after >= before - 1e-12)).all()


def test_the_worked_example():
    hits = Hits.of(np.array([[7, 2, 5, 9]], np.int32), Relevant.of([[2, 9, 1]]))  # hits at ranks 2 and 4; 3 wanted
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert metrics.recall(hits) == pytest.approx([2 / 3])
    assert metrics.capped_recall(hits) == pytest.approx([2 / 3])
    assert metrics.precision(hits) == pytest.approx([2 / 4])
    assert metrics.hit_rate(hits) == pytest.approx([1.0])
    assert metrics.ndcg(hits) == pytest.approx([(1 / math.log2(3) + 1 / math.log2(5)) / ideal])
    assert metrics.average_precision(hits) == pytest.approx([(1 / 2 + 2 / 4) / 3])
    assert metrics.reciprocal_rank(hits) == pytest.approx([1 / 2])


def test_the_denominators_differ_when_more_is_wanted_than_fits():
    hits = Hits.of(np.array([[0, 1]], np.int32), Relevant.of([[0, 1, 2, 3]]))
    assert metrics.recall(hits) == [0.5]
    assert metrics.capped_recall(hits) == [1.0]
    assert metrics.ndcg(hits) == pytest.approx([1.0])
    assert metrics.average_precision(hits) == [1.0]


def test_a_repeated_item_is_found_once():
    hits = Hits.of(np.array([[3, 3, 3]], np.int32), Relevant.of([[3, 4]]))
    assert hits.found.tolist() == [[True, False, False]]


def test_padding_is_no_item_and_item_0_is_one():
    hits = Hits.of(np.array([[-1, -1], [0, -1]], np.int32), Relevant.of([[0], [0]]))
    assert hits.found.tolist() == [[False, False], [True, False]]
    assert hits.filled.tolist() == [0, 1]


def test_no_users_at_all_give_no_values():
    hits = Hits.of(np.empty((0, 5), np.int32), Relevant.of([]))
    assert all(metric(hits).shape == (0,) for metric in metrics.RANKING.values())


numbers = st.sampled_from([math.nan, -math.inf, -1.0, 0.0, 0.5, 2.0, 1e30])
scored_rows = st.tuples(st.lists(st.tuples(numbers, st.booleans()), min_size=6, max_size=6), st.sets(st.integers(0, 5)))


@settings(deadline=None, max_examples=50)
@given(st.lists(scored_rows, min_size=1, max_size=4))
def test_auc_equals_its_slow_twin(rows):
    scores = np.array([[score for score, _ in cells] for cells, _ in rows], np.float32)
    allowed = np.array([[ok for _, ok in cells] for cells, _ in rows])
    wants = [wanted for _, wanted in rows]
    slow = [metrics_slow.auc(scores[i].tolist(), allowed[i].tolist(), wants[i]) for i in range(len(rows))]
    np.testing.assert_allclose(metrics.auc(scores, allowed, relevant_of(wants)), slow, rtol=1e-12)


def test_auc_of_a_perfect_a_reversed_and_an_ignorant_model():
    scores = np.array([[3, 2, 1, 0], [0, 1, 2, 3], [np.nan] * 4], np.float32)
    relevant = Relevant.of([[0, 1], [0, 1], [0, 1]])
    assert metrics.auc(scores, np.ones(4, bool), relevant).tolist() == [1.0, 0.0, 0.5]


def test_auc_puts_ignorance_below_every_opinion_and_forbidden_items_below_all():
    relevant = Relevant.of([[0]])
    assert metrics.auc(np.array([[np.nan, -np.inf]], np.float32), np.ones(2, bool), relevant) == [0.0]
    assert metrics.auc(np.array([[9, 1]], np.float32), np.array([False, True]), relevant) == [0.0]
    assert np.isnan(metrics.auc(np.array([[9, 1]], np.float32), np.array([True, False]), relevant))[0]


@settings(deadline=None, max_examples=50)
@given(lists_and_wants(), st.sets(items))
def test_auc_of_lists_is_the_auc_of_scores_that_fall_down_the_list(world, forbidden):
    recommended, wants = world
    relevant = relevant_of(wants)
    allowed = np.ones((len(recommended), N_ITEMS), bool)
    allowed[:, sorted(forbidden)] = False
    scores = np.full(allowed.shape, -np.inf, np.float32)
    for row, shown in enumerate(recommended):
        for place, item in enumerate(shown):
            if item >= 0:
                scores[row, item], allowed[row, item] = -place, True
    reachable = np.array([sum(allowed[row, item] for item in wanted) for row, wanted in enumerate(wants)], np.int64)
    lists = metrics.auc_of_lists(Hits.of(recommended, relevant), allowed.sum(axis=1) - reachable, reachable)
    np.testing.assert_allclose(lists, metrics.auc(scores, allowed, relevant), rtol=1e-12)


ratings = st.one_of(st.just(math.nan), st.floats(0, 5, width=32))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(ratings, ratings)))
def test_rating_errors_equal_their_slow_twins_and_count_what_was_not_predicted(pairs):
    predicted = np.array([p for p, _ in pairs], np.float32)
    given_ratings = np.array([g for _, g in pairs], np.float32)
    errors = metrics.rating_errors(predicted, given_ratings)
    slow = [p.tolist() for p in (predicted, given_ratings)]
    assert errors.rmse == pytest.approx(metrics_slow.rmse(*slow), nan_ok=True)
    assert errors.mae == pytest.approx(metrics_slow.mae(*slow), nan_ok=True)
    assert errors.predicted + errors.unpredicted == sum(not math.isnan(g) for _, g in pairs)


def test_rating_errors_of_a_known_case():
    errors = metrics.rating_errors(np.array([1, 4, np.nan], np.float32), np.array([4, 4, 2], np.float32))
    assert (errors.rmse, errors.mae, errors.predicted, errors.unpredicted) == (math.sqrt(4.5), 1.5, 2, 1)


def test_relevant_blocks_and_selections_keep_rows_together():
    relevant = Relevant.of([[1, 2], [], [3, 4, 5]])
    block = relevant.block(1, 3)
    assert (block.offsets.tolist(), block.items.tolist()) == ([0, 0, 3], [3, 4, 5])
    odd = relevant.only(relevant.items % 2 == 1)
    assert (odd.offsets.tolist(), odd.items.tolist()) == ([0, 1, 1, 3], [1, 3, 5])
