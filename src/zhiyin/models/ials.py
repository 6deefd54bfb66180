"""Implicit alternating least squares."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.linalg.lapack import sposv
from scipy.sparse import csr_array

from zhiyin.compute.als_kernels import solve_rows
from zhiyin.compute.threads import over_blocks
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.interest import chosen_items, event_interest, query_interest
from zhiyin.models.columns import columns_of
from zhiyin.models.embedding import Embedding
from zhiyin.models.settings import require, require_half_life
from zhiyin.types import Indexes, Scores, Vectors

_STEPS = 2  # of conjugate gradients in a subspace: more lower the loss of the first sweeps alone
_FOLD_IN_SWEEPS = 8  # a query starts from zero, where a person in training starts from the last sweep
_BLOCK = 1024  # rows that are rotated at once


@dataclass(kw_only=True)
class IALS(Embedding):
    """Matrix factorisation of all that was and was not chosen (Hu et al. 2008, in the form of Rendle et al. 2022).

    Least of Σ_(u,i) chosen w_ui (u·v - 1)² + α Σ_all u, all i (u·v)² + λ (Σ_u (|I_u| + α n)^ν |u|² + Σ_i (|U_i| +
    α m)^ν |v|²), people and items in turn, each by subspaces (iALS++, Rendle et al. 2021). Before
    each turn both sides are rotated so that the Gram matrix of the fixed side is diagonal, which changes no score,
    makes the subspaces nearly independent and spares every product with a d × d matrix. A history is folded in by
    the very function that trained the people, with the same regularisation.
    """

    dimensions: int = 128
    l2: float = 0.003  # λ
    unobserved_weight: float = 0.03  # α, alpha_0 in the paper
    frequency_exponent: float = 1.0  # ν; 0: everybody is regularised alike, 1: as much as they count in the loss
    epochs: int = 16  # sweeps over people and items
    subspace: int = 64  # dimensions solved together; the larger, the faster; the smaller, the nearer to the optimum
    deviation: float = 0.1  # of a first score is this squared over the root of d; σ* in the paper
    half_life_days: float | None = 90.0  # how fast an event of the query's history loses weight; None: not at all
    seed: int = 0
    spectrum_: Scores = field(init=False, repr=False, compare=False)  # float32[d], of α item_vectorsᵀ item_vectors
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], an item's own index, -1 for untouched

    def __post_init__(self) -> None:
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 64 to 512")
        require(self, "l2", self.l2 > 0, "> 0", "try 0.001 to 0.1 with frequency_exponent 1")
        require(self, "unobserved_weight", self.unobserved_weight > 0, "> 0", "try 0.01 to 1")
        require(self, "frequency_exponent", 0 <= self.frequency_exponent <= 1, "in 0 to 1", "try 1")
        require(self, "epochs", self.epochs >= 1, ">= 1", "try 8 to 32")
        require(self, "subspace", self.subspace >= 1, ">= 1", "try 16 to 128")
        require(self, "deviation", self.deviation > 0, "> 0", "try 0.01 to 1")
        require_half_life(self)

    def fit(self, data: Dataset) -> Self:
        """Sweep over people and items in turn."""
        x, _, touched = chosen_items(data.interactions)  # [m, c], [n]
        items = self._items_of(x)
        _, self.spectrum_ = self._rotate(items)
        self.places_ = np.where(touched, np.arange(len(touched)), -1).astype(np.int32)
        self.item_vectors_ = np.full((len(touched), self.dimensions), np.nan, np.float32)
        self.item_vectors_[touched] = items
        return self

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]: each history solved as a row of training was; NaN for a history without a known item."""
        history = query_interest(queries, self.places_, self.half_life_days)  # [b, <= n]
        vectors = np.zeros((len(queries), self.dimensions), np.float32)
        for _ in range(_FOLD_IN_SWEEPS):
            self._step(history, self.item_vectors_, self.spectrum_, vectors, int((self.places_ >= 0).sum()))
        vectors[np.diff(history.indptr) == 0] = np.nan
        return vectors

    def explain(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m, t]: v_i A⁻¹ c_t v_t with A = diag(spectrum) + λ I + Σ c_t v_t v_tᵀ; see `Explains.explain`.

        A is that of the whole history and solved directly, where `encode` stops after a few sweeps: what is added up
        is nearer to the optimum than the score (Hu et al. 2008, section 5).
        """
        voices, interest, _ = event_interest(queries, self.places_, self.half_life_days)  # [b, t]
        history = query_interest(queries, self.places_, self.half_life_days)  # [b, <= n]
        count = int((self.places_ >= 0).sum())
        solved = np.empty((*items.shape, self.dimensions), np.float32)  # [b, m, d]
        for row, (first, last) in enumerate(zip(history.indptr, history.indptr[1:], strict=False)):
            near = self.item_vectors_[history.indices[first:last]] * np.sqrt(history.data[first:last, None])
            matrix = near.T @ near
            matrix.flat[:: self.dimensions + 1] += self.spectrum_ + self._l2(history.data[None, first:last], count)
            wanted = np.nan_to_num(self.item_vectors_[items[row]])
            solved[row] = sposv(matrix.T, wanted.T, overwrite_a=1, overwrite_b=1)[1].T
        spoken = solved @ (self.item_vectors_[voices] * interest[:, :, None]).transpose(0, 2, 1)  # [b, m, t]
        return np.where((columns_of(self.places_, items) >= 0)[:, :, None], spoken, np.float32(np.nan))

    def sweep(self, x: csr_array, transposed: csr_array, people: Vectors, items: Vectors) -> tuple[Vectors, Vectors]:
        """People [m, d] and items [c, d] after one more epoch on x [m, c]; the least of the loss is where it rests."""
        people, items = people.copy(), items.copy()
        self._turn(x, items, people)
        self._turn(transposed, people, items)
        return people, items

    def _items_of(self, x: csr_array) -> Vectors:
        """float32[c, d]: the items' side after all sweeps. Both sides change in place: they are most of the memory."""
        transposed = x.T.tocsr()
        items = np.random.default_rng(self.seed).standard_normal((x.shape[1], self.dimensions), np.float32)  # [c, d]
        items *= np.float32(self.deviation / np.sqrt(self.dimensions))
        people = np.zeros((x.shape[0], self.dimensions), np.float32)  # [m, d]
        for _ in range(self.epochs):
            self._turn(x, items, people)
            self._turn(transposed, people, items)
        return items

    def _turn(self, x: csr_array, fixed: Vectors, solved: Vectors) -> None:
        """Rotate both sides, and bring the second nearer to its optimum."""
        rotation, spectrum = self._rotate(fixed)
        _rotate_by(rotation, solved)
        self._step(x, fixed, spectrum, solved, len(fixed))

    def _rotate(self, vectors: Vectors) -> tuple[Vectors, Scores]:
        """Turn vectors along the axes of their Gram matrix, strongest first; the rotation, and α times the diagonal."""
        spectrum, axes = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
        rotation = np.ascontiguousarray(axes[:, ::-1], np.float32)
        _rotate_by(rotation, vectors)
        return rotation, (self.unobserved_weight * np.maximum(spectrum[::-1], 0.0)).astype(np.float32)

    def _step(self, x: csr_array, fixed: Vectors, spectrum: Scores, solved: Vectors, count: int) -> None:
        """Solve each row of x once, in training and in fold-in alike."""
        solve_rows(x, fixed, spectrum, self._l2(x, count), solved, block=self.subspace, steps=_STEPS)

    def _l2(self, x: csr_array | Scores, count: int) -> Scores:
        """float32[rows]: the regularisation of each row, which has `count` items to choose from."""
        chosen = np.asarray(x.sum(axis=1), np.float64)  # |I_u|
        return (self.l2 * (chosen + self.unobserved_weight * count) ** self.frequency_exponent).astype(np.float32)


def _rotate_by(rotation: Vectors, vectors: Vectors) -> None:
    """Turn vectors [_, d] in place, in threads of our own, because those of linear algebra wait by spinning."""

    def task(first: int, last: int) -> None:
        for start in range(first, last, _BLOCK):
            rows = slice(start, min(start + _BLOCK, last))
            vectors[rows] = vectors[rows] @ rotation

    over_blocks(len(vectors), task)
