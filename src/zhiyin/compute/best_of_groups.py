"""The k largest inner products of one vector with vectors of similar length, most ruled out before they are made.

The groups whose centres promise most come first, and say what the k-th best has at least. Of the rest only those lines
of a group are looked at whose bound reaches that, in the order of memory; an item is ruled out by what it measures
along its centre and across it, then by the codes of its first dimensions, then by all of them. What may reach the k-th
best is multiplied in full: exact, whatever the vectors.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.compute.grouped import ABOVE, HEAD, LINE, Grouped, Groups, code, length_above
from zhiyin.compute.inner import inner
from zhiyin.compute.kernels import plain
from zhiyin.compute.near import kept, write_best_of_near
from zhiyin.compute.selection import (
    LOWEST,
    Keys,
    low_bits,
    ordered_bits,
    raised,
    room_for,
)
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Mask, Scores, Vectors

_BATCH = 256  # items that are ruled out together, so that the waits for memory overlap
_SEEDS = 20  # times k items are looked at before the others
_GROUP = np.uint64(0xFFFFFFFF)

Places = NDArray[np.int64]
Wide = NDArray[np.int16]


class Asked(NamedTuple):
    """One query in the form of the items, and what it measures along the centres of groups."""

    vector: Scores  # float32[d]
    head: Wide  # int16[64]
    tail: Wide  # int16[_]
    sizes: Scores  # float32[4], step, length, end and rest
    cosines: Scores  # float32[g]
    sines: Scores  # float32[g], never below the true ones
    reach: Scores  # float32[l], the most that a product with one of a line is, over the length of the query


class Near(NamedTuple):
    """What may be among the k best, as far as it was looked at."""

    items: Indexes  # int32[c]
    most: Scores  # float32[c], what their products are at most
    lows: Keys  # uint64[room], what the best of them have at least, as `low_bits`
    sizes: Places  # int64[2], how many items and how many lows there are
    bar: Scores  # float32[1], what is below is not among the k best


def best_of_groups(
    vectors: Vectors, grouped: Grouped, items: Vectors, scales: Scores, k: int, allowed: Mask
) -> tuple[Indexes, Scores]:
    """int32[b, k] and float32[b, k]: what `best_of_few` finds, of which see the parameters."""
    b = len(vectors)
    found, scores = np.full((b, k), -1, np.int32), np.full((b, k), -np.inf, np.float32)
    vectors, whole, permitted = plain(vectors, np.float32), plain(items, np.float32), plain(allowed, np.bool_)
    rows = np.flatnonzero(~np.isnan(vectors).any(axis=1))

    def answer(first: int, last: int) -> None:
        for row in rows[first:last]:
            asked, order = _ask(vectors[row], grouped.groups, grouped.tails.shape[1])
            order.sort()
            _visit(asked, order, grouped, whole, scales, permitted[row], found[row], scores[row])

    if k:
        over_blocks(len(rows), answer, serial_below=2)
    return found, scores


@njit(cache=True, nogil=True)
def _ask(vector: Scores, groups: Groups, tail: int) -> tuple[Asked, Keys]:
    """The query, and uint64[g]: the groups as keys that sort by falling promise."""
    g, slack = len(groups.lengths), _slack(len(vector))
    cosines, sines, reach = (
        np.empty(g, np.float32), np.empty(g, np.float32), np.empty(len(groups.along), np.float32),
    )  # fmt: skip
    head, ends, order = np.zeros(HEAD, np.int16), np.zeros(tail, np.int16), np.empty(g, np.uint64)
    step, square, end, left_out = code(vector, head, ends)
    sizes = np.array([step, length_above(square), length_above(end), length_above(left_out)], np.float32)
    value = np.empty(1, np.float32)
    bits = value.view(np.uint32)
    for group in range(g):
        cosine = np.float64(inner(vector, groups.centres, group)) / np.sqrt(square) if square > 0 else 0.0
        cosines[group], sines[group] = cosine, np.sqrt(max(1 - cosine * cosine, 0.0) + 4 * slack)
        value[0] = np.float32(-cosine * groups.along[groups.lines[group]]) + np.float32(0)  # no negative zero
        order[group] = ordered_bits(bits[0]) << np.uint64(32) | np.uint64(group)
    for line in range(len(reach)):
        own = groups.of_lines[line]
        near, far = max(cosines[own], np.float32(0)) * groups.along[line], sines[own] * groups.across[line]
        reach[line] = near + far + np.float32(2 * slack) * groups.lengths[own]
    return Asked(vector, head, ends, sizes, cosines, sines, reach), order


@njit(cache=True, nogil=True)
def _visit(
    asked: Asked, order: Keys, grouped: Grouped, whole: Vectors, scales: Scores, permitted: Mask, found: Indexes,
    best: Scores,
) -> None:  # fmt: skip
    k, c = len(found), len(grouped.items)
    near = Near(  # items are touched as far as they are used
        np.empty(c, np.int32), np.empty(c, np.float32), np.empty(room_for(k), np.uint64), np.zeros(2, np.int64),
        np.full(1, LOWEST),
    )  # fmt: skip
    lines, starts, reach = grouped.groups.lines, grouped.groups.starts, asked.reach
    chosen, count, seen = np.empty(len(reach), np.int64), 0, 0
    for key in order:
        group = np.int64(key & _GROUP)
        for line in range(lines[group], lines[group + 1]):
            chosen[count] = line
            count += 1
            reach[line] = np.nan  # it is not looked at again
        seen += int(starts[lines[group + 1]] - starts[lines[group]])
        if seen >= _SEEDS * k:
            break
    _look(chosen[:count], asked, grouped, permitted, k, near)
    count, limit = 0, _limit(near.bar[0], asked.sizes[1])
    for line in range(len(reach)):
        chosen[count] = line
        count += int(reach[line] >= limit)
    _look(chosen[:count], asked, grouped, permitted, k, near)
    size = near.sizes[0]
    write_best_of_near(
        asked.vector, near.items[:size], near.most[:size], near.bar[0], whole, scales, permitted, found, best
    )


@njit(cache=True, nogil=True)
def _look(lines: Places, asked: Asked, grouped: Grouped, permitted: Mask, k: int, near: Near) -> None:
    if len(lines) == 0:
        return
    items, heads, tails, steps, alongs, acrosses, ends, _, _, groups = grouped  # named once: tuples are slow to pass
    _, head, tail, sizes, cosines, sines, _ = asked
    (step, length, end, rest), slack, bar = sizes, _slack(len(asked.vector)), near.bar
    longest, unsure = groups.lengths.max(), rest + length * slack  # the rounding of a sum in any order, too
    margin = np.float32((unsure * longest + (length + unsure) * groups.rests.max()) * ABOVE)
    places, products, count = np.empty(_BATCH + LINE, np.int64), np.empty(_BATCH + LINE, np.float32), 0
    for line in lines:
        group = np.int64(groups.of_lines[line])
        cosine, sine = cosines[group], sines[group]
        least = np.float32(_limit(bar[0], length) - 2 * slack * longest)
        for at in range(np.uint64(groups.starts[line]), np.uint64(groups.starts[line + 1])):
            along = alongs[at] * cosine
            places[count], products[count] = np.int64(at), along * length
            count += int((along + acrosses[at] * sine >= least) & permitted[items[at]])  # no branch to guess
        if count >= _BATCH or line == lines[-1]:
            count = kept(places, products, count, heads, head, steps, step, ends, end, margin, bar[0])
            count = kept(places, products, count, tails, tail, steps, step, ends, np.float32(0), margin, bar[0])
            for j in range(count):
                _add(items[places[j]], products[j], margin, k, near)
            count = 0
    _raise(k, near)


@njit(cache=True, nogil=True)
def _add(item: int, product: np.float32, margin: np.float32, k: int, near: Near) -> None:
    items, known = near.sizes
    near.items[items], near.most[items], near.lows[known] = item, product + margin, low_bits(product - margin)
    near.sizes[0], near.sizes[1] = items + 1, known + 1
    if known + 1 == len(near.lows):
        _raise(k, near)


@njit(cache=True, nogil=True)
def _raise(k: int, near: Near) -> None:
    known = near.sizes[1]
    if known >= k:
        near.bar[0], near.sizes[1] = raised(near.lows[:known], k), k


@njit(cache=True, nogil=True)
def _slack(d: int) -> float:
    """The error of a sum of d products in any order, to the lengths of both vectors, many times over."""
    return max(d, 16) * 2.0**-22


@njit(cache=True, nogil=True)
def _limit(bar: np.float32, length: np.float32) -> np.float32:
    """What a product with a query of length 1 must be, put a little lower."""
    limit = np.float64(bar) / np.float64(length)
    return np.float32(limit - abs(limit) * 2.0**-16)
