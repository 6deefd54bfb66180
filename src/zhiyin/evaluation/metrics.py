"""How good a list is: per-user values, so that every mean can carry its uncertainty.

A user without relevant items can not be served well or badly: the value is NaN, and means leave it out and say so.
The slow twin of every function is in `metrics_slow`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from zhiyin.compute import metric_kernels
from zhiyin.types import Floats, Indexes, Mask, Offsets, Scores


class Relevant(NamedTuple):
    """What each user really wanted, ragged; unique within a row."""

    offsets: Offsets
    items: Indexes

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> Self:
        """From one sequence of item indexes per user."""
        lists = [np.asarray(row, np.int32) for row in rows]
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
        return cls(offsets, np.concatenate([np.empty(0, np.int32), *lists]))

    @property
    def counts(self) -> NDArray[np.int64]:
        """int64[b]: how many items each user wanted."""
        return np.diff(self.offsets)

    @property
    def users(self) -> NDArray[np.int64]:
        """int64[len(items)]: the row that each item belongs to."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.counts)

    def block(self, start: int, stop: int) -> Self:
        """The rows start:stop."""
        offsets = self.offsets[start : stop + 1]
        return type(self)(offsets - offsets[0], self.items[offsets[0] : offsets[-1]])

    def only(self, kept: Mask) -> Self:
        """The items where kept[len(items)] holds; rows may become empty."""
        counts = np.bincount(self.users[kept], minlength=len(self.counts))
        return type(self)(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), self.items[kept])


@dataclass(frozen=True)
class Hits:
    """Lists held against what was wanted: all that the ranking metrics need to know."""

    found: Mask  # [b, k]
    filled: NDArray[np.int64]  # [b] places that hold an item at all
    wanted: NDArray[np.int64]  # [b] relevant items

    @classmethod
    def of(cls, recommended: Indexes, relevant: Relevant) -> Self:
        """From int32[b, k], best first, −1 = padding; an item that a list repeats counts once."""
        n_items = 1 + max(recommended.max(initial=-1), relevant.items.max(initial=-1))
        found = metric_kernels.found(
            np.ascontiguousarray(recommended, np.int32),
            np.ascontiguousarray(relevant.offsets, np.int64),
            np.ascontiguousarray(relevant.items, np.int32),
            int(n_items),
        )
        return cls(found, (recommended >= 0).sum(axis=1), relevant.counts)

    @property
    def k(self) -> int:
        """The length of a full list."""
        return int(self.found.shape[1])


def recall(hits: Hits) -> Floats:
    """Hits / |relevant|: the default of published tables; can not reach 1 when a user wanted more than k."""
    return _known(hits, _over(hits.found.sum(axis=1), hits.wanted))


def capped_recall(hits: Hits) -> Floats:
    """Hits / min(k, |relevant|): 1 is always reachable."""
    return _known(hits, _over(hits.found.sum(axis=1), np.minimum(hits.wanted, hits.k)))


def precision(hits: Hits) -> Floats:
    """Hits / k; an empty place counts as a miss."""
    return _known(hits, hits.found.sum(axis=1) / hits.k)


def hit_rate(hits: Hits) -> Floats:
    """1 when any hit is in the list, else 0."""
    return _known(hits, np.asarray(hits.found.any(axis=1), np.float64))


def ndcg(hits: Hits) -> Floats:
    """Binary gains discounted by 1 / log2(1 + rank), over the best that min(k, |relevant|) places could hold."""
    discounts = 1.0 / np.log2(np.arange(2, hits.k + 2))
    ideal: Floats = np.concatenate([[np.nan], np.cumsum(discounts)])
    best = ideal[np.minimum(hits.wanted, hits.k)]  # [b]
    return _known(hits, (hits.found @ discounts) / best)


def average_precision(hits: Hits) -> Floats:
    """Precision at each hit, summed, over min(k, |relevant|); its mean over users is MAP@k."""
    so_far = np.cumsum(hits.found, axis=1) / np.arange(1, hits.k + 1)  # [b, k]
    return _known(hits, _over((so_far * hits.found).sum(axis=1), np.minimum(hits.wanted, hits.k)))


def reciprocal_rank(hits: Hits) -> Floats:
    """1 / rank of the first hit, 0 without one; its mean over users is MRR@k."""
    first = hits.found.argmax(axis=1) + 1.0
    return _known(hits, np.where(hits.found.any(axis=1), 1.0 / first, 0.0))


RANKING: Mapping[str, Callable[[Hits], Floats]] = {
    "ndcg": ndcg,
    "recall": recall,
    "capped_recall": capped_recall,
    "precision": precision,
    "hit_rate": hit_rate,
    "map": average_precision,
    "mrr": reciprocal_rank,
}
"""The ranking metrics by the name that tables use."""


def auc(scores: Scores, allowed: Mask, relevant: Relevant) -> Floats:
    """float64[b]: the probability that a relevant item scores above an irrelevant allowed one, ties one half.

    scores is [b, n], allowed [b, n] or [n]. NaN ("no opinion") lies below every opinion and ties with itself; a
    relevant item that is not allowed loses to all that are. NaN without a relevant or without an irrelevant item.
    """
    return metric_kernels.areas(
        np.ascontiguousarray(scores, np.float32),
        np.ascontiguousarray(np.atleast_2d(allowed)),
        np.ascontiguousarray(relevant.offsets, np.int64),
        np.ascontiguousarray(relevant.items, np.int32),
    )


def auc_of_lists(hits: Hits, others: NDArray[np.int64], reachable: NDArray[np.int64]) -> Floats:
    """float64[b]: the AUC when only lists are known: their order, and a tie of everything allowed beyond them.

    others is how many irrelevant items, reachable how many relevant ones, were allowed: int64[b] each.
    """
    misses = (hits.filled[:, None] > np.arange(hits.k)) & ~hits.found  # [b, k]
    above = np.cumsum(misses, axis=1)  # [b, k] irrelevant items at or above each place
    won = np.where(hits.found, others[:, None] - above, 0).sum(axis=1)
    beyond = reachable - hits.found.sum(axis=1)
    won = won + 0.5 * beyond * (others - misses.sum(axis=1))
    return _over(won, np.where(others > 0, others * hits.wanted, 0))


@dataclass(frozen=True)
class RatingErrors:
    """How far predicted ratings are from given ones; what could not be predicted is counted apart, never guessed."""

    rmse: float
    mae: float
    predicted: int
    unpredicted: int


def rating_errors(predicted: Scores, given: Scores) -> RatingErrors:
    """RMSE and MAE over the pairs where both are known; NaN when there are none."""
    asked = ~np.isnan(given)
    known = asked & ~np.isnan(predicted)
    errors = predicted[known].astype(np.float64) - given[known]
    if not len(errors):
        return RatingErrors(np.nan, np.nan, 0, int(asked.sum()))
    rmse, mae = float(np.sqrt(np.mean(errors**2))), float(np.mean(np.abs(errors)))
    return RatingErrors(rmse, mae, len(errors), int(asked.sum() - len(errors)))


def _over(above: NDArray[np.floating] | NDArray[np.integer], below: NDArray[np.integer]) -> Floats:
    """A quotient that is NaN where there is nothing to divide by."""
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


def _known(hits: Hits, values: NDArray[np.floating]) -> Floats:
    return np.where(hits.wanted > 0, values, np.nan)
