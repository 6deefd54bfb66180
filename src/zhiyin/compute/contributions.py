"""Compiled loops that tell what each event of a history adds to a score."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.compute.kernels import plain
from zhiyin.types import Indexes, Offsets, Scores, Times


def newest_voices(
    offsets: Offsets, items: Indexes, times: Times, weights: Scores, places: Indexes, half_life: float,
    most_half_lives: float, t: int,
) -> tuple[Indexes, Scores, Scores]:  # fmt: skip
    """int32[b, t] and float32[b, t]: of the newest t events of each row, those that are the strongest of their column.

    At the right; -1 and NaN before them, and where another event of the whole row is stronger, or as strong and newer.
    And float32[b]: what the strongest events of all columns of a row weigh together.

    Parameters
    ----------
    offsets, items, times, weights
        As in `Histories`: row i is the slice offsets[i]:offsets[i + 1] of the others.
    places
        int32[n]: the column of each item, -1 for none.
    half_life
        µs in which a weight is halved, counted from the newest event that has a column.
    """
    voices = np.full((len(offsets) - 1, t), -1, np.int32)
    loud = np.full(voices.shape, np.nan, np.float32)
    totals = np.zeros(len(voices), np.float32)
    past = plain(offsets, np.int64), plain(items, np.int32), plain(times, np.int64), plain(weights, np.float32)
    _newest(*past, plain(places, np.int32), float(half_life), float(most_half_lives), voices, loud, totals)
    return voices, loud, totals


def sparse_contributions(weights: csr_array, voices: Indexes, interest: Scores, columns: Indexes) -> Scores:
    """float32[b, m, t]: interest [b, t] of row voices [b, t] times its weight for columns [b, m]; NaN without a weight.

    Parameters
    ----------
    weights
        float32[c, c], sparse, the columns of each row ascending.
    """
    out = np.full((*columns.shape, voices.shape[1]), np.nan, np.float32)
    narrow = np.int32 if weights.nnz <= np.iinfo(np.int32).max else np.int64
    parts = plain(weights.indptr, narrow), plain(weights.indices, np.int32), plain(weights.data, np.float32)
    _spoken(*parts, voices, interest, plain(columns, np.int32), out)
    return out


def loudest(added: Scores, most: int, least: float) -> tuple[Indexes, Scores]:
    """int32[rows, most] and float32[rows, most]: the places of the largest of each row, and their shares of its sum.

    Only what is greater than 0 counts; largest first, ties by higher place. A row ends, in -1 and 0, where it has no
    more, or none that is at least `least` of its largest.
    """
    places = np.full((len(added), most), -1, np.int32)
    shares = np.zeros(places.shape, np.float32)
    _loudest(plain(added, np.float32), least, places, shares)
    return places, shares


@njit(cache=True, nogil=True)
def _loudest(added: Scores, least: float, places: Indexes, shares: Scores) -> None:
    for row in range(len(added)):
        total, held = 0.0, 0
        found, loud = places[row], shares[row]
        for place in range(added.shape[1]):
            value = added[row, place]
            if not value > 0:
                continue
            total += value
            at = held
            while at > 0 and value >= loud[at - 1]:
                if at < len(found):
                    found[at], loud[at] = found[at - 1], loud[at - 1]
                at -= 1
            if at < len(found):
                found[at], loud[at] = place, value
                held = min(held + 1, len(found))
        largest = loud[0]
        for at in range(held):
            if loud[at] < least * largest:
                found[at], loud[at] = -1, 0
            else:
                loud[at] /= total


@njit(cache=True, nogil=True)
def _newest(
    offsets: Offsets, items: Indexes, times: Times, weights: Scores, places: Indexes, half_life: float, most: float,
    voices: Indexes, loud: Scores, totals: Scores,
) -> None:  # fmt: skip
    t = voices.shape[1]
    for row in range(len(voices)):
        past = slice(offsets[row], offsets[row + 1])
        columns = _columns(items[past], weights[past], places)
        interest = _halved(columns, times[past], weights[past], half_life, most)
        order = np.argsort(columns)
        best = -1  # of the events so far with one column
        for place in range(len(order)):
            event = order[place]
            louder = best < 0 or interest[event] > interest[best]
            if louder or (interest[event] == interest[best] and event > best):
                best = event
            if place + 1 < len(order) and columns[order[place + 1]] == columns[event]:
                continue
            if columns[event] >= 0:
                totals[row] += interest[best]
                at = best + t - len(order)
                if at >= 0:
                    voices[row, at], loud[row, at] = columns[event], interest[best]
            best = -1


@njit(cache=True, nogil=True)
def _columns(items: Indexes, weights: Scores, places: Indexes) -> Indexes:
    """int32[events], -1 for an event that says nothing."""
    columns = np.full(len(items), -1, np.int32)
    for event in range(len(items)):
        if 0 <= items[event] < len(places) and weights[event] > 0:
            columns[event] = places[items[event]]
    return columns


@njit(cache=True, nogil=True)
def _halved(columns: Indexes, times: Times, weights: Scores, half_life: float, most: float) -> Scores:
    """float32[events]: weights, halved by the age since the newest event that says something."""
    newest = np.int64(0)
    for event in range(len(columns)):
        if columns[event] >= 0:
            newest = times[event]  # ascending
    interest = np.empty(len(columns), np.float32)
    for event in range(len(columns)):
        half_lives = min(max((newest - times[event]) / half_life, 0.0), most)
        interest[event] = weights[event] * np.exp2(-half_lives)
    return interest


@njit(cache=True, nogil=True)
def _spoken(
    offsets: NDArray[Any], indices: Indexes, data: Scores, voices: Indexes, interest: Scores, columns: Indexes,
    out: Scores,
) -> None:  # fmt: skip
    for row in range(len(voices)):
        for event in range(voices.shape[1]):
            if voices[row, event] < 0:
                continue
            first, last = offsets[voices[row, event]], offsets[voices[row, event] + 1]
            for place in range(columns.shape[1]):
                wanted = columns[row, place]
                if wanted < 0:
                    continue
                low, high = first, last
                while low < high:
                    middle = (low + high) // 2
                    if indices[middle] < wanted:
                        low = middle + 1
                    else:
                        high = middle
                if low < last and indices[low] == wanted:
                    out[row, place, event] = interest[row, event] * data[low]
