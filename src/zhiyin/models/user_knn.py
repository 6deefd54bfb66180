"""What people with a like history chose."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.kernels import product, top_k
from zhiyin.compute.sparse import compact_csr
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.features.interest import log_interest, query_interest
from zhiyin.models.columns import columns_of
from zhiyin.models.settings import require, require_half_life
from zhiyin.models.weighting import WEIGHTINGS, Weighting, frequency, rarity, row_sums
from zhiyin.types import Indexes, Scores

_BLOCK = 1 << 24  # likenesses (queries × people) held at once: 64 MiB


@dataclass(kw_only=True)
class UserKNN:
    """The choices of the people whose history is nearest, by cosine, weighted by likeness (Herlocker et al. 1999).

    s_qv = x_q·x_v / (|x_q| |x_v| + shrinkage), where an item that h people chose is scaled by h to the power
    -popularity_exponent / 2, because what everybody chose likens nobody (Breese et al. 1998, section 2.2.2);
    score_qi is the sum of s_qv over the nearest `neighbours` who chose i (Cremonesi et al. 2010, not normalised).
    The history of the query is compared with the stored histories, so everybody is a stranger here.

    An exponent of |x_v|² other than a half makes the cosine asymmetric (Aiolli 2013, section 4). Jaccard's index is
    x_q·x_v / (|x_q|² + |x_v|² - x_q·x_v). With TF-IDF and BM25 a person is a document, and the items are its terms.
    What many chose is found near everybody, so an item that h people chose may score h^-out_exponent of its sum, as
    the popularity of items is damped in a random walk (Paudel et al. 2017, RP3β).
    """

    timeless: ClassVar[bool] = True
    neighbours: int = 100
    shrinkage: float = 1.0  # likeness that rests on few items counts less
    popularity_exponent: float = 0.5  # 0: a hit likens people like anything else; 1: h people, one h-th
    likeness: Literal["cosine", "jaccard"] = "cosine"
    weighting: Weighting = "none"
    neighbour_exponent: float = 0.5  # of |x_v|² for a neighbour v: the more, the less a busy person speaks
    out_exponent: float = 0.0  # the more, the worse popular items score
    half_life_days: float | None = 90.0  # how fast an event of the query's history loses weight; None: not at all
    interest_: csr_array = field(init=False, repr=False, compare=False)  # float32[users, n], each choice as it scores
    by_item_: csr_array = field(init=False, repr=False, compare=False)  # float32[n, users], the same, scaled
    scales_: Scores = field(init=False, repr=False, compare=False)  # float32[n]
    squares_: Scores = field(init=False, repr=False, compare=False)  # float32[users], |x_v|² of the scaled rows
    average_length_: float = field(init=False, repr=False, compare=False)  # of a history, in weight

    def __post_init__(self) -> None:
        require(self, "neighbours", self.neighbours >= 1, ">= 1", "try 20 to 500")
        require(self, "shrinkage", self.shrinkage >= 0, ">= 0", "try 0 to 100")
        require(self, "popularity_exponent", self.popularity_exponent >= 0, ">= 0", "try 0 to 1")
        require(self, "likeness", self.likeness in ("cosine", "jaccard"), '"cosine" or "jaccard"', "try cosine")
        require(self, "weighting", self.weighting in WEIGHTINGS, '"none", "tf_idf" or "bm25"', "try none")
        for name in ("neighbour_exponent", "out_exponent"):
            require(self, name, -2 <= getattr(self, name) <= 2, "from -2 to 2", "try 0 to 1")
        require_half_life(self)

    def fit(self, data: Dataset) -> Self:
        """Keep the histories of those who have one."""
        interest = log_interest(data.interactions)
        self.interest_ = interest[np.diff(interest.indptr) > 0]
        counts = np.bincount(interest.indices, minlength=interest.shape[1])  # [n]
        rare = rarity(counts, self.interest_.shape[0], self.weighting)
        self.scales_ = (np.maximum(counts, 1) ** (-self.popularity_exponent / 2) * rare).astype(np.float32)
        self.average_length_ = float(interest.data.sum(dtype=np.float64)) / max(self.interest_.shape[0], 1)
        scaled = self._scaled(self.interest_)
        self.by_item_, self.squares_ = scaled.T.tocsr(), _squares(scaled)
        self.interest_.data *= (counts[self.interest_.indices] ** -self.out_exponent).astype(np.float32)
        return self

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m]; see `Recommender.score`."""
        places = np.arange(self.interest_.shape[1], dtype=np.int32)
        history = self._scaled(query_interest(queries, places, self.half_life_days))  # [b, n]
        columns = columns_of(places, items)  # [1 or b, m]
        nearest = self._nearest(history)  # [b, users]
        return product(nearest, self.interest_, columns)

    def _nearest(self, history: csr_array) -> csr_array:
        """float32[b, users], sparse: the likeness of the nearest people."""
        people = np.arange(len(self.squares_), dtype=np.int32)[None, :]
        block = max(_BLOCK // max(len(self.squares_), 1), 1)
        found, likeness = [], []
        for first in range(0, max(history.shape[0], 1), block):
            some = history[first : first + block]
            common = product(some, self.by_item_, people)  # [block, users]
            common /= self._scale_of(some, common)
            nearest, like = top_k(common, min(self.neighbours, len(self.squares_)))
            found.append(nearest)
            likeness.append(like)
        people, like = np.concatenate(found), np.concatenate(likeness)
        offsets = np.concatenate([[0], np.cumsum((people >= 0).sum(axis=1))])
        return compact_csr(like[people >= 0], people[people >= 0], offsets, (len(people), len(self.squares_)))

    def _scale_of(self, history: csr_array, common: Scores) -> Scores:
        """float32[b, users]: what x_q·x_v is divided by."""
        mine = _squares(history)[:, None]  # [b, 1]
        shrinkage = np.float32(self.shrinkage)
        if self.likeness == "jaccard":
            return mine + self.squares_ - common + shrinkage
        return np.sqrt(mine) * self.squares_ ** np.float32(self.neighbour_exponent) + shrinkage

    def _scaled(self, rows: csr_array) -> csr_array:
        """float32[b, n], sparse: each row as a document whose terms are items."""
        counts = np.diff(rows.indptr)
        cells = frequency(rows.data, np.repeat(row_sums(rows), counts), self.average_length_, self.weighting)
        return csr_array((cells * self.scales_[rows.indices], rows.indices, rows.indptr), shape=rows.shape)


def _squares(rows: csr_array) -> Scores:
    """float32[b], the squared length of each row."""
    return np.asarray(rows.multiply(rows).sum(axis=1), np.float32).ravel()
