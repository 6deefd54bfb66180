"""The k largest inner products of each of many vectors, without making all of them.

Items stand in tiles, the longest vectors first. A tile whose longest vector times the length of a query can not reach
what the query already has (Cauchy and Schwarz) ends the search for that query: exact, whatever the vectors.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.compute.linear_algebra import serial_linear_algebra
from zhiyin.compute.selection import LANES, LOWEST, gather, room_for, write_best
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Floats, Indexes, Mask, Scores, Vectors

_WIDTH = 512  # items of a tile: it, the scores of a block and their keys stay in the cache of a core
_ROWS = 512  # queries that meet a tile together


class Tiles(NamedTuple):
    """Item vectors as `best_products` wants them."""

    vectors: Vectors  # float32[tiles, d, width], NaN beyond the last item
    items: Indexes  # int32[tiles, width], whose vectors these are
    longest: Floats  # float64[tiles], the length of the longest vector


def tiles_of(vectors: Vectors) -> Tiles:
    """Item vectors [n, d] by falling length, those with NaN left out."""
    lengths = lengths_of(vectors)
    order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(~np.isnan(lengths))]  # NaN comes last
    d, width = vectors.shape[1], min(_WIDTH, max(len(order), 1))
    count = -(-len(order) // width)
    items = np.zeros((count, width), np.int32)
    items.reshape(-1)[: len(order)] = order
    tiled = np.full((count, d, width), np.nan, np.float32)
    for tile in range(count):
        chosen = order[tile * width : (tile + 1) * width]
        tiled[tile, :, : len(chosen)] = vectors[chosen].T
    return Tiles(tiled, items, lengths[order[::width]])


def best_products(vectors: Vectors, tiles: Tiles, k: int, allowed: Callable[[slice], Mask]) -> tuple[Indexes, Scores]:
    """int32[b, k] and float32[b, k]: what `top_k` finds in vectors @ items.T, to the rounding of a float32 sum.

    Parameters
    ----------
    vectors
        float32[b, d]; a row with NaN has an empty list.
    allowed
        bool[rows, n] of some rows; asked from several threads, for each row once.
    """
    found = np.full((len(vectors), k), -1, np.int32)
    scores = np.full((len(vectors), k), -np.inf, np.float32)
    rounding = 1 + vectors.shape[1] * 2.0**-22  # of a sum of d products in any order, many times over
    lengths = lengths_of(vectors) * rounding

    def answer(first: int, last: int) -> None:
        for start in range(first, last, _ROWS):
            rows = slice(start, min(start + _ROWS, last))
            _best_rows(vectors[rows], lengths[rows], *tiles, allowed(rows), found[rows], scores[rows])

    if k:
        with serial_linear_algebra():
            over_blocks(len(vectors), answer)
    return found, scores


def lengths_of(vectors: Vectors) -> Floats:
    """float64[n]: the length of each vector; NaN where it holds one."""
    squares = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    return np.sqrt(squares)


@njit(cache=True, nogil=True)
def _best_rows(
    vectors: Vectors, lengths: Floats, tiles: NDArray[np.float32], items: Indexes, longest: Floats, allowed: Mask,
    found: Indexes, best: Scores,
) -> None:  # fmt: skip
    (b, k), width = best.shape, items.shape[1]
    keys, sizes = np.empty((b, room_for(k) + LANES), np.uint64), np.zeros(b, np.int64)
    bars, scores = np.full(b, LOWEST, np.float32), np.empty((b, width), np.float32)
    searching = np.flatnonzero(~np.isnan(lengths))  # the queries that may still find something
    near, count = vectors[searching], len(searching)  # their vectors, side by side
    for tile in range(len(tiles)):
        kept = 0
        for place in range(count):
            row = searching[place]
            if not lengths[row] * longest[tile] < bars[row]:  # true for the NaN of zero times infinity
                if kept < place:
                    searching[kept] = row
                    near[kept] = near[place]
                kept += 1
        count = kept
        if count == 0:
            break
        np.dot(near[:count], tiles[tile], scores[:count])
        for place in range(count):
            row = searching[place]
            sizes[row], bars[row] = gather(
                scores[place], items[tile], allowed[row], keys[row], sizes[row], bars[row], k
            )
    for row in range(b):
        write_best(keys[row], sizes[row], allowed[row], found[row], best[row])
