"""The strongest directions of a sparse matrix."""

import numpy as np
from scipy.linalg import eigh, qr
from scipy.sparse import csr_array

from zhiyin.compute.dense_product import dense_product
from zhiyin.types import Scores, Vectors

_EXTRA = 10  # directions tried beyond those wanted (Halko et al. 2011, section 4.2)
_POWER_STEPS = 4  # each makes weak directions weaker (section 4.5)


def right_singular_vectors(matrix: csr_array, dimensions: int, rng: np.random.Generator) -> Vectors:
    """float32[columns, d]: the first singular vectors, strongest first; d is less where the matrix has fewer."""
    return strongest_directions(matrix, dimensions, rng)[0]


def strongest_directions(matrix: csr_array, dimensions: int, rng: np.random.Generator) -> tuple[Vectors, Scores]:
    """float32[columns, d] and float32[d]: the first right singular vectors, and the squares of their singular values.

    Randomised subspace iteration (Halko, Martinsson and Tropp 2011, section 4.5) on the side of the columns alone,
    and the best directions within the subspace that it ends in (Rayleigh and Ritz).
    """
    d = min(dimensions, *matrix.shape)
    if d == 0:
        return np.zeros((matrix.shape[1], 0), np.float32), np.zeros(0, np.float32)
    transposed = matrix.T.tocsr()
    width = min(d + _EXTRA, *matrix.shape)
    basis = rng.standard_normal((matrix.shape[1], width), np.float32)
    for _ in range(_POWER_STEPS):
        image = dense_product(matrix, basis)  # [rows, width]
        del basis  # before another is made: these are the largest arrays of a training
        basis = _orthonormal(dense_product(transposed, image))  # [columns, width]
        del image
    image = dense_product(matrix, basis)  # [rows, width]
    energies, directions = eigh(image.T @ image)  # weakest first
    del image
    strongest = np.ascontiguousarray(basis @ directions[:, ::-1][:, :d], np.float32)
    return strongest, np.maximum(energies[::-1][:d], 0).astype(np.float32)


def _orthonormal(vectors: Vectors) -> Vectors:
    """float32[columns, width]: in float32 throughout, which numpy's qr is not."""
    columns = np.asfortranarray(vectors)  # else LAPACK's wrapper makes a copy to ask for room, and a second to work in
    return qr(columns, mode="economic", overwrite_a=True, check_finite=False)[0]
