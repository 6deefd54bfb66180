"""What each event adds to a score, by asking again without it."""

import numpy as np

from zhiyin.data.queries import Queries
from zhiyin.models.recommender import Recommender
from zhiyin.types import Indexes, Scores

MOST_LEFT_OUT = 20
"""Events of a history, the newest, without which a model is asked again."""


def left_out(model: Recommender, queries: Queries, items: Indexes) -> Scores:
    """float32[b, m, t]: the score of items [b, m] less the score without each of the newest t <= 20 events.

    The events stand at the right; NaN is an event of which nothing can be said: padding, an unknown item, or a later
    event with the same item, which stands for all of them, because otherwise the next would take its place. No opinion
    without the event counts as a score of zero.
    """
    longest = int(queries.histories.lengths.max(initial=0))
    added = np.full((*items.shape, min(MOST_LEFT_OUT, longest)), np.nan, np.float32)
    for row in range(len(queries)):
        _of_one(model, queries[row : row + 1], items[row], added[row])
    return added


def _of_one(model: Recommender, query: Queries, items: Indexes, added: Scores) -> None:
    past, t = query.histories, added.shape[1]
    newest = past.items[::-1][:t]
    _, first = np.unique(newest, return_index=True)  # the newest event with each item
    spoken = first[newest[first] >= 0]
    asked = 1 + len(spoken)  # the whole history comes first
    without = np.append(np.int32(-2), newest[spoken])  # an item that no event has
    rows = np.zeros(asked, np.int64)
    histories = past[rows]
    histories = histories.kept(histories.items != without[histories.rows])
    scores = model.score(Queries(histories, query.people[rows], query.times[rows]), items)  # [asked, m]
    added[:, t - 1 - spoken] = (scores[0] - np.nan_to_num(scores[1:])).T
