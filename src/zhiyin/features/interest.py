"""How strongly each person has shown an interest in each item, as a sparse matrix."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.compute.sparse import compact_csr
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
    counts = log.weights > 0
    return _strongest(log.users[counts], log.items[counts], log.weights[counts], (log.n_users, log.n_items))


def query_interest(queries: Queries, places: Indexes, half_life_days: float | None = None) -> csr_array:
    """float32[b, c], sparse: the strongest event of each query with each item, halved by its age.

    Ages count from the newest event of the history that has a column: whoever comes back after a year is still best
    known by what they did last.

    Parameters
    ----------
    places
        int32[n]: the column of each item, -1 for none. Unknown items and those past the end have none either.
    """
    histories = queries.histories
    known = np.flatnonzero((histories.items >= 0) & (histories.items < len(places)))
    known = known[(places[histories.items[known]] >= 0) & (histories.weights[known] > 0)]
    rows, times = histories.rows[known], histories.times[known]
    newest = np.zeros(len(histories), np.int64)
    newest[rows] = times  # ascending within a row: the newest is written last
    weights = histories.weights[known] * halved(newest[rows] - times, half_life_days)
    width = int(places.max(initial=-1)) + 1
    return _strongest(rows, places[histories.items[known]], weights, (len(histories), width))


def _strongest(
    rows: NDArray[np.integer], columns: Indexes, weights: NDArray[np.floating], shape: tuple[int, int]
) -> csr_array:
    """The largest weight of each cell."""
    cells = rows.astype(np.int64) * shape[1] + columns
    order = np.argsort(cells, kind="stable")
    cells = cells[order]
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    cells = cells[first]
    strongest = weights[order].astype(np.float32)
    strongest = np.maximum.reduceat(strongest, first) if len(first) else strongest
    offsets = np.searchsorted(cells, np.arange(shape[0] + 1, dtype=np.int64) * shape[1])
    columns = (cells % max(shape[1], 1)).astype(np.int32)
    return compact_csr(strongest, columns, offsets, shape)
