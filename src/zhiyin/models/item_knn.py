"""Items that the same people chose."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.kernels import top_neighbours
from zhiyin.data.dataset import Dataset
from zhiyin.features.interest import log_interest
from zhiyin.models.item_to_item import ItemToItem
from zhiyin.models.settings import require
from zhiyin.models.weighting import WEIGHTINGS, Weighting, frequency, rarity
from zhiyin.types import Scores


@dataclass(kw_only=True)
class ItemKNN(ItemToItem):
    """The items nearest to those of the history, by cosine (Deshpande and Karypis 2004).

    s_ij = x_i·x_j / (|x_i| |x_j| + shrinkage), with the shrinkage of Ferrari Dacrema et al. (2019), where a row of x is
    one person, scaled by the number of their items to the power -activity_exponent / 2, because who chose everything
    likens nothing (Breese et al. 1998, of items). Each item of the history speaks for its `neighbours` nearest alone.

    Exponents of the squared lengths other than a half make the cosine asymmetric (Aiolli 2013) or a random walk
    normalised by degrees (Paudel et al. 2017, RP3β). Jaccard's index is x_i·x_j / (|x_i|² + |x_j|² - x_i·x_j).
    With TF-IDF and BM25 an item is a document, and the people who chose it are its terms; BM25 is usually asked with
    both exponents at 0.
    """

    neighbours: int = 100
    shrinkage: float = 5.0  # likeness that rests on few people counts less
    activity_exponent: float = 0.5  # 0: what a busy person chose together counts like anybody's; 1: h items, one h-th
    likeness: Literal["cosine", "jaccard"] = "cosine"
    weighting: Weighting = "none"
    in_exponent: float = 0.5  # of |x_i|² for item i of the history: the more, the less a popular one speaks
    out_exponent: float = 0.5  # of |x_j|² for item j that is scored: the more, the worse popular ones score

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "neighbours", self.neighbours >= 1, ">= 1", "try 20 to 500")
        require(self, "shrinkage", self.shrinkage >= 0, ">= 0", "try 0 to 100")
        require(self, "activity_exponent", self.activity_exponent >= 0, ">= 0", "try 0 to 1")
        require(self, "likeness", self.likeness in ("cosine", "jaccard"), '"cosine" or "jaccard"', "try cosine")
        require(self, "weighting", self.weighting in WEIGHTINGS, '"none", "tf_idf" or "bm25"', "try none")
        for name in ("in_exponent", "out_exponent"):
            require(self, name, -2 <= getattr(self, name) <= 2, "from -2 to 2", "try 0 to 1")

    def fit(self, data: Dataset) -> Self:
        """Find the nearest items of each."""
        interest = log_interest(data.interactions)
        self.places_ = np.arange(interest.shape[1], dtype=np.int32)
        interest.data = self._weighed(interest)
        self.weights_ = top_neighbours(
            interest, self.neighbours, self.shrinkage, self._norms(interest), union=self.likeness == "jaccard"
        )
        return self

    def _weighed(self, interest: csr_array) -> Scores:
        counts = np.diff(interest.indptr)  # [users]
        people = np.maximum(counts, 1) ** np.float32(-self.activity_exponent / 2)
        documents = int((np.bincount(interest.indices, minlength=interest.shape[1]) > 0).sum())
        people = people * rarity(counts, documents, self.weighting)
        lengths = np.bincount(interest.indices, interest.data, interest.shape[1])  # [n]
        average = float(lengths.sum() / max(documents, 1))
        cells = frequency(interest.data, lengths[interest.indices], average, self.weighting)
        return (cells * np.repeat(people, counts)).astype(np.float32)

    def _norms(self, x: csr_array) -> tuple[Scores, Scores]:
        squares = np.bincount(x.indices, x.data.astype(np.float64) ** 2, x.shape[1])  # [n]
        if self.likeness == "jaccard":
            return squares.astype(np.float32), squares.astype(np.float32)
        squares[squares == 0] = 1.0  # nobody touched it: nothing to divide
        into, out = (squares**exponent for exponent in (self.in_exponent, self.out_exponent))
        return into.astype(np.float32), out.astype(np.float32)
