"""Pools and features against their slow, obvious twins."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.compute.first_allowed import best_first, first_allowed
from zhiyin.compute.pooling import best_of_pool, features, merged


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), b=st.integers(0, 4), widths=st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_a_pool_names_each_item_once_and_where_each_list_has_it(seed, b, widths):
    rng = np.random.default_rng(seed)
    lists = [np.full((b, width), -1, np.int32) for width in widths]
    for one in lists:
        for row in one:
            row[: rng.integers(len(row) + 1)] = -2  # these are filled
            row[row == -2] = rng.permutation(12)[: (row == -2).sum()]
    items, places = merged(lists)
    assert items.shape == (b, sum(widths))
    assert places.shape == (len(lists), b, sum(widths))
    for row in range(b):
        named = [one[row].tolist() for one in lists]
        once = list(dict.fromkeys(item for one in named for item in one if item >= 0))
        assert items[row].tolist() == once + [-1] * (sum(widths) - len(once))
        for one, given_list in zip(places[:, row], named, strict=True):
            expected = [given_list.index(item) if item in given_list else -1 for item in once]
            assert one.tolist() == expected + [-1] * (sum(widths) - len(once))


def slow_features(scores, ranks, offset, least):
    heard = ~np.isnan(scores)
    counts = np.maximum(heard.sum(axis=2, keepdims=True), 1)
    means = np.where(heard, scores, 0.0).sum(axis=2, keepdims=True, dtype=np.float64) / counts
    apart = np.where(heard, scores - means, 0.0)
    scales = np.sqrt((apart**2).sum(axis=2, keepdims=True) / counts)  # [r, b, 1]
    standard = apart / np.where(scales > least * np.abs(means), scales, np.inf)
    reciprocal = np.where(ranks >= 0, offset / (offset + ranks), 0.0)
    return np.concatenate([standard, reciprocal]).transpose(1, 2, 0)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), r=st.integers(1, 3), b=st.integers(0, 3), m=st.integers(0, 9), share=st.floats(0, 1))
def test_features_are_standardised_scores_and_reciprocal_ranks(seed, r, b, m, share):
    rng = np.random.default_rng(seed)
    scores = (rng.integers(-2, 3, (r, b, m)) * 10.0 ** rng.integers(-3, 4, (r, b, 1))).astype(np.float32)
    scores[rng.random(scores.shape) < share] = np.nan
    ranks = rng.integers(-1, 5, scores.shape).astype(np.int32)
    found = features(scores, ranks, 60.0, 1e-6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slow_features(scores, ranks, 60.0, 1e-6), rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    scores=st.lists(st.sampled_from([0.0, 1.0, -1.0, float("nan"), float("-inf")]), min_size=1, max_size=9),
    k=st.integers(0, 10),
    forbidden=st.sets(st.integers(0, 8)),
)
def test_the_first_allowed_are_the_best_with_ties_by_lower_index(scores, k, forbidden):
    allowed = np.array([[item not in forbidden for item in range(len(scores))]])
    found = first_allowed(best_first(np.array(scores, np.float32)), k, allowed)
    known = [item for item, score in enumerate(scores) if score > -np.inf and item not in forbidden]
    expected = sorted(known, key=lambda item: (-scores[item], item))[:k]
    assert found.tolist() == [expected + [-1] * (k - len(expected))]


@settings(deadline=None, max_examples=200)
@given(seed=st.integers(0, 10**6), b=st.integers(0, 3), m=st.integers(0, 12), k=st.integers(0, 14))
def test_the_best_of_a_pool_are_those_that_sorting_finds_and_of_whom_ranks_them_highest(seed, b, m, k):
    rng = np.random.default_rng(seed)
    items = np.array([rng.permutation(20)[:m] for _ in range(b)], np.int32).reshape(b, m)
    items[rng.random((b, m)) < 0.2] = -1
    fused = rng.choice(np.array([0.0, 0.5, 1.0, -np.inf, np.nan], np.float32), (b, m))  # few values: many ties
    ranks = rng.integers(-1, 4, (3, b, m)).astype(np.int32)
    found, scores, origins = best_of_pool(items, fused, ranks, k)
    for row in range(b):
        there = [at for at in range(m) if items[row, at] >= 0 and fused[row, at] > -np.inf]
        places = sorted(there, key=lambda at: -fused[row, at])[:k]  # sorted keeps the order of equals
        short = [-1] * (min(k, m) - len(places))
        assert found[row].tolist() == [items[row, at] for at in places] + short
        assert scores[row].tolist() == [fused[row, at] for at in places] + [-np.inf] * len(short)
        for own, at in zip(origins[row], places, strict=False):
            named = {one: ranks[one, row, at] for one in range(3) if ranks[one, row, at] >= 0}
            assert own == min(named, key=named.__getitem__, default=-1)
        assert origins[row, len(places) :].tolist() == short
