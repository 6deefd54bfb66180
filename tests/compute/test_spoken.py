"""Sparse products of which only what is touched is kept, against those that are made in full."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from zhiyin.compute.kernels import parts, product, top_k
from zhiyin.compute.spoken import best_heard, heard, spoken


def sparse(rng, rows, columns, share):
    weights = rng.integers(-3, 4, (rows, columns)) * (rng.random((rows, columns)) < share)
    return csr_array(weights.astype(np.float32))


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    b=st.integers(0, 5),
    c=st.integers(1, 6),
    n=st.integers(1, 80),
    k=st.integers(0, 90),
    share=st.sampled_from([0.0, 0.05, 0.5]),
)
def test_what_is_touched_has_the_scores_of_the_whole_product_and_nothing_else_has_any(seed, b, c, n, k, share):
    rng = np.random.default_rng(seed)
    left, right = sparse(rng, b, c, 0.6), sparse(rng, c, n, share)
    whole = product(left, right, np.arange(n, dtype=np.int32)[None])  # [b, n]
    tables = spoken(parts(left), right)
    np.testing.assert_array_equal(heard(tables, np.arange(n, dtype=np.int32)[None]), whole)
    some = rng.integers(-1, n, (b, 7)).astype(np.int32)
    looked_up = np.take_along_axis(whole, np.maximum(some, 0), axis=1)
    np.testing.assert_array_equal(heard(tables, some), np.where(some >= 0, looked_up, np.nan))
    items, allowed = rng.permutation(n + 3)[:n].astype(np.int32), rng.random((b, n + 3)) < 0.8
    by_item = np.full((b, n + 3), np.nan, np.float32)
    by_item[:, items] = whole
    found, expected = best_heard(tables, items, k, allowed), top_k(by_item, k, allowed)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
