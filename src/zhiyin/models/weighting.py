"""How much each cell of a matrix of documents and terms says: TF-IDF and BM25 of interest."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.types import Scores

Weighting = Literal["none", "tf_idf", "bm25"]
WEIGHTINGS = ("none", "tf_idf", "bm25")

_SATURATION, _LENGTH = 1.2, 0.75  # k1 and b, within what Robertson and Zaragoza (2009) found good


def rarity(documents_of: NDArray[np.integer], documents: int, weighting: Weighting) -> Scores:
    """float32[terms], log(1 + documents / documents of the term); 1 without weighting."""
    if weighting == "none":
        return np.ones(len(documents_of), np.float32)
    return np.log1p(documents / np.maximum(documents_of, 1)).astype(np.float32)


def frequency(data: Scores, lengths: NDArray[np.floating], average_length: float, weighting: Weighting) -> Scores:
    """float32[cells]: what a cell of interest `data` counts before rarity, in a document of the given length.

    TF-IDF takes the root; BM25 saturates, the sooner the longer the document (Robertson and Zaragoza 2009).
    """
    if weighting == "none":
        return data
    if weighting == "tf_idf":
        return np.sqrt(data)
    relative = lengths / max(average_length, 1e-9)
    saturated = data * (_SATURATION + 1) / (_SATURATION * (1 - _LENGTH + _LENGTH * relative) + data)
    return saturated.astype(np.float32)


def row_sums(rows: csr_array) -> Scores:
    """float32[rows]."""
    return np.asarray(rows.sum(axis=1), np.float32).ravel()
