"""Compiled loops: the best k of each row, sparse products, nearest neighbours. Never items × items in memory.

Each loop is compiled once for one set of types and cached on disk; the public functions bring arrays to those types.
The slow, obvious twins stand in the tests.
"""

from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.compute.selection import (
    LANES,
    LOWEST,
    descend,
    gather,
    item_bits,
    item_of,
    largest_first,
    room_for,
    write_best,
)
from zhiyin.compute.sparse import compact_csr
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Mask, Offsets, Scores

Data = NDArray[np.float32]
Number = TypeVar("Number", bound=np.generic)


def top_k(scores: Scores, k: int, allowed: Mask | None = None) -> tuple[Indexes, Scores]:
    """The best k of each row, best first: int32[b, k] and float32[b, k]; where a row has fewer, -1 and -inf.

    NaN (no opinion) and -inf (forbidden) are never among them; of equal scores the lower index comes first.

    Parameters
    ----------
    scores
        float32[b, n].
    allowed
        bool[b, n], or bool[1, n] for all rows, or None: everything is.
    """
    rows, n = scores.shape
    indexes = np.full((rows, k), -1, np.int32)
    best = np.full((rows, k), -np.inf, np.float32)
    if k == 0 or n == 0:
        return indexes, best
    scores = plain(scores, np.float32)
    mask = np.empty((0, n), np.bool_) if allowed is None else plain(allowed, np.bool_)
    over_blocks(rows, lambda first, last: _best_of_rows(scores, mask, indexes, best, first, last))
    return indexes, best


def product(left: csr_array, right: csr_array, columns: Indexes) -> Scores:
    """float32[b, m]: some columns of the sparse product left @ right; NaN where no two entries meet.

    Parameters
    ----------
    left, right
        float32[b, c] and float32[c, n], sparse.
    columns
        int32[1, m] for all rows or int32[b, m]; -1 gives NaN.
    """
    rows = left.shape[0]
    columns = plain(columns, np.int32)
    out = np.empty((rows, columns.shape[1]), np.float32)
    a, b, width = parts(left), parts(right), right.shape[1]
    over_blocks(rows, lambda first, last: _product_rows(*a, *b, width, columns, out, first, last))
    return out


def top_neighbours(
    matrix: csr_array, k: int, shrinkage: float, norms: tuple[Scores, Scores] | None = None, *, union: bool = False,
    least: float = 0.0,
) -> csr_array:  # fmt: skip
    """float32[n, n], sparse: in row i the k columns of `matrix` most like column i, with their likeness, never i.

    The likeness is the shrunk cosine x_i·x_j / (|x_i| |x_j| + shrinkage), or another quotient over x_i·x_j. The
    product of the matrix with itself is made one row at a time and forgotten.

    Parameters
    ----------
    matrix
        float32[users, n], sparse, positive.
    norms
        Two float32[n], a_i and b_j, in the place of the lengths |x_i| and |x_j|.
    union
        Divide by a_i + b_j - x_i·x_j + shrinkage and not by a_i b_j + shrinkage: Jaccard's index where these count.
    least
        Columns with a smaller x_i·x_j are no neighbours.
    """
    return as_rows(*neighbour_lists(matrix, k, shrinkage, norms, union=union, least=least))


def neighbour_lists(
    matrix: csr_array, k: int, shrinkage: float, norms: tuple[Scores, Scores] | None = None, *, union: bool = False,
    least: float = 0.0,
) -> tuple[Indexes, Scores]:  # fmt: skip
    """int32[n, k] and float32[n, k]: what `top_neighbours` finds, the lower column first, -1 at the ends."""
    n = matrix.shape[1]
    k = max(min(k, n - 1), 0)
    found = np.full((n, k), -1, np.int32)
    likeness = np.zeros((n, k), np.float32)
    by_user, by_item, shrunk = parts(matrix), parts(matrix.T.tocsr()), np.float32(shrinkage)
    if norms is None:
        lengths = _row_lengths(by_item[0], by_item[2])
        norms = lengths, lengths
    left, right = (plain(side, np.float32) for side in norms)
    if k:
        over_blocks(
            n,
            lambda first, last: _neighbour_rows(
                *by_item, *by_user, left, right, shrunk, np.float32(least), union, found, likeness, first, last
            ),
        )
    return found, likeness


def as_rows(found: Indexes, values: Scores) -> csr_array:
    """A sparse matrix of lists of columns [n, k], -1 at their ends; the lists are used up, it lives in their memory."""
    n = len(found)
    offsets = np.concatenate([[0], np.cumsum((found >= 0).sum(axis=1))])
    _pack(found, found.reshape(-1), offsets)
    _pack(values, values.reshape(-1), offsets)
    for array in (found, values):
        array.resize(offsets[-1], refcheck=False)  # gives back the rest
    rows = compact_csr(values, found, offsets, (n, n))
    rows.sort_indices()
    return rows


def plain(array: NDArray[Any], dtype: type[Number]) -> NDArray[Number]:
    """C order and writable, because each other kind of array would be compiled for again."""
    if array.dtype == dtype and array.flags.carray:  # which is usual; np.require takes seven times as long to find out
        return array
    return np.require(array, dtype, ["C", "W"])


def parts(matrix: csr_array) -> tuple[NDArray[Any], Indexes, Data]:
    """Offsets, columns and values, as compiled loops want them."""
    offsets = np.int32 if matrix.nnz <= np.iinfo(np.int32).max else np.int64  # narrow, as scipy holds them: no copy
    return plain(matrix.indptr, offsets), plain(matrix.indices, np.int32), plain(matrix.data, np.float32)


@njit(cache=True, nogil=True)
def _best_of_rows(scores: Scores, allowed: Mask, indexes: Indexes, best: Scores, first: int, last: int) -> None:
    k = indexes.shape[1]
    numbered, free, keys = np.empty(0, np.int32), np.empty(0, np.bool_), np.empty(room_for(k) + LANES, np.uint64)
    for row in range(first, last):
        permitted = allowed[row if len(allowed) > 1 else 0] if len(allowed) > 0 else free
        size, _ = gather(scores[row], numbered, permitted, keys, 0, LOWEST, k)
        write_best(keys, size, free, indexes[row], best[row])


@njit(cache=True, nogil=True)
def _product_rows(
    offsets: Offsets, items: Indexes, data: Data, to_offsets: Offsets, to_items: Indexes, to_data: Data,
    width: int, columns: Indexes, out: Scores, first: int, last: int,
) -> None:  # fmt: skip
    total = np.empty(width, np.float32)
    for row in range(first, last):
        total[:] = np.nan
        for at in range(offsets[row], offsets[row + 1]):
            for to in range(to_offsets[items[at]], to_offsets[items[at] + 1]):
                column, term = to_items[to], data[at] * to_data[to]
                total[column] = term if np.isnan(total[column]) else total[column] + term
        chosen = columns[row if len(columns) > 1 else 0]
        for place in range(len(chosen)):
            out[row, place] = total[chosen[place]] if chosen[place] >= 0 else np.nan


@njit(cache=True, nogil=True)
def _pack(lists: NDArray[Any], flat: NDArray[Any], offsets: Offsets) -> None:
    """Move the fronts of lists to the front of the memory that they stand in."""
    for row in range(len(lists)):
        for j in range(offsets[row + 1] - offsets[row]):
            flat[offsets[row] + j] = lists[row, j]


@njit(cache=True, nogil=True)
def _row_lengths(offsets: Offsets, data: Data) -> Data:
    lengths = np.empty(len(offsets) - 1, np.float32)
    for row in range(len(lengths)):
        square = 0.0
        for at in range(offsets[row], offsets[row + 1]):
            square += np.float64(data[at]) ** 2
        lengths[row] = np.sqrt(square)
    return lengths


@njit(cache=True, nogil=True)
def _neighbour_rows(
    offsets: Offsets, users: Indexes, data: Data, to_offsets: Offsets, to_items: Indexes, to_data: Data,
    left: Data, right: Data, shrinkage: float, least: float, union: bool,
    found: Indexes, likeness: Data, first: int, last: int,
) -> None:  # fmt: skip
    total = np.zeros(len(left), np.float32)
    touched = np.empty(len(left) + 1, np.int32)
    values = np.empty(len(left), np.float32)
    bits = values.view(np.uint32)
    keys = np.empty(
        len(left), np.uint64
    )  # positive floats stand in the order of their bits; then the lower index first
    for item in range(first, last):
        count = 0
        for at in range(offsets[item], offsets[item + 1]):
            for to in range(to_offsets[users[at]], to_offsets[users[at] + 1]):
                other = to_items[to]
                touched[count] = other
                count += total[other] == 0  # no branch to guess
                total[other] += data[at] * to_data[to]
        total[item] = 0
        for j in range(count):
            other = touched[j]
            both = left[item] + right[other] - total[other] if union else left[item] * right[other]
            values[j] = total[other] / (both + shrinkage) if total[other] >= least else np.float32(0)
            total[other] = 0
        for j in range(count):
            keys[j] = np.uint64(bits[j]) << np.uint64(32) | item_bits(touched[j])
        size = min(count, found.shape[1])
        largest_first(keys[:count], size)
        for j in range(size):
            keys[j] = keys[j] << np.uint64(32) | keys[j] >> np.uint64(32)
        descend(keys[:size])  # the lower item first, as a sparse matrix has them
        place = 0
        for j in range(size):
            bits[0] = np.uint32(keys[j] & np.uint64(0xFFFFFFFF))
            if values[0] > 0:  # zero is the item itself, or too little
                likeness[item, place], found[item, place] = values[0], item_of(keys[j] >> np.uint64(32))
                place += 1
