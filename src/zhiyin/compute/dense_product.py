"""A sparse matrix times a dense one, in threads."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.compute.kernels import parts, plain
from zhiyin.compute.recent import Rows
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Vectors


def dense_product(matrix: csr_array, vectors: Vectors) -> Vectors:
    """float32[rows, d] of float32[rows, c], sparse, and float32[c, d]: what scipy does in one thread."""
    return product_of_rows(parts(matrix), vectors)


def product_of_rows(rows: Rows, vectors: Vectors) -> Vectors:
    """The same of the parts of a sparse matrix."""
    b, dense = len(rows[0]) - 1, plain(vectors, np.float32)
    out = np.zeros((b, vectors.shape[1]), np.float32)
    over_blocks(b, lambda first, last: _product_rows(*rows, dense, out, first, last))
    return out


@njit(cache=True, nogil=True, fastmath=True)
def _product_rows(
    offsets: NDArray[Any], columns: Indexes, data: NDArray[np.float32], vectors: Vectors, out: Vectors,
    first: int, last: int,
) -> None:  # fmt: skip
    d = vectors.shape[1]
    for row in range(first, last):
        for at in range(offsets[row], offsets[row + 1]):
            weight, column = data[at], columns[at]
            for j in range(d):
                out[row, j] += weight * vectors[column, j]
