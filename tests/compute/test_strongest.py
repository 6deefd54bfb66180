"""Sparse matrices of the strongest entries."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.compute.strongest import strongest


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), events=st.integers(0, 60), m=st.integers(1, 9), n=st.integers(1, 9))
def test_of_entries_for_the_same_cell_the_largest_stays(seed, events, m, n):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, m, events), rng.integers(0, n, events).astype(np.int32)
    weights = rng.choice([0.25, 0.5, 1.0, 1e-30, np.inf], events)
    found = strongest(rows, columns, weights, (m, n))
    expected: dict[tuple[int, int], float] = {}
    for cell, weight in zip(zip(rows.tolist(), columns.tolist(), strict=True), weights, strict=True):
        expected[cell] = max(expected.get(cell, 0.0), float(np.float32(weight)))
    pairs = zip(np.repeat(np.arange(m), np.diff(found.indptr)).tolist(), found.indices.tolist(), strict=True)
    cells = dict(zip(pairs, found.data.tolist(), strict=True))
    assert cells == expected
    assert list(cells) == sorted(cells)
    assert found.shape == (m, n)
    assert found.indices.dtype == found.indptr.dtype == np.int32
    assert found.data.dtype == np.float32
