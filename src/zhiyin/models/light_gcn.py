"""Vectors spread over the graph of people and items."""

from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.dense_product import dense_product
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.interest import chosen_items, event_interest, query_interest
from zhiyin.models.embedding import Embedding
from zhiyin.models.extras import needs_torch
from zhiyin.models.item_to_item import places_of
from zhiyin.models.settings import require, require_half_life
from zhiyin.types import Indexes, Scores, Vectors


@dataclass(kw_only=True)
class LightGCN(Embedding):
    """Light graph convolution (He et al. 2020): each vector is the mean of what comes after 0 to `layers` steps.

    With A = U^-½ X D^-½, where U and D hold the sums of the rows and columns of X, a step takes people p and items v
    to A v and Aᵀ p. The vectors before the first step are learned; each epoch is one step of Adam over all of X.
    `loss="softmax"` descends Σ_(u,i) -x_ui s_ui + Σ_u |x_u| ln Σ_j exp s_uj, with s the cosine over `temperature`
    and items j drawn even over the catalogue (SSM, Wu et al. 2024); `"bpr"` is the loss of the paper, with s = p·v.
    Under the softmax the final vectors of items are multiplied by D^out_exponent, which is not in the papers: 0.05
    raised the recall of cosines by 15 % on the validation part of Gowalla, and by 4 % on that of Last.fm.

    A history h that the graph has never seen joins it as a person without a vector of their own: h takes no part in
    the items' steps, its layer k is |h|^-½ h D^-½ v_(k-1), its layer 0 is zero. With `own_vectors` people in training
    have more than their history, as in the paper, but everybody is answered from history alone; without, training
    sees what answering sees and takes half the products.
    """

    dimensions: int = 64
    layers: int = 3
    epochs: int = 120
    learning_rate: float = 0.02  # falls to zero in a straight line
    l2: float = 0.0  # on the vectors before the first step
    loss: Literal["softmax", "bpr"] = "softmax"
    temperature: float = 0.07  # of the softmax
    negatives: int = 2048  # drawn in each epoch for everybody, for the softmax
    out_exponent: float = 0.05  # the more, the better popular items score, under the softmax
    own_vectors: bool = False  # whether people, too, have vectors to learn, as in the paper
    half_life_days: float | None = 90.0  # how fast an event of the query's history loses weight; None: not at all
    seed: int = 0
    inputs_: Vectors = field(init=False, repr=False, compare=False)  # float32[c, d], what an item adds to a history
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], an item's row in inputs_, -1 for none

    def __post_init__(self) -> None:
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 64 to 256")
        require(self, "layers", self.layers >= 1, ">= 1", "try 2 or 3")
        require(self, "epochs", self.epochs >= 1, ">= 1", "try 100 to 500")
        require(self, "learning_rate", self.learning_rate > 0, "> 0", "try 0.005 to 0.05")
        require(self, "l2", self.l2 >= 0, ">= 0", "try 0 to 0.0001")
        require(self, "loss", self.loss in ("softmax", "bpr"), '"softmax" or "bpr"', "try softmax")
        require(self, "temperature", self.temperature > 0, "> 0", "try 0.05 to 0.3")
        require(self, "out_exponent", -2 <= self.out_exponent <= 2, "from -2 to 2", "try 0 to 0.1")
        require(self, "negatives", self.negatives >= 1, ">= 1", "try 512 to 4096")
        require_half_life(self)

    def fit(self, data: Dataset) -> Self:
        """Learn the vectors before the first step; keep what answers need of those after.

        Raises
        ------
        MissingExtraError
            Without PyTorch.
        """
        needs_torch()
        from zhiyin.models.neural.light_gcn import learned  # noqa: PLC0415 - the extra neural

        x, _, touched = chosen_items(data.interactions)  # [m, c], [n]
        self.places_ = places_of(touched)
        layers = learned(self, x, normalised(x))  # of the items, float32[layers + 1, c, d]
        degrees = np.asarray(x.sum(axis=0), np.float32)  # [c]
        self.inputs_ = (layers[:-1].sum(axis=0) / (np.sqrt(degrees)[:, None] * len(layers))).astype(np.float32)
        self.item_vectors_ = np.full((len(touched), self.dimensions), np.nan, np.float32)
        louder = degrees[:, None] ** np.float32(self.out_exponent if self.loss == "softmax" else 0.0)  # [c, 1]
        self.item_vectors_[touched] = self._measured(layers.mean(axis=0)) * louder
        return self

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]; NaN for a history without a known item."""
        return self._measured(self._joined(queries)[0])

    def explain(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m, t], at the length that the whole history has; see `Explains.explain`."""
        voices, interest, _ = event_interest(queries, self.places_, self.half_life_days)  # [b, t]
        vectors, roots = self._joined(queries)
        shares = interest / (roots * self._lengths(vectors))[:, None]
        return self._contributions(self.inputs_[voices] * shares[:, :, None], items)

    def _joined(self, queries: Queries) -> tuple[Vectors, Scores]:
        """float32[b, d], where each history stands in the graph, and float32[b], the root of its weight."""
        history = query_interest(queries, self.places_, self.half_life_days)  # [b, c]
        roots = np.sqrt(np.asarray(history.sum(axis=1), np.float32))
        roots[roots == 0] = np.nan
        return (dense_product(history, self.inputs_) / roots[:, None]).astype(np.float32), roots

    def _measured(self, vectors: Vectors) -> Vectors:
        """As they are compared: of length one under the softmax, whose scores are cosines."""
        return (vectors / self._lengths(vectors)[:, None]).astype(np.float32)

    def _lengths(self, vectors: Vectors) -> Scores:
        """float32[_]: what vectors are divided by before they are compared."""
        if self.loss == "bpr":
            return np.ones(len(vectors), np.float32)
        return np.maximum(np.linalg.norm(vectors, axis=1), np.float32(1e-12))


def normalised(x: csr_array) -> csr_array:
    """float32[m, c], sparse: each entry over the roots of the sums of its row and its column."""
    rows, columns = (np.asarray(x.sum(axis=axis), np.float64) for axis in (1, 0))
    data = x.data / np.sqrt(np.repeat(rows, np.diff(x.indptr)) * columns[x.indices])
    return csr_array((data.astype(np.float32), x.indices, x.indptr), shape=x.shape)
