"""Exact repeats: events that equal an earlier one in every column but the row number.

Ten million rows are too many for a hash table. The 64-bit mix of each row is sorted instead (a quick parallel sort);
only rows whose mix occurs more than once are compared in full, so that a collision costs time, never an event.
"""

import numpy as np
import polars as pl

from zhiyin.data.quality.sieve import Sieve

# odd constants of xxHash64: their products spread small codes over all 64 bits
PRIMES = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


def drop_repeats(sieve: Sieve) -> None:
    """Keep the first of each group of equal events."""
    if len(sieve) < 2:
        return
    suspects = repeated(_mixed(sieve))  # positions among the kept
    if not len(suspects):
        return
    rows = sieve.rows[suspects]
    columns = [name for name in sieve.events.columns if name != "row"]
    compared = sieve.events.select(columns)[rows].with_columns(pl.col(pl.Categorical).to_physical())
    first = compared.select(pl.struct(pl.all()).is_first_distinct()).to_series()
    chosen = np.zeros(len(sieve), np.bool_)
    chosen[suspects[~first.to_numpy()]] = True
    sieve.drop(chosen, "duplicate")


def _mixed(sieve: Sieve) -> pl.Series:
    """uint64[kept]: who, what and when, mixed; the other columns are compared only where these agree."""
    frame = pl.DataFrame({"user": sieve.users, "item": sieve.items, "time": sieve.times})
    parts = [
        pl.col(name).reinterpret(signed=False) if name == "time" else pl.col(name).cast(pl.UInt64)
        for name in frame.columns
    ]
    user, item, time = (part * pl.lit(prime, pl.UInt64) for part, prime in zip(parts, PRIMES, strict=True))
    return frame.select(user ^ item ^ time).to_series()


def repeated(keys: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """int64[_] ascending: the positions whose key occurs more than once."""
    ordered = keys.sort().to_numpy()
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return np.empty(0, np.int64)
    return np.flatnonzero(keys.is_in(pl.Series(twice).implode()).to_numpy())
