"""What people came to around each item, by time. Never items × items in memory.

The slow, obvious twin stands in the tests.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.compute.kernels import as_rows, plain
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Indexes, Offsets, Scores, Times

Data = NDArray[np.float32]


class Visits(NamedTuple):
    """One row per event, oldest first."""

    people: Indexes
    items: Indexes
    times: Times
    weights: Data


class Around(NamedTuple):
    """Which events count as around another."""

    window: int  # µs, to either side
    backward: float  # what an earlier event counts, where a later one counts 1
    most: int  # events to either side that are looked at


def top_companions(visits: Visits, around: Around, scales: Scores, k: int) -> csr_array:
    """float32[n, n], sparse: in row i the k items that people came to most around item i, with how much, never i.

    Each two events of one person that are near enough add the weight of the other event; scales, float32[n], is how
    much the sum of each other item counts.
    """
    n = len(scales)
    k = max(min(k, n - 1), 0)
    events, order = len(visits.people), np.empty(len(visits.people), np.int64)
    starts = _grouped(plain(visits.people, np.int32), int(visits.people.max(initial=-1)) + 1, order)
    items, times, weights = visits.items[order], visits.times[order], visits.weights[order]  # a person's side by side
    del order, visits
    people = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    places = np.empty(events, np.int32 if events <= np.iinfo(np.int32).max else np.int64)
    by_item = _grouped(items, n, places)
    found, strength = np.full((n, k), -1, np.int32), np.zeros((n, k), np.float32)
    limits = np.int64(around.window), np.float32(around.backward), np.int64(around.most), plain(scales, np.float32)
    if k:
        over_blocks(
            n,
            lambda first, last: _companion_rows(
                starts, people, items, times, weights, by_item, places, *limits, found, strength, first, last
            ),
        )
    return as_rows(found, strength)


@njit(cache=True, nogil=True)
def _grouped(numbers: Indexes, count: int, places: NDArray[Any]) -> Offsets:
    """int64[count + 1]: where each number starts in `places`, which become those of its entries, the first first."""
    starts = np.zeros(count + 1, np.int64)
    for number in numbers:
        starts[number + 1] += 1
    for number in range(count):
        starts[number + 1] += starts[number]
    ends = starts.copy()
    for at in range(len(numbers)):
        places[ends[numbers[at]]] = at
        ends[numbers[at]] += 1
    return starts


@njit(cache=True, nogil=True)
def _companion_rows(
    starts: Offsets, people: Indexes, items: Indexes, times: Times, weights: Data, by_item: Offsets,
    places: NDArray[Any], window: int, backward: float, most: int, scales: Data,
    found: Indexes, strength: Data, first: int, last: int,
) -> None:  # fmt: skip
    total = np.zeros(len(scales), np.float32)
    touched = np.empty(len(scales), np.int32)
    for item in range(first, last):
        count = 0
        for place in places[by_item[item] : by_item[item + 1]]:
            oldest, after = starts[people[place]], starts[people[place] + 1]
            for other in range(max(oldest, place - most), min(after, place + most + 1)):
                passed = times[other] - times[place]
                gain = weights[other] * (np.float32(1.0) if passed >= 0 else backward)
                if items[other] == item or abs(passed) > window or gain == 0:
                    continue
                if total[items[other]] == 0:
                    touched[count] = items[other]
                    count += 1
                total[items[other]] += gain
        near = np.sort(touched[:count])  # of equal values the lower index comes first
        values = total[near] * scales[near]
        size = 0
        for place in np.argsort(-values, kind="mergesort")[: found.shape[1]]:
            if values[place] > 0:
                found[item, size], strength[item, size] = near[place], values[place]
                size += 1
        total[near] = 0
