import numpy as np
import pytest
from scipy.sparse import csr_array

from zhiyin.compute.svd import right_singular_vectors


@pytest.mark.parametrize("shape", [(80, 50), (50, 80)])
def test_the_directions_are_those_of_the_exact_decomposition(shape):
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((shape[0], 6)) @ rng.standard_normal((6, shape[1])) + 0.01 * rng.random(shape)
    found = right_singular_vectors(csr_array(matrix.astype(np.float32)), 6, np.random.default_rng(1))
    exact = np.linalg.svd(matrix, full_matrices=False)[2][:6].T
    assert found.shape == (shape[1], 6)
    np.testing.assert_allclose(np.abs((found * exact).sum(axis=0)), 1, atol=1e-3)  # signs are free


def test_a_small_matrix_has_fewer_directions_and_an_empty_one_none():
    rng = np.random.default_rng(0)
    assert right_singular_vectors(csr_array(np.ones((3, 2), np.float32)), 10, rng).shape == (2, 2)
    assert right_singular_vectors(csr_array((4, 0), dtype=np.float32), 10, rng).shape == (0, 0)
    assert np.isfinite(right_singular_vectors(csr_array((4, 3), dtype=np.float32), 2, rng)).all()
