"""The compiled loops against slow, obvious twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from zhiyin.compute.kernels import product, top_k, top_neighbours


def slow_top_k(scores, k, allowed):
    indexes = np.full((len(scores), k), -1, np.int32)
    best = np.full((len(scores), k), -np.inf, np.float32)
    for row, values in enumerate(scores):
        mask = np.ones(len(values), bool) if allowed is None else allowed[row % len(allowed)]
        able = [item for item, value in enumerate(values) if mask[item] and value > -np.inf]
        for place, item in enumerate(sorted(able, key=lambda item: (-values[item], item))[:k]):
            indexes[row, place], best[row, place] = item, values[item]
    return indexes, best


def slow_product(left, right, columns):
    met = (left != 0).astype(int) @ (right != 0).astype(int) > 0
    everything = np.where(met, left @ right, np.nan)
    return np.array([
        [everything[row, column] if column >= 0 else np.nan for column in columns[row % len(columns)]]
        for row in range(len(left))
    ])  # fmt: skip


def slow_neighbours(matrix, k, shrinkage):
    n = matrix.shape[1]
    norms = np.sqrt((matrix**2).sum(axis=0))
    kept = np.zeros((n, n))
    for i in range(n):
        dots = [matrix[:, i] @ matrix[:, j] for j in range(n)]
        alike = [dot / (norms[i] * norms[j] + shrinkage) if dot > 0 else 0.0 for j, dot in enumerate(dots)]
        best = sorted((j for j in range(n) if j != i and alike[j] > 0), key=lambda j: (-np.float32(alike[j]), j))
        for j in best[:k]:
            kept[i, j] = alike[j]
    return kept


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(0, 4),
    n=st.integers(0, 30),
    k=st.integers(0, 40),
    mask_rows=st.sampled_from([None, 1, 0]),
)
def test_top_k_is_a_sort_and_a_cut(seed, rows, n, k, mask_rows):
    rng = np.random.default_rng(seed)
    values = np.array([np.nan, -np.inf, np.inf, -1.0, 0.0, 1.0, 2.0, 3.5], np.float32)
    scores = rng.choice(values, (rows, n))
    allowed = None if mask_rows is None else rng.random((mask_rows or max(rows, 1), n)) < 0.7
    indexes, best = top_k(scores, k, allowed)
    expected_indexes, expected = slow_top_k(scores, k, allowed)
    np.testing.assert_array_equal(indexes, expected_indexes)
    np.testing.assert_array_equal(best, expected)
    assert (indexes.dtype, best.dtype) == (np.int32, np.float32)


def test_top_k_of_many_rows_in_threads_and_of_any_memory_order():
    scores = np.random.default_rng(0).integers(0, 50, (300, 200)).astype(np.float32)
    expected = slow_top_k(scores, 7, None)
    for order in (scores, np.asfortranarray(scores), np.broadcast_to(scores, scores.shape)):
        np.testing.assert_array_equal(top_k(order, 7)[0], expected[0])


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10**6), rows=st.integers(0, 5), inner=st.integers(1, 8), n=st.integers(1, 9),
    each=st.booleans(),
)  # fmt: skip
def test_product_is_the_product_where_entries_meet(seed, rows, inner, n, each):
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 3, (rows, inner)).astype(np.float32)
    right = rng.integers(0, 2, (inner, n)).astype(np.float32)
    columns = rng.integers(-1, n, (rows if each else 1, 6)).astype(np.int32)
    found = product(csr_array(left), csr_array(right), columns)
    assert found.dtype == np.float32
    expected = slow_product(left, right, columns) if rows else np.empty((0, 6))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10**6), users=st.integers(1, 12), n=st.integers(1, 12), k=st.integers(0, 15),
    shrinkage=st.sampled_from([0.0, 1.0, 10.0]),
)  # fmt: skip
def test_neighbours_are_the_best_of_every_cosine(seed, users, n, k, shrinkage):
    rng = np.random.default_rng(seed)
    matrix = (rng.random((users, n)) < 0.4) * rng.choice([1.0, 0.5], (users, n))
    found = top_neighbours(csr_array(matrix.astype(np.float32)), k, shrinkage)
    expected = slow_neighbours(matrix, k, shrinkage)
    np.testing.assert_allclose(np.sort(found.toarray()), np.sort(expected), rtol=1e-5)  # ties may round either way
    assert found.has_sorted_indices


def test_the_number_of_threads_changes_nothing(monkeypatch):
    matrix = csr_array((np.random.default_rng(0).random((400, 200)) < 0.1).astype(np.float32))
    monkeypatch.setenv("ZHIYIN_THREADS", "1")
    alone = top_neighbours(matrix, 10, 1.0)
    monkeypatch.setenv("ZHIYIN_THREADS", "4")
    together = top_neighbours(matrix, 10, 1.0)
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(alone, part), getattr(together, part))


def test_loops_may_run_in_several_threads_at_once():
    from concurrent.futures import ThreadPoolExecutor

    scores = np.random.default_rng(0).random((200, 500), np.float32)
    expected = top_k(scores, 5)[0]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: top_k(scores, 5)[0], range(8)):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0)])
def test_empty_matrices_have_no_neighbours(shape):
    found = top_neighbours(csr_array(shape, dtype=np.float32), 3, 1.0)
    assert found.shape == (shape[1], shape[1])
    assert found.nnz == 0
