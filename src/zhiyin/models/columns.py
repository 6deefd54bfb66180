"""From the items that are asked about to the columns of what a model knows."""

import numpy as np

from zhiyin.types import Indexes, Scores


def columns_of(places: Indexes, items: Indexes | None) -> Indexes:
    """int32[1, m] or int32[b, m]: the column of each item asked about; -1 for padding and for items without one.

    Parameters
    ----------
    places
        int32[n]: the column of each item, -1 for none.
    items
        As in `Recommender.score`: [m], [b, m] or None for all n.
    """
    if items is None:
        return places[None, :]
    return np.atleast_2d(np.where(items >= 0, places[items], np.int32(-1)))


def shared(item_scores: Scores, rows: int, items: Indexes | None) -> Scores:
    """float32[b, m]: the same score [n] of an item for every one of b rows; NaN for padding."""
    if items is None:
        return np.tile(item_scores, (rows, 1))
    scores = np.where(items >= 0, item_scores[items], np.float32(np.nan))
    return np.tile(scores, (rows, 1)) if items.ndim == 1 else scores
