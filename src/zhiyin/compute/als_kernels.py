"""The compiled loop of alternating least squares: each row of a sparse matrix solved for its vector.

The caller turns the fixed side so that its Gram matrix is diagonal. What a row has not chosen is then d numbers, and
the cost of a row is that of what it did choose: nothing is ever multiplied by a d × d matrix. The slow, obvious twin
stands in the tests.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Vectors

Data = NDArray[np.float32]
_FAST = {"reassoc", "contract", "nsz", "arcp"}  # sums in any order; NaN stays NaN


def solve_rows(
    matrix: csr_array, fixed: Vectors, diagonal: Data, l2: Data, solved: Vectors, *, block: int, steps: int
) -> None:
    """Bring each row u of `solved` nearer to the least of Σ_i w_i (u·v_i - 1)² + Σ_j diagonal_j u_j² + l2 |u|².

    One pass over the subspaces of `block` coordinates (iALS++, Rendle et al. 2021), in each `steps` steps
    of conjugate gradients, preconditioned by the diagonal. A row without entries becomes zero.

    Parameters
    ----------
    matrix
        float32[rows, n], sparse: the weights w > 0 of what each row chose.
    fixed
        float32[n, d]: the vectors v of the other side.
    diagonal
        float32[d]: the weight of everything that was not chosen times the diagonal of fixedᵀ fixed.
    l2
        float32[rows].
    solved
        float32[rows, d], changed in place: where it starts is where the steps start.
    """
    parts = (matrix.indptr, matrix.indices, np.require(matrix.data, np.float32, ["C", "W"]))
    over_blocks(
        matrix.shape[0],
        lambda first, last: _solve(*parts, fixed, diagonal, l2, solved, block, steps, first, last),
    )


@njit(cache=True, nogil=True, fastmath=_FAST)
def _dots(near: Vectors, rows: int, first: int, p: Data, out: Data) -> None:
    """Write near[:, first:] @ p, four rows (zeros beyond the last) at a time, so that p is read once for all four."""
    for k in range(0, rows, 4):
        a, b, c, e = near[k, first:], near[k + 1, first:], near[k + 2, first:], near[k + 3, first:]
        s0 = s1 = s2 = s3 = np.float32(0)
        for j in range(len(p)):
            s0 += a[j] * p[j]
            s1 += b[j] * p[j]
            s2 += c[j] * p[j]
            s3 += e[j] * p[j]
        out[k], out[k + 1], out[k + 2], out[k + 3] = s0, s1, s2, s3


@njit(cache=True, nogil=True, fastmath=_FAST)
def _add_rows(near: Vectors, rows: int, first: int, scales: Data, out: Data) -> None:
    """Add scales @ near[:, first:], four rows at a time."""
    for k in range(0, rows, 4):
        a, b, c, e = near[k, first:], near[k + 1, first:], near[k + 2, first:], near[k + 3, first:]
        s0, s1, s2, s3 = scales[k], scales[k + 1], scales[k + 2], scales[k + 3]
        for j in range(len(out)):
            out[j] += s0 * a[j] + s1 * b[j] + s2 * c[j] + s3 * e[j]


@njit(cache=True, nogil=True, fastmath=_FAST)
def _descend(
    near: Vectors, rows: int, first: int, ridge: Data, u: Data, errors: Data, steps: int, room: Vectors, image: Data
) -> None:
    """Conjugate gradients over the coordinates of u, which stand at `first` in near; errors = sqrt(w) - near @ u."""
    d, before = len(u), np.float32(0)
    g, p = room[0, :d], room[1, :d]
    p[:] = 0
    for _ in range(steps):
        for j in range(d):
            g[j] = -ridge[j] * u[j]
        _add_rows(near, rows, first, errors, g)  # half the negative gradient
        size = np.float32(0)
        for j in range(d):
            size += g[j] * g[j] / ridge[j]
        if size <= np.float32(1e-14):
            return
        kept = size / before if before > 0 else np.float32(0)
        curvature = np.float32(0)
        for j in range(d):
            p[j] = g[j] / ridge[j] + kept * p[j]
            curvature += ridge[j] * p[j] * p[j]
        _dots(near, rows, first, p, image)
        for k in range(rows):
            curvature += image[k] * image[k]
        step, before = size / curvature, size
        for j in range(d):
            u[j] += step * p[j]
        for k in range(rows):
            errors[k] -= step * image[k]


@njit(cache=True, nogil=True, fastmath=_FAST)
def _solve(
    offsets: NDArray[Any], items: Indexes, weights: Data, fixed: Vectors, diagonal: Data, l2: Data, solved: Vectors,
    block: int, steps: int, start: int, stop: int,
) -> None:  # fmt: skip
    d, most = fixed.shape[1], 0
    for row in range(start, stop):
        most = max(most, offsets[row + 1] - offsets[row])
    near = np.zeros((most + 3, d), np.float32)  # the chosen vectors side by side, times sqrt(w)
    errors, image = np.zeros(most + 3, np.float32), np.zeros(most + 3, np.float32)
    ridge, room = np.empty(d, np.float32), np.empty((2, min(block, d)), np.float32)
    for row in range(start, stop):
        u, count = solved[row], offsets[row + 1] - offsets[row]
        if count == 0:
            u[:] = 0
            continue
        for k in range(count):
            v, root, to = fixed[items[offsets[row] + k]], np.sqrt(weights[offsets[row] + k]), near[k]
            told = np.float32(0)
            for j in range(d):
                to[j] = root * v[j]
                told += to[j] * u[j]
            errors[k] = root - told
        rows = (count + 3) // 4 * 4
        near[count:rows] = 0
        errors[count:rows] = 0
        for j in range(d):
            ridge[j] = diagonal[j] + l2[row]
        for first in range(0, d, block):
            last = min(first + block, d)
            _descend(near, rows, first, ridge[first:last], u[first:last], errors, steps, room, image)
