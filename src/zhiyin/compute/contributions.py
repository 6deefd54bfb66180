"""Compiled loops that tell what each event of a history adds to a score."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.compute.kernels import plain
from zhiyin.types import Indexes, Offsets, Scores


def newest_voices(offsets: Offsets, columns: Indexes, interest: Scores, t: int) -> tuple[Indexes, Scores]:
    """int32[b, t] and float32[b, t]: of the newest t events of each row, those that are the strongest of their column.

    At the right; -1 and NaN before them, and where another event of the whole row is stronger, or as strong and newer.

    Parameters
    ----------
    offsets
        int64[b + 1]: row i is the slice offsets[i]:offsets[i + 1] of the other two.
    columns
        int32[events]; -1 is an event that says nothing.
    interest
        float32[events].
    """
    voices = np.full((len(offsets) - 1, t), -1, np.int32)
    loud = np.full(voices.shape, np.nan, np.float32)
    _newest(plain(offsets, np.int64), columns, interest, voices, loud)
    return voices, loud


def sparse_contributions(weights: csr_array, voices: Indexes, interest: Scores, columns: Indexes) -> Scores:
    """float32[b, m, t]: interest [b, t] of row voices [b, t] times its weight for columns [b, m]; NaN without a weight.

    Parameters
    ----------
    weights
        float32[c, c], sparse, the columns of each row ascending.
    """
    out = np.full((*columns.shape, voices.shape[1]), np.nan, np.float32)
    narrow = np.int32 if weights.nnz <= np.iinfo(np.int32).max else np.int64
    parts = plain(weights.indptr, narrow), plain(weights.indices, np.int32), plain(weights.data, np.float32)
    _spoken(*parts, voices, interest, plain(columns, np.int32), out)
    return out


@njit(cache=True, nogil=True)
def _newest(offsets: Offsets, columns: Indexes, interest: Scores, voices: Indexes, loud: Scores) -> None:
    t = voices.shape[1]
    for row in range(len(voices)):
        first, last = offsets[row], offsets[row + 1]
        for event in range(max(first, last - t), last):
            column, weight = columns[event], interest[event]
            if column < 0:
                continue
            strongest = True
            for other in range(first, last):
                if columns[other] == column and (
                    interest[other] > weight or (other > event and interest[other] == weight)
                ):
                    strongest = False
                    break
            if strongest:
                voices[row, t - (last - event)] = column
                loud[row, t - (last - event)] = weight


@njit(cache=True, nogil=True)
def _spoken(
    offsets: NDArray[Any], indices: Indexes, data: Scores, voices: Indexes, interest: Scores, columns: Indexes,
    out: Scores,
) -> None:  # fmt: skip
    for row in range(len(voices)):
        for event in range(voices.shape[1]):
            if voices[row, event] < 0:
                continue
            first, last = offsets[voices[row, event]], offsets[voices[row, event] + 1]
            for place in range(columns.shape[1]):
                wanted = columns[row, place]
                if wanted < 0:
                    continue
                low, high = first, last
                while low < high:
                    middle = (low + high) // 2
                    if indices[middle] < wanted:
                        low = middle + 1
                    else:
                        high = middle
                if low < last and indices[low] == wanted:
                    out[row, place, event] = interest[row, event] * data[low]
