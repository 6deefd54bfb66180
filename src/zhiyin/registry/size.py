"""How much a model weighs."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csc_array, csr_array


def megabytes(model: Any) -> float:
    """What it has learned, as numbers in memory."""
    return _size(model) / 1e6


def _size(value: Any) -> int:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.nbytes
    if isinstance(value, (csr_array, csc_array)):
        return int(value.data.nbytes + value.indices.nbytes + value.indptr.nbytes)
    if isinstance(value, (pl.Series, pl.DataFrame)):
        return int(value.estimated_size())
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(_size, value))
    if is_dataclass(value) and not isinstance(value, type):
        return sum(_size(getattr(value, one.name, None)) for one in fields(value))
    return 0
