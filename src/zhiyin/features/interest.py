"""How strongly each person has shown an interest in each item, as a sparse matrix."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.types import MICROSECONDS_PER_DAY, Indexes, Times

_MOST_HALF_LIVES = 60.0  # older than that is all equally old: smaller weights would drown in float32


def halved(ages: Times, half_life_days: float | None) -> NDArray[np.float64]:
    """float64, 1 for an age (µs) of zero or less and half as much for each half-life; None never halves."""
    if half_life_days is None:
        return np.ones(len(ages))
    half_lives = np.clip(ages / (half_life_days * MICROSECONDS_PER_DAY), 0.0, _MOST_HALF_LIVES)
    return np.exp2(-half_lives)


def log_interest(log: Interactions) -> csr_array:
    """float32[users, n], sparse: the weight of the strongest event; events that weigh nothing are left out."""
    return _strongest(log.users, log.items, log.weights, (log.n_users, log.n_items))


def query_interest(queries: Queries, places: Indexes, half_life_days: float | None = None) -> csr_array:
    """float32[b, c], sparse: the strongest event of each query with each item, halved by its age at the query.

    Parameters
    ----------
    places
        int32[n]: the column of each item, -1 for none. Unknown items and those past the end have none either.
    """
    histories = queries.histories
    known = (histories.items >= 0) & (histories.items < len(places))
    columns = np.full(len(known), -1, np.int32)
    columns[known] = places[histories.items[known]]
    ages = queries.times[histories.rows] - histories.times
    weights = histories.weights * halved(ages, half_life_days)
    return _strongest(histories.rows, columns, weights, (len(queries), int(places.max(initial=-1)) + 1))


def _strongest(
    rows: NDArray[np.integer], columns: Indexes, weights: NDArray[np.floating], shape: tuple[int, int]
) -> csr_array:
    counts = (columns >= 0) & (weights > 0)
    cells = rows[counts].astype(np.int64) * shape[1] + columns[counts]
    order = np.argsort(cells, kind="stable")
    cells = cells[order]
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    cells = cells[first]
    strongest = weights[counts][order].astype(np.float32)
    strongest = np.maximum.reduceat(strongest, first) if len(first) else strongest
    offsets = np.searchsorted(cells, np.arange(shape[0] + 1, dtype=np.int64) * shape[1])
    columns = (cells % max(shape[1], 1)).astype(np.int32)
    return csr_array((strongest, columns, offsets), shape=shape)
