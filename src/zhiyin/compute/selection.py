"""The best few of many scores: compiled pieces that several loops are made of.

A score and its item are packed into one key of 64 bits, so that a comparison of keys puts the higher score first and,
of equal scores, the lower item. Nothing here guesses a branch whose outcome depends on the scores more often than it
must: on shuffled data each wrong guess costs more than the comparison.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.types import Indexes, Mask, Scores

Keys = NDArray[np.uint64]
LANES = 64
"""Scores that are looked at together, and the room that a row of keys needs beyond what it is cut at."""

LOWEST = np.float32(np.finfo(np.float32).min)
"""The lowest score that is an opinion: NaN and -inf are none."""

_LAST = 0xFFFFFFFF
_FEW = 256  # keys that are sorted by counting, which compiles to vector code; more go into a heap


@njit(cache=True, nogil=True)
def room_for(k: int) -> int:
    """How many keys are gathered before they are cut to the best k."""
    return max(2 * k, 128)


@njit(cache=True, nogil=True)
def gather(line: Scores, items: Indexes, permitted: Mask, keys: Keys, size: int, bar: Any, k: int) -> tuple[int, Any]:
    """Add to `keys`, which hold `size`, what reaches the bar among the scores of some items; the new size and bar.

    Whenever there are more than `room_for(k)`, they are cut to the best k, and the bar rises to the last of these, or
    just above it where items are numbered, because a later one does not win a tie. Whether an item is permitted is
    looked up at once where items are numbered, else when keys are cut, because then the waits for memory overlap.

    Parameters
    ----------
    items
        int32[m], or int32[0]: they are numbered from 0.
    permitted
        bool[n], or bool[0]: everything is.
    keys
        uint64[room_for(k) + LANES].
    bar
        float32, `LOWEST` at first.
    """
    value = np.empty(1, np.float32)
    bits = value.view(np.uint32)
    n, room, numbered = len(line), room_for(k), len(items) == 0
    looked_up = numbered and len(permitted) > 0
    few = looked_up and permitted[:: n // 256 + 1].mean() < 0.125  # of a sample
    for start in range(0, n, LANES):
        if start + LANES <= n and not any_reaches(line, start, bar):
            continue
        for at in range(np.uint64(start), np.uint64(min(start + LANES, n))):
            if few and not permitted[at]:  # the answer that is easier to guess comes first
                continue
            if line[at] >= bar and (not looked_up or permitted[at]):  # false for NaN
                value[0] = line[at] + np.float32(0)  # no negative zero
                item = np.int64(at) if numbered else np.int64(items[at])
                keys[size] = ordered_bits(bits[0]) << np.uint64(32) | item_bits(item)
                size += 1
        if size > room:
            size = size if numbered else only_permitted(keys, size, permitted)
            if size >= k:
                largest_first(keys[:size], k)
                size = k
                bits[0] = plain_bits(keys[:k].min() >> np.uint64(32))
                bar = np.nextafter(value[0], np.float32(np.inf)) if numbered else value[0]
    return size, bar


@njit(cache=True, nogil=True)
def raised(lows: Keys, k: int) -> np.float32:
    """The k-th largest of what some items have at least, given as `low_bits`; it is brought to the front k of these."""
    largest_first(lows, k)
    return np.uint32(plain_bits(lows[:k].min())).view(np.float32)


@njit(cache=True, nogil=True)
def low_bits(low: np.float32) -> np.uint64:
    """A float32 as a number that stands in the same order."""
    return np.uint64(ordered_bits(np.float32(low + np.float32(0)).view(np.uint32)))  # no negative zero


@njit(cache=True, nogil=True)
def write_best(keys: Keys, size: int, permitted: Mask, items: Indexes, scores: Scores) -> None:
    """Fill the front of one row of items and of scores with the best of what was gathered, best first."""
    value = np.empty(1, np.float32)
    bits = value.view(np.uint32)
    size = only_permitted(keys, size, permitted)
    shown = min(size, len(items))
    largest_first(keys[:size], shown)
    descend(keys[:shown])
    for j in range(shown):
        bits[0] = plain_bits(keys[j] >> np.uint64(32))
        scores[j], items[j] = value[0], item_of(keys[j])


@njit(cache=True, nogil=True)
def only_permitted(keys: Keys, size: int, permitted: Mask) -> int:
    """How many stay."""
    if len(permitted) == 0:
        return size
    kept = np.int64(0)
    for j in range(size):
        keys[kept] = keys[j]
        kept += np.int64(permitted[item_of(keys[j])])
    return int(kept)


@njit(cache=True, nogil=True)
def item_bits(item: Any) -> Any:
    """The lower half of a key: the lower the item, the higher."""
    return np.uint64(_LAST - item)


@njit(cache=True, nogil=True)
def item_of(key: Any) -> Any:
    """The item in a key."""
    return _LAST - np.int64(key & np.uint64(_LAST))


@njit(cache=True, nogil=True)
def any_reaches(line: Scores, start: int, bar: float) -> bool:
    """Whether one of the next scores does: a fixed count of unsigned places, which compiles to vector code."""
    reaching = np.int32(0)
    for j in range(LANES):
        reaching += np.int32(line[np.uint64(start + j)] >= bar)
    return bool(reaching > 0)


@njit(cache=True, nogil=True)
def ordered_bits(bits: np.uint32) -> np.uint64:
    """The bits of a float32 as a number that stands in the same order as the float."""
    sign = np.uint64(0x80000000)
    return np.uint64(~np.uint32(bits)) if np.uint64(bits) & sign else np.uint64(bits) | sign


@njit(cache=True, nogil=True)
def plain_bits(ordered: np.uint64) -> np.uint64:
    """The inverse of `ordered_bits`."""
    sign = np.uint64(0x80000000)
    return np.uint64(ordered) ^ sign if np.uint64(ordered) & sign else np.uint64(~np.uint32(ordered))


@njit(cache=True, nogil=True)
def largest_first(keys: Keys, k: int) -> None:
    """Bring the k largest to the front, in any order (Hoare 1961, "Find", with the partition of Lomuto)."""
    low, high, state = np.int64(0), np.int64(len(keys)), np.uint64(len(keys))
    while low < k < high:
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)  # pseudo-random (Knuth)
        drawn, span = np.int64(state >> np.uint64(33)), high - low  # scores in order are common: no fixed places
        a, b, c = keys[low + drawn % span], keys[low + (drawn >> 10) % span], keys[low + (drawn >> 20) % span]
        pivot = max(min(a, b), min(max(a, b), c))
        middle = low
        for j in range(np.uint64(low), np.uint64(high)):
            key = keys[j]
            keys[j] = keys[middle]
            keys[middle] = key
            middle += np.int64(key > pivot)
        if k <= middle:
            high = middle
            continue
        found = middle
        for j in range(np.uint64(middle), np.uint64(high)):  # the pivot itself, and those that equal it
            key = keys[j]
            keys[j] = keys[found]
            keys[found] = key
            found += np.int64(key == pivot)
        low = found


@njit(cache=True, nogil=True)
def descend(keys: Keys) -> None:
    """Sort different keys, the largest first: by counting the larger ones, or by a heap (Williams 1964)."""
    size = len(keys)
    if size > _FEW:
        _sort_by_heap(keys)
        return
    given = keys.copy()
    for j in range(size):
        place = np.int32(0)
        for i in range(size):
            place += np.int32(given[i] > given[j])
        keys[place] = given[j]


@njit(cache=True, nogil=True)
def _sort_by_heap(keys: Keys) -> None:
    size = len(keys)
    for root in range(size // 2 - 1, -1, -1):
        _sink(keys, root, size)
    for end in range(size - 1, 0, -1):
        keys[0], keys[end] = keys[end], keys[0]
        _sink(keys, 0, end)


@njit(cache=True, nogil=True)
def _sink(keys: Keys, at: int, size: int) -> None:
    """Bring one key to its place in a heap with the smallest on top."""
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[at] <= keys[child]:
            return
        keys[at], keys[child] = keys[child], keys[at]
        at = child
