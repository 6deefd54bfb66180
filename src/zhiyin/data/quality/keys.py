"""A short number for who, what and when of an event, so that events that may be equal are found quickly.

Equal events have equal keys; of ten million different events a few thousand share a key with another.
"""

import numpy as np
from numpy.typing import NDArray

from zhiyin.compute.threads import over_blocks
from zhiyin.data.quality.sieve import Codes
from zhiyin.types import Times

Keys = NDArray[np.uint32]

PRIMES = (
    np.uint64(0x9E3779B185EBCA87),
    np.uint64(0xC2B2AE3D27D4EB4F),
)  # of xxHash64: their products spread small codes
ROWS = 65_536  # at a time: they stay in the processor's cache
SLOTS = 20  # the first bits of a key tell at once that most keys are not among some others


def keys_of(users: Codes, items: Codes, times: Times | None = None) -> Keys:
    """uint32[rows], spread over all 32 bits."""
    keys = np.empty(len(users), np.uint32)

    def mix(first: int, last: int) -> None:
        for start in range(first, last, ROWS):
            rows = slice(start, min(start + ROWS, last))
            part = users[rows].astype(np.uint64) << np.uint64(32)
            part |= items[rows]
            part *= PRIMES[0]
            if times is not None:
                part ^= times[rows].view(np.uint64) * PRIMES[1]
            keys[rows] = part >> np.uint64(32)

    over_blocks(len(keys), mix, serial_below=ROWS)
    return keys


def among(keys: Keys, wanted: Keys) -> NDArray[np.int64]:
    """int64[_] ascending: the positions of the keys that are one of the wanted."""
    slots = np.zeros(1 << SLOTS, np.bool_)
    slots[wanted >> np.uint32(32 - SLOTS)] = True
    likely = np.zeros(len(keys), np.bool_)

    def look(first: int, last: int) -> None:
        for start in range(first, last, ROWS):
            rows = slice(start, min(start + ROWS, last))
            likely[rows] = slots[keys[rows] >> np.uint32(32 - SLOTS)]

    over_blocks(len(keys), look, serial_below=ROWS)
    found = np.flatnonzero(likely)
    return found[np.isin(keys[found], wanted)]


def repeated(keys: Keys) -> NDArray[np.int64]:
    """int64[_] ascending: the positions whose key occurs more than once."""
    ordered = np.sort(keys)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    return among(keys, np.unique(twice))
