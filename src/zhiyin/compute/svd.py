"""The strongest directions of a sparse matrix."""

import numpy as np
from scipy.sparse import csr_array

from zhiyin.types import Vectors

_EXTRA = 10  # directions tried beyond those wanted (Halko et al. 2011, section 4.2)
_POWER_STEPS = 4  # each makes weak directions weaker (section 4.5)


def right_singular_vectors(matrix: csr_array, dimensions: int, rng: np.random.Generator) -> Vectors:
    """float32[columns, d]: the first singular vectors, strongest first; d is less where the matrix has fewer.

    Randomised subspace iteration (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1).
    """
    d = min(dimensions, *matrix.shape)
    if d == 0:
        return np.zeros((matrix.shape[1], 0), np.float32)
    width = min(d + _EXTRA, *matrix.shape)
    basis = np.linalg.qr(matrix @ rng.standard_normal((matrix.shape[1], width), np.float32))[0]  # [rows, width]
    transposed = matrix.T.tocsr()
    for _ in range(_POWER_STEPS):
        basis = np.linalg.qr(matrix @ np.linalg.qr(transposed @ basis)[0])[0]
    right = np.linalg.svd(transposed @ basis, full_matrices=False)[0]  # [columns, width]
    return np.ascontiguousarray(right[:, :d], dtype=np.float32)
