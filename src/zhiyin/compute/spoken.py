"""A sparse product of few, short rows, of which only the places that are touched are ever looked at.

Each row of the result is a table of hashed columns (open addressing, Knuth, volume 3, section 6.4): its size follows
the entries that meet in it, and not the width of the product.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from zhiyin.compute.kernels import parts, plain
from zhiyin.compute.recent import Rows
from zhiyin.compute.selection import LANES, LOWEST, gather, room_for, write_best
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Mask, Offsets, Scores

_SCATTER = np.uint64(11400714819323198485)  # 2^64 over the golden ratio


class Spoken(NamedTuple):
    """The rows of a sparse product, as tables."""

    offsets: Offsets  # int64[b + 1]: the table of row i is the slice offsets[i]:offsets[i + 1] of the others
    columns: Indexes  # int32[slots], -1 where a slot is free
    totals: Scores  # float32[slots], NaN where a slot is free
    width: int  # n; a table of so many slots has each column at its own place


def spoken(left: Rows, right: csr_array) -> Spoken:
    """The product of float32[b, c] and float32[c, n], sparse; terms are added in the order of the entries of `left`."""
    a, b = left, parts(right)
    offsets = np.zeros(len(a[0]), np.int64)
    _sizes(a[0], a[1], b[0], right.shape[1], offsets)
    columns = np.full(offsets[-1], -1, np.int32)
    totals = np.full(offsets[-1], np.nan, np.float32)
    over_blocks(
        len(offsets) - 1, lambda first, last: _speak(*a, *b, right.shape[1], offsets, columns, totals, first, last)
    )
    return Spoken(offsets, columns, totals, right.shape[1])


def heard(tables: Spoken, columns: Indexes) -> Scores:
    """float32[b, m]: some columns int32[1, m] or int32[b, m] of each row; NaN where nothing was added, and for -1."""
    rows = len(tables.offsets) - 1
    columns = plain(columns, np.int32)
    out = np.empty((rows, columns.shape[1]), np.float32)
    over_blocks(rows, lambda first, last: _hear(*tables, columns, out, first, last))
    return out


def best_heard(tables: Spoken, items: Indexes, k: int, allowed: Mask) -> tuple[Indexes, Scores]:
    """int32[b, k] and float32[b, k]: what `top_k` finds in the rows when column j is item items[j] [n]."""
    rows = len(tables.offsets) - 1
    found, scores = np.full((rows, k), -1, np.int32), np.full((rows, k), -np.inf, np.float32)
    items, permitted = plain(items, np.int32), plain(allowed, np.bool_)
    if k:
        over_blocks(rows, lambda first, last: _best(*tables[:3], items, permitted, found, scores, first, last))
    return found, scores


@njit(cache=True, nogil=True)
def _sizes(offsets: Offsets, items: Indexes, to_offsets: Offsets, width: int, sizes: Offsets) -> None:
    """Twice the terms of each row and a power of two, or the whole width, where a column is its own slot."""
    for row in range(len(offsets) - 1):
        terms, size = 0, 4
        for at in range(offsets[row], offsets[row + 1]):
            terms += to_offsets[items[at] + 1] - to_offsets[items[at]]
        while size < 2 * terms:
            size *= 2
        sizes[row + 1] = sizes[row] + min(size, width)


@njit(cache=True, nogil=True)
def _slot(columns: Indexes, column: int, width: int) -> Any:
    """Where a column stands, or the free slot where it would."""
    size = len(columns)
    if size == width:
        return column
    mask = np.uint64(size - 1)
    slot = (np.uint64(column) * _SCATTER >> np.uint64(32)) & mask
    while columns[slot] >= 0 and columns[slot] != column:
        slot = (slot + np.uint64(1)) & mask
    return np.int64(slot)


@njit(cache=True, nogil=True)
def _speak(
    offsets: Offsets, items: Indexes, data: Scores, to_offsets: Offsets, to_items: Indexes, to_data: Scores,
    width: int, starts: Offsets, columns: Indexes, totals: Scores, first: int, last: int,
) -> None:  # fmt: skip
    for row in range(first, last):
        mine, sums = columns[starts[row] : starts[row + 1]], totals[starts[row] : starts[row + 1]]
        for at in range(offsets[row], offsets[row + 1]):
            for to in range(to_offsets[items[at]], to_offsets[items[at] + 1]):
                slot, term = _slot(mine, to_items[to], width), data[at] * to_data[to]
                sums[slot] = term if mine[slot] < 0 else sums[slot] + term
                mine[slot] = to_items[to]


@njit(cache=True, nogil=True)
def _hear(
    starts: Offsets, columns: Indexes, totals: Scores, width: int, wanted: Indexes, out: Scores, first: int, last: int
) -> None:
    for row in range(first, last):
        mine, sums = columns[starts[row] : starts[row + 1]], totals[starts[row] : starts[row + 1]]
        line = wanted[row if len(wanted) > 1 else 0]
        for place in range(len(line)):
            out[row, place] = sums[_slot(mine, line[place], width)] if line[place] >= 0 and len(mine) else np.nan


@njit(cache=True, nogil=True)
def _best(
    starts: Offsets, columns: Indexes, totals: Scores, items: Indexes, allowed: Mask, found: Indexes, best: Scores,
    first: int, last: int,
) -> None:  # fmt: skip
    k = found.shape[1]
    keys = np.empty(room_for(k) + LANES, np.uint64)
    for row in range(first, last):
        mine, sums = columns[starts[row] : starts[row + 1]], totals[starts[row] : starts[row + 1]]
        touched, values, count = np.empty(len(mine), np.int32), np.empty(len(mine), np.float32), 0
        for slot in range(len(mine)):
            if mine[slot] >= 0:
                touched[count], values[count] = items[mine[slot]], sums[slot]
                count += 1
        permitted = allowed[row if len(allowed) > 1 else 0]
        size, _ = gather(values[:count], touched[:count], permitted, keys, 0, LOWEST, k)
        write_best(keys, size, permitted, found[row], best[row])
