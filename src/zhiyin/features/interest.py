"""How strongly each person has shown an interest in each item, as a sparse matrix."""

import numpy as np
from scipy.sparse import csr_array

from zhiyin.compute.contributions import newest_voices
from zhiyin.compute.recent import Rows, recent
from zhiyin.compute.sparse import compact_csr
from zhiyin.compute.strongest import strongest
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.features.recency import MOST_HALF_LIVES
from zhiyin.types import MICROSECONDS_PER_DAY, Floats, Indexes, Mask, Scores

MOST_EXPLAINED = 50
"""Events of a history, the newest, of which an explanation speaks."""


def log_interest(log: Interactions) -> csr_array:
    """float32[users, n], sparse: the weight of the strongest event; events that weigh nothing are left out."""
    counts, shape = log.weights > 0, (log.n_users, log.n_items)
    if counts.all():  # which is usual, and spares three copies
        return strongest(log.users, log.items, log.weights, shape)
    return strongest(log.users[counts], log.items[counts], log.weights[counts], shape)


def chosen_items(log: Interactions) -> tuple[csr_array, Floats, Mask]:
    """float32[users, c], what those who chose anything chose; float64[c], the people of each item; bool[n], which c."""
    interest = log_interest(log)
    people = np.bincount(interest.indices, minlength=log.n_items)  # [n]
    touched = people > 0
    columns = np.cumsum(touched, dtype=np.int32) - np.int32(1)  # [n]
    offsets = interest.indptr[np.append(True, np.diff(interest.indptr) > 0)]  # an empty row ends where it begins
    x = csr_array((interest.data, columns[interest.indices], offsets), shape=(len(offsets) - 1, int(touched.sum())))
    return x, people[touched].astype(np.float64), touched


def query_interest(queries: Queries, places: Indexes, half_life_days: float | None = None) -> csr_array:
    """float32[b, c], sparse: the strongest event of each query with each item, halved by its age.

    Ages count from the newest event of the history that has a column: whoever comes back after a year is still best
    known by what they did last.

    Parameters
    ----------
    places
        int32[n]: the column of each item, -1 for none. Unknown items and those past the end have none either.
    """
    offsets, columns, weights = query_rows(queries, places, half_life_days)
    return compact_csr(weights, columns, offsets, (len(queries), int(places.max(initial=-1)) + 1))


def query_rows(queries: Queries, places: Indexes, half_life_days: float | None = None) -> Rows:
    """What `query_interest` finds, as its parts: to make a matrix of one short row takes longer than to multiply it."""
    past = queries.histories
    half_life = np.inf if half_life_days is None else half_life_days * MICROSECONDS_PER_DAY
    return recent(past.offsets, past.items, places, past.times, past.weights, half_life, MOST_HALF_LIVES)


def event_interest(
    queries: Queries, places: Indexes, half_life_days: float | None = None
) -> tuple[Indexes, Scores, Scores]:
    """int32[b, t] and float32[b, t]: the column and the interest of each of the newest `MOST_EXPLAINED` events.

    The events stand at the right, as in `Histories.padded`, and t is no longer than the longest history. Each entry of
    `query_interest` stands at the event that it comes from, of equal ones at the newest; -1 and NaN are an event that
    adds nothing to it, and padding. And float32[b]: the interest of the whole history.
    """
    past = queries.histories
    t = min(MOST_EXPLAINED, int(past.lengths.max(initial=0)))
    half_life = np.inf if half_life_days is None else half_life_days * MICROSECONDS_PER_DAY
    return newest_voices(past.offsets, past.items, past.times, past.weights, places, half_life, MOST_HALF_LIVES, t)
