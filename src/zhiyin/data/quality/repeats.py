"""Exact repeats: events that equal an earlier one in every column but the row number.

Ten million rows are too many for a hash table. The 64-bit mix of each row is sorted instead (numbers sort quickly);
only rows whose mix occurs more than once are compared in full, so that a collision costs time, never an event.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.data.quality.sieve import KEPT, Sieve

Keys = NDArray[np.uint64]

# odd constants of xxHash64: their products spread small codes over all 64 bits
PRIMES = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


SLOTS = 20  # bits of a key that tell at once that most keys are no suspects


def drop_repeats(sieve: Sieve) -> None:
    """Keep the first of each group of equal events."""
    if len(sieve) < 2:
        return
    suspects = repeated(_mixed(sieve))
    suspects = suspects[sieve.reasons[suspects] == KEPT]
    columns = [name for name in sieve.events.columns if name != "row"]
    compared = sieve.events.select(columns)[suspects].with_columns(pl.col(pl.Categorical).to_physical())
    first = compared.select(pl.struct(pl.all()).is_first_distinct()).to_series()
    chosen = np.zeros(len(sieve.users), np.bool_)
    chosen[suspects[~first.to_numpy()]] = True
    sieve.drop(chosen, "duplicate")


def _mixed(sieve: Sieve) -> Keys:
    """uint64[rows]: who, what and when, mixed; the other columns are compared only where these agree."""
    keys = sieve.times.view(np.uint64) * np.uint64(PRIMES[2])
    for codes, prime in zip((sieve.users, sieve.items), PRIMES, strict=False):
        keys ^= codes.astype(np.uint64) * np.uint64(prime)
    return keys


def repeated(keys: Keys) -> NDArray[np.int64]:
    """int64[_] ascending: the positions whose key occurs more than once."""
    ordered = np.sort(keys)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    slots = np.zeros(1 << SLOTS, np.bool_)
    slots[twice >> np.uint64(64 - SLOTS)] = True
    suspects = np.flatnonzero(slots[keys >> np.uint64(64 - SLOTS)])
    return suspects[np.isin(keys[suspects], twice)]
