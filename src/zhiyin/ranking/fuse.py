"""Several opinions on one pool of candidates, made into one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zhiyin.compute.pooling import features
from zhiyin.types import Floats, Offsets, Scores


class Opinions:
    """What each of r retrievers thinks of the m candidates of b queries.

    Parameters
    ----------
    scores
        float32[r, b, m], NaN is "no opinion"; or what makes them, for who asks: ranks alone are enough for some.
    ranks
        int32[r, b, m], from 0; -1 where the retriever did not propose the item.
    """

    def __init__(self, scores: Scores | Callable[[], Scores], ranks: NDArray[np.int32]) -> None:
        self.ranks = ranks
        self._scores = scores

    @cached_property
    def scores(self) -> Scores:
        """float32[r, b, m]; NaN is "no opinion"."""
        return self._scores() if callable(self._scores) else self._scores

    def features(self) -> NDArray[np.float32]:
        """float32[b, m, 2r]: each retriever's standardised score (0 if it has none), and its reciprocal rank.

        A score is standardised within its query, because its scale may grow with the history: compared across
        queries, a blend would hear the same retriever loudly for a busy person and hardly for another.
        """
        return features(self.scores, self.ranks, RANK_OFFSET, _LEAST)


RANK_OFFSET = 60.0  # Cormack et al. 2009 found the fusion insensitive to it
_LEAST = 1e-6  # of the mean: scores that differ by less, by rounding alone, say nothing


class Combines(Protocol):
    """A way to make one score of several opinions."""

    def combine(self, opinions: Opinions) -> Scores:
        """float32[b, m]."""
        ...

    def among(self, retrievers: Sequence[int]) -> "Combines":
        """The same way where only these retrievers have an opinion, in this order."""
        ...


@dataclass(frozen=True)
class ReciprocalRank:
    """The sum of 1 / (60 + rank): needs no training, ignores scales (Cormack, Clarke, Buettcher, SIGIR 2009)."""

    def combine(self, opinions: Opinions) -> Scores:
        """float32[b, m], higher where more retrievers put the item higher."""
        ranks = opinions.ranks
        return np.where(ranks >= 0, 1.0 / (RANK_OFFSET + 1 + ranks), 0.0).sum(axis=0).astype(np.float32)

    def among(self, _: Sequence[int]) -> "ReciprocalRank":
        """All ranks count alike, whose ever they are."""
        return self


@dataclass
class Blend:
    """A linear blend whose weights make the chosen items likely: a softmax over the pool of each query.

    Weights are >= 0, so that no retriever counts against what it likes; l2 pulls them towards zero.
    """

    l2: float = 0.01
    """On the mean loss of a query; enough to keep weights finite when a retriever is perfect."""
    weights_: Floats = field(init=False, repr=False, compare=False)  # [2r]

    def fit(self, opinions: Opinions, chosen: NDArray[np.bool_]) -> "Blend":
        """Learn from what was chosen: bool[b, m]; queries without a choice in their pool are left out."""
        from scipy.optimize import minimize  # noqa: PLC0415 - a sixth of a second that who answers need not spend

        rows = np.flatnonzero(chosen.any(axis=1))
        features = opinions.features()[rows].astype(np.float64)
        present = (opinions.ranks.max(axis=0) >= 0)[rows]
        targets = chosen[rows] / chosen[rows].sum(axis=1, keepdims=True)
        start = np.full(features.shape[2], 0.1)
        if len(rows) == 0:  # nothing was chosen: all retrievers count alike
            self.weights_ = start
            return self
        found = minimize(
            _loss, start, args=(features, present, targets, self.l2), jac=True, method="L-BFGS-B",
            bounds=[(0.0, None)] * len(start),
        )  # fmt: skip
        self.weights_ = found.x
        return self

    def combine(self, opinions: Opinions) -> Scores:
        """float32[b, m]."""
        return opinions.features() @ self.weights_.astype(np.float32)

    def among(self, retrievers: Sequence[int]) -> Combines:
        """The weights of these retrievers; their ranks, where the blend has learnt to hear none of them."""
        chosen = np.array(retrievers)
        weights = self.weights_[np.concatenate([chosen, chosen + len(self.weights_) // 2])]
        if not weights.any():
            return ReciprocalRank()
        blend = Blend(self.l2)
        blend.weights_ = weights
        return blend


def _loss(
    weights: Floats, features: Floats, present: NDArray[np.bool_], targets: Floats, l2: float
) -> tuple[float, Floats]:
    """Mean cross-entropy between the softmax over each pool and the choices, and its gradient."""
    logits = np.where(present, features @ weights, -np.inf)  # [b, m]
    logits -= logits.max(axis=1, keepdims=True)
    likelihood = np.exp(logits)
    total = likelihood.sum(axis=1, keepdims=True)
    picked = targets > 0
    loss = -(targets[picked] * (logits - np.log(total))[picked]).sum() / len(targets) + l2 * (weights @ weights)
    slope = np.einsum("bm,bmf->f", likelihood / total - targets, features) / len(targets)
    return float(loss), slope + 2 * l2 * weights


def marked(items: NDArray[np.int32], offsets: Offsets, relevant: NDArray[np.int32]) -> NDArray[np.bool_]:
    """bool[b, m]: which of items [b, m] are among the relevant ones of their query (ragged, see `Split`)."""
    rows = np.repeat(np.arange(len(items)), np.diff(offsets)).astype(np.int64)
    width = int(max(items.max(initial=0), relevant.max(initial=0))) + 1
    wanted = rows * width + relevant
    given = np.arange(len(items))[:, None] * width + items
    return np.isin(given, wanted) & (items >= 0)
