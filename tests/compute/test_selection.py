"""The pieces of the loops that take the best few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.compute.kernels import top_k
from zhiyin.compute.selection import descend, largest_first


@settings(deadline=None, max_examples=50)
@given(keys=st.lists(st.integers(0, 2**64 - 1), max_size=40), k=st.integers(0, 50))
def test_the_largest_come_to_the_front_repeated_ones_too(keys, k):
    found = np.array(keys, np.uint64)
    largest_first(found, k)
    assert sorted(found.tolist()) == sorted(keys)
    assert sorted(found[:k].tolist(), reverse=True) == sorted(keys, reverse=True)[:k]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 3_000])
def test_keys_descend_however_many_there_are(size):
    keys = np.random.default_rng(size).permutation(2**20)[:size].astype(np.uint64) << np.uint64(43)
    expected = np.sort(keys)[::-1].copy()
    descend(keys)
    np.testing.assert_array_equal(keys, expected)


@pytest.mark.parametrize("k", [1, 100, 3_000])
@pytest.mark.parametrize("values", [np.arange(20_000), -np.arange(20_000), np.zeros(20_000), np.arange(20_000) % 7])
def test_rows_in_any_order_are_sorted_and_cut(values, k):
    scores = values.astype(np.float32)[None]
    items, best = top_k(scores, k)
    expected = np.argsort(-scores[0], kind="stable")[:k]
    np.testing.assert_array_equal(items[0], expected)
    np.testing.assert_array_equal(best[0], scores[0, expected])
