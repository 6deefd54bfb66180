"""Each column of a sparse matrix explained by a few of the others. Never items × items in memory.

The slow, obvious twin stands in the tests.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from zhiyin.compute.sparse import compact_csr
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Scores, Vectors

Data = NDArray[np.float32]

_ENOUGH = 1e-4  # a sweep that changes no weight by more ends the descent
_BLOCK = 256  # columns after which a thread asks for room again


def ridge(matrix: csr_array, candidates: Indexes, l2: Scores) -> csr_array:
    """float32[n, n], sparse: in column j the weights of the columns that explain column j of `matrix`.

    Column j minimises |x_j - Σ_i w_i x_i|² + Σ_i l2_i w_i² over its candidates i, solved by Cholesky.

    Parameters
    ----------
    matrix
        float32[users, n], sparse.
    candidates
        int32[n, m]: the columns that may explain each column, never itself; -1 at the end of a short row.
    l2
        float32[n], > 0.
    """
    return _regressed(matrix, candidates, l2, 0.0, 0)


def nonnegative_net(matrix: csr_array, candidates: Indexes, l2: Scores, l1: float, sweeps: int) -> csr_array:
    """float32[n, n], sparse: as `ridge`, with weights >= 0 and 2 l1 Σ_i w_i on top; weights of zero are left out.

    Cyclic coordinate descent (Friedman et al. 2010, equation 5) on the products of the candidates with one another.
    """
    return _regressed(matrix, candidates, l2, l1, sweeps)


def _regressed(matrix: csr_array, candidates: Indexes, l2: Scores, l1: float, sweeps: int) -> csr_array:
    n, m = candidates.shape
    weights = np.zeros((n, m), np.float32)
    columns = _parts(csc_array(matrix))
    wanted = np.require(candidates, np.int32, ["C", "W"])
    penalties = np.require(l2, np.float32, ["C", "W"])
    heads = matrix.shape[0]

    def task(first: int, last: int) -> None:
        for start in range(first, last, _BLOCK):
            stop = min(start + _BLOCK, last)
            _regress(*columns, heads, wanted, penalties, np.float32(l1), sweeps, weights, start, stop)

    over_blocks(n, task)
    return _by_row(weights, wanted)


def _parts(matrix: csc_array) -> tuple[NDArray[Any], Indexes, Data]:
    offsets = np.require(matrix.indptr, np.int64, ["C", "W"])
    return offsets, np.require(matrix.indices, np.int32, ["C", "W"]), np.require(matrix.data, np.float32, ["C", "W"])


def _by_row(weights: Vectors, candidates: Indexes) -> csr_array:
    """float32[n, n], sparse: weights[j, k] stands in row candidates[j, k] and column j."""
    n = len(weights)
    counts = np.zeros(n + 1, np.int64)
    _count_rows(weights, candidates, counts)
    offsets = np.cumsum(counts)
    columns, data = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.float32)
    _fill_rows(weights, candidates, offsets[:-1].copy(), columns, data)
    return compact_csr(data, columns, offsets, (n, n))


@njit(cache=True, nogil=True)
def _count_rows(weights: Vectors, candidates: Indexes, counts: NDArray[np.int64]) -> None:
    for j in range(len(weights)):
        for k in range(weights.shape[1]):
            if weights[j, k] != 0:
                counts[candidates[j, k] + 1] += 1


@njit(cache=True, nogil=True)
def _fill_rows(weights: Vectors, candidates: Indexes, places: NDArray[np.int64], columns: Indexes, data: Data) -> None:
    for j in range(len(weights)):  # ascending: the columns of a row ascend too
        for k in range(weights.shape[1]):
            if weights[j, k] != 0:
                at = places[candidates[j, k]]
                columns[at], data[at] = j, weights[j, k]
                places[candidates[j, k]] += 1


@njit(cache=True, nogil=True)
def _regress(
    offsets: NDArray[np.int64], users: Indexes, data: Data, n_users: int, candidates: Indexes, l2: Data, l1: float,
    sweeps: int, weights: Vectors, first: int, last: int,
) -> None:  # fmt: skip
    m = candidates.shape[1]
    heads = np.full(n_users, -1, np.int32)  # the newest entry of each user
    products, residuals = np.zeros((m, m), np.float32), np.zeros(m, np.float32)
    for item in range(first, last):
        count = 0
        while count < m and candidates[item, count] >= 0:
            count += 1
        _products(offsets, users, data, candidates[item, :count], item, heads, products, residuals)
        for place in range(count):
            products[place, place] += l2[candidates[item, place]]
        if sweeps > 0:
            _descend(products, residuals, weights[item], count, l1, sweeps)
        else:
            _solve(products, residuals, weights[item], count)


@njit(cache=True, nogil=True)
def _products(
    offsets: NDArray[np.int64], users: Indexes, data: Data, chosen: Indexes, item: int, heads: Indexes,
    products: Vectors, residuals: Data,
) -> None:  # fmt: skip
    """Fill products [c, c] of the chosen columns with one another and residuals [c], theirs with the item's column.

    Each user's entries are a linked list, so that only entries of the same user ever meet.
    """
    count = len(chosen)
    total = (offsets[chosen + 1] - offsets[chosen]).sum()
    before, places, values = np.empty(total, np.int32), np.empty(total, np.int32), np.empty(total, np.float32)
    used = 0
    for place in range(count):
        products[place, :count] = 0
        residuals[place] = 0
        for at in range(offsets[chosen[place]], offsets[chosen[place] + 1]):
            user, value = users[at], data[at]
            before[used], places[used], values[used] = heads[user], place, value
            heads[user] = used
            other = used
            while other >= 0:
                products[place, places[other]] += value * values[other]
                other = before[other]
            used += 1
    for place in range(count):
        products[:place, place] = products[place, :place]
    for at in range(offsets[item], offsets[item + 1]):
        entry = heads[users[at]]
        while entry >= 0:
            residuals[places[entry]] += data[at] * values[entry]
            entry = before[entry]
    for place in range(count):
        for at in range(offsets[chosen[place]], offsets[chosen[place] + 1]):
            heads[users[at]] = -1


@njit(cache=True, nogil=True, fastmath=True)
def _descend(products: Vectors, residuals: Data, weights: Data, count: int, l1: float, sweeps: int) -> None:
    for _ in range(sweeps):
        largest = np.float32(0)
        for place in range(count):
            pull = residuals[place] + products[place, place] * weights[place] - l1
            new = pull / products[place, place] if pull > 0 else np.float32(0)
            step = np.float32(new - weights[place])
            if step != 0:
                weights[place] = new
                for other in range(count):
                    residuals[other] -= step * products[place, other]
                largest = max(largest, abs(step))
        if largest < _ENOUGH:
            return


@njit(cache=True, nogil=True, fastmath=True)
def _solve(products: Vectors, residuals: Data, weights: Data, count: int) -> None:
    """Solve products weights = residuals; the lower triangle of the products becomes their Cholesky factor."""
    for row in range(count):
        for column in range(row + 1):
            rest = products[row, column]
            for at in range(column):
                rest -= products[row, at] * products[column, at]
            if row == column:
                products[row, row] = np.sqrt(max(rest, np.float32(1e-9)))
            else:
                products[row, column] = rest / products[column, column]
    for row in range(count):
        rest = residuals[row]
        for at in range(row):
            rest -= products[row, at] * weights[at]
        weights[row] = rest / products[row, row]
    for row in range(count - 1, -1, -1):
        weights[row] /= products[row, row]
        for at in range(row):
            weights[at] -= products[row, at] * weights[row]
