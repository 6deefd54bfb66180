"""Items in order. This is the only file that sorts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhiyin.compute.kernels import top_k
from zhiyin.types import Indexes, Mask, Scores

FALLBACK = "fallback"
"""The origin of an item that no retriever proposed: it fills a list that would be short."""

EXPLORE = "explore"
"""The origin of an item that was drawn at random."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """m items per query, best first; a short list ends in -1 with score -inf and origin -1."""

    items: Indexes  # int32[b, m]
    scores: Scores  # float32[b, m], descending, but for places that promotions, caps or exploring decided
    origins: NDArray[np.int8]  # [b, m], index into origin_names: who found the item
    origin_names: tuple[str, ...]
    probabilities: NDArray[np.float32] | None = None
    """[b, m], that the item was drawn for its place, below 1 where others might have been; None: nothing was drawn."""

    def __len__(self) -> int:
        return len(self.items)

    def row(self, row: int) -> "Candidates":
        """One query alone."""
        if len(self) == 1:
            return self
        rows = slice(row, row + 1)
        drawn = None if self.probabilities is None else self.probabilities[rows]
        return Candidates(self.items[rows], self.scores[rows], self.origins[rows], self.origin_names, drawn)

    def copy(self) -> "Candidates":
        """The same in arrays of its own."""
        drawn = None if self.probabilities is None else self.probabilities.copy()
        return Candidates(self.items.copy(), self.scores.copy(), self.origins.copy(), self.origin_names, drawn)

    @classmethod
    def joined(cls, parts: Sequence["Candidates"]) -> "Candidates":
        """Blocks of queries, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.items for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.origins for part in parts]),
            parts[0].origin_names,
        )


def best(scores: Scores, k: int, allowed: Mask | None = None) -> tuple[Indexes, Scores]:
    """int32[b, k] and float32[b, k]: the k highest of scores [b, n], best first, ties by lower index.

    What is NaN, -inf or not allowed is never among them; a short list ends in -1 with score -inf.
    """
    return top_k(scores, min(k, scores.shape[1]), allowed)


def ordered(items: Indexes, scores: Scores, k: int) -> NDArray[np.int64]:
    """int64[b, <= k]: the places of the k best of each row; ties keep their order, -1 and NaN come last."""
    keys = np.where((items < 0) | np.isnan(scores), np.inf, -scores)
    return np.argsort(keys, axis=1, kind="stable")[:, :k]  # stable: ties keep the retriever's order


def without_repeats(items: Indexes) -> Indexes:
    """The same [b, m] with every later repeat within a row replaced by -1."""
    order = np.argsort(items, axis=1, kind="stable")
    sorted_items = np.take_along_axis(items, order, axis=1)
    repeated = np.zeros(items.shape, np.bool_)
    repeated[:, 1:] = sorted_items[:, 1:] == sorted_items[:, :-1]
    unique = np.empty_like(items)
    np.put_along_axis(unique, order, np.where(repeated, np.int32(-1), sorted_items), axis=1)
    return unique
