"""Item vectors as a search wants them: in groups of similar direction, and as whole numbers of eight bits.

A vector is a multiple of the centre of its group and a rest. What it measures along the centre and across it bounds
its product with a query: on a sphere an angle is at least the difference of two others. The rest is also kept as codes
from -127 to 127 times a step of its own, and the length of what these leave out: the product of codes is at most a
known margin away from the true one (Cauchy and Schwarz).
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.compute.best_products import lengths_of
from zhiyin.compute.groups import centres_of, nearest_of
from zhiyin.compute.kernels import plain
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Offsets, Scores, Vectors

HEAD = 64
"""Codes that are looked at first: one line of the cache; the others come in multiples of it, zeros at the end."""

LINE = 16
"""Items whose bounds are compared together."""

ABOVE = np.float32(1 + 2.0**-16)
"""By which a bound is put higher than it was worked out."""

_STEPS = 127  # codes on each side of zero
_TINY = np.float32(1e-37)  # added to lengths, so that those too small for float32 still bound from above

Codes = NDArray[np.int8]


class Groups(NamedTuple):
    """Where the items of each group stand, and how far they reach, also by lines of a few; none is empty."""

    centres: Vectors  # float32[g, d], of length 1
    lengths: Scores  # float32[g], the largest
    rests: Scores  # float32[g], the largest
    lines: Offsets  # int64[g + 1], the lines of each group
    of_lines: Indexes  # int32[l], the group of each line
    starts: Offsets  # int64[l + 1], the items of each line
    along: Scores  # float32[l], the largest
    across: Scores  # float32[l], the largest


class Grouped(NamedTuple):
    """Item vectors as `best_of_groups` wants them, without NaN: by group, then by falling product with its centre."""

    items: Indexes  # int32[c], whose vectors these are
    heads: Codes  # int8[c, 64], the codes of the first dimensions of what the centre leaves
    tails: Codes  # int8[c, _], those of the others
    steps: Scores  # float32[c]
    along: Scores  # float32[c], the product with the centre
    across: Scores  # float32[c], the length of what the centre leaves, never below the true one
    ends: Scores  # float32[c], the length of the other dimensions of that, never below the true one
    lengths: Scores  # float32[c], never below the true ones
    rests: Scores  # float32[c], the length of what codes times step leave out, never below the true one
    groups: Groups


def grouped_of(vectors: Vectors) -> Grouped:
    """The groups and codes of finite item vectors [n, d]."""
    lengths = lengths_of(vectors)
    items = np.flatnonzero(~np.isnan(lengths)).astype(np.int32)
    vectors = plain(vectors, np.float32)
    centres = centres_of(vectors, lengths, items)
    nearest, along = nearest_of(vectors, items, centres)
    order = np.lexsort((-along, nearest))
    items, along, nearest = items[order], along[order], nearest[order]
    c, width = len(items), max(-(-vectors.shape[1] // HEAD), 1) * HEAD
    heads, tails = np.zeros((c, HEAD), np.int8), np.zeros((c, width - HEAD), np.int8)
    steps, across, ends, longest, rests = (np.empty(c, np.float32) for _ in range(5))
    given, made = (vectors, items, centres, nearest, along), (heads, tails, steps, across, ends, longest, rests)
    over_blocks(c, lambda start, last: _code(*given, *made, start, last))
    starts = np.searchsorted(nearest, np.arange(len(centres) + 1))
    return _with_groups(centres, starts, items, heads, tails, steps, along, across, ends, longest, rests)


def grouped_directions(grouped: Grouped, scales: Scores) -> Grouped:
    """The codes of the same vectors, each times its own of float32[n], one over its length; those with NaN stay out."""
    own = scales[grouped.items] * ABOVE  # [c]; what was never below does not fall by rounding
    scaled = (one * own for one in (grouped.across, grouped.ends, grouped.lengths, grouped.rests))
    along, steps = grouped.along * scales[grouped.items], grouped.steps * scales[grouped.items]
    groups = grouped.groups
    return _with_groups(groups.centres, groups.starts[groups.lines], *grouped[:3], steps, along, *scaled)


def _with_groups(
    centres: Vectors, starts: Offsets, items: Indexes, heads: Codes, tails: Codes, steps: Scores, along: Scores,
    across: Scores, ends: Scores, lengths: Scores, rests: Scores,
) -> Grouped:  # fmt: skip
    used = np.flatnonzero(np.diff(starts))
    first = starts[used]
    counts = -(-np.diff(np.append(first, len(items))) // LINE)  # [g], of lines
    offsets = np.append(0, np.cumsum(counts))
    begin = np.repeat(first - offsets[:-1] * LINE, counts) + np.arange(offsets[-1]) * LINE  # [l]
    groups = Groups(
        centres[used], _most(lengths, first), _most(rests, first), offsets,
        np.repeat(np.arange(len(used), dtype=np.int32), counts), np.append(begin, len(items)),
        _most(along, begin), _most(across, begin),
    )  # fmt: skip
    return Grouped(items, heads, tails, steps, along, across, ends, lengths, rests, groups)


def _most(values: Scores, starts: Offsets) -> Scores:
    """float32[_]: the largest of each slice that begins at starts; NaN does not count."""
    return np.fmax.reduceat(values, starts) if len(starts) else values


@njit(cache=True, nogil=True)
def code(left: Scores, head: NDArray[np.integer], tail: NDArray[np.integer]) -> tuple[np.float32, float, float, float]:
    """Write the codes of a vector; its step, and the squared lengths of it, of its end and of what codes leave out."""
    step, square, left_out, end = np.float32(0), 0.0, 0.0, 0.0
    for j in range(len(left)):
        step = max(step, np.float32(abs(left[j]) / np.float32(_STEPS)))
    for j in range(len(left)):
        number = np.int8(np.rint(left[j] / step)) if step > _TINY else np.int8(0)
        if j < HEAD:
            head[j] = number
        else:
            tail[j - HEAD] = number
            end += np.float64(left[j]) ** 2
        square += np.float64(left[j]) ** 2
        left_out += (np.float64(left[j]) - np.float64(number) * np.float64(step)) ** 2
    return step, square, end, left_out


@njit(cache=True, nogil=True)
def length_above(square: float) -> np.float32:
    """The length to a squared one, never below the true one."""
    return np.float32(np.sqrt(square) * ABOVE) + _TINY


@njit(cache=True, nogil=True)
def _code(
    vectors: Vectors, items: Indexes, centres: Vectors, nearest: Indexes, along: Scores, heads: Codes, tails: Codes,
    steps: Scores, across: Scores, ends: Scores, lengths: Scores, rests: Scores, first: int, last: int,
) -> None:  # fmt: skip
    left = np.empty(vectors.shape[1], np.float32)
    for place in range(first, last):
        square = 0.0
        for j in range(len(left)):
            value = vectors[items[place], j]
            square += np.float64(value) ** 2
            left[j] = value - along[place] * centres[nearest[place], j]
        lengths[place] = length_above(square)
        steps[place], square, end, left_out = code(left, heads[place], tails[place])
        across[place], ends[place], rests[place] = length_above(square), length_above(end), length_above(left_out)
