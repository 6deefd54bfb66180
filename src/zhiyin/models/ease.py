"""The best linear model in closed form."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import csr_array

from zhiyin.compute.kernels import product
from zhiyin.data.dataset import Dataset
from zhiyin.errors import ConfigError
from zhiyin.features.interest import chosen_items
from zhiyin.models.item_to_item import ItemToItem, places_of
from zhiyin.models.settings import require
from zhiyin.types import Vectors

MOST_ITEMS = 40_000  # LAPACK counts elements in 32 bits and ends the process soon above
_MOST_MATRICES = 1.5  # float32[n, n]: one that becomes its inverse and then the weights, and a passing mask of it
_BLOCK = 1024  # rows mirrored at once


@dataclass(kw_only=True)
class EASE(ItemToItem):
    """Embarrassingly shallow autoencoder (Steck 2019): min |X - XB|² + l2 |B|² with a diagonal of zeros.

    The solution is B = I - P diag(1 / diag P) with P = (XᵀX + l2 I)⁻¹ (equation 8). Only items that somebody
    touched enter.
    """

    l2: float = 500.0
    memory_gb: float = 4.0  # that training may take: 25,000 items

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "l2", self.l2 > 0, "> 0", "try 100 to 1000 for catalogues under 50,000 items")
        require(self, "memory_gb", self.memory_gb > 0, "> 0", "4 is enough for 25,000 items")

    def fit(self, data: Dataset) -> Self:
        """Invert the regularised Gram matrix.

        Raises
        ------
        ConfigError
            Before anything large is made, if the items are too many for `memory_gb` or for LAPACK.
        """
        x, _, touched = chosen_items(data.interactions)  # [users, c], [n]
        self.places_ = places_of(touched)
        self._require_room(x.shape[1])
        self.weights_ = dense_weights(x, self.l2)
        return self

    def _require_room(self, items: int) -> None:
        needed = dense_gigabytes(items)
        if needed > self.memory_gb:
            raise ConfigError(
                f"EASE needs {_size(needed)} for {items:,} items and EASE.memory_gb allows {_size(self.memory_gb)}: "
                "use SparseEASE, which looks at neighbourhoods alone, or raise EASE.memory_gb"
            )
        if items > MOST_ITEMS:
            raise ConfigError(
                f"EASE can invert at most {MOST_ITEMS:,} items and the data have {items:,}: "
                "use SparseEASE, which looks at neighbourhoods alone"
            )


def dense_weights(x: csr_array, l2: float) -> Vectors:
    """float32[c, c]: B of equation 8 for x [users, c]."""
    gram = product(x.T.tocsr(), x, np.arange(x.shape[1], dtype=np.int32)[None, :])  # [c, c]
    gram[np.isnan(gram)] = 0.0  # no person has both items
    gram[np.diag_indices_from(gram)] += l2
    p = _invert(gram)
    p /= -np.diag(p).copy()  # column j over -P_jj
    np.fill_diagonal(p, 0.0)
    return p


def dense_gigabytes(items: int) -> float:
    """What training on so many items takes at its peak."""
    return _MOST_MATRICES * 4 * items**2 / 1e9


def _size(gigabytes: float) -> str:
    return f"{gigabytes:,.1f} GB" if gigabytes >= 0.1 else f"{gigabytes * 1000:,.1f} MB"


def _invert(gram: Vectors) -> Vectors:
    """float32[c, c]: the inverse of a symmetric positive definite matrix, by Cholesky, in the place of the matrix."""
    lower, failed = spotrf(gram.T, lower=1, overwrite_a=1, clean=0)
    if failed:
        raise ConfigError("EASE.l2 is too small to invert the items' Gram matrix: try 100 to 1000")
    inverse = spotri(lower, lower=1, overwrite_c=1)[0].T  # only its upper triangle is filled
    for first in range(0, len(inverse), _BLOCK):
        rows = slice(first, first + _BLOCK)
        corner = np.triu(inverse[rows, rows])
        inverse[rows, rows] = corner + np.triu(corner, 1).T
        inverse[first + _BLOCK :, rows] = inverse[rows, first + _BLOCK :].T
    return inverse
