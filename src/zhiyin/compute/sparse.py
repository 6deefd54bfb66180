"""Sparse matrices that a request can pass on without a copy."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.types import Indexes


def compact_csr(
    data: NDArray[np.float32], indices: Indexes, offsets: NDArray[np.integer], shape: tuple[int, int]
) -> csr_array:
    """A sparse matrix whose indices stay int32, where scipy would widen and the loops then narrow them on each call."""
    if len(indices) <= np.iinfo(np.int32).max:
        offsets = offsets.astype(np.int32)
    return csr_array((data, indices, offsets), shape=shape)
