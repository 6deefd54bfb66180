"""Exact repeats: events that equal an earlier one in every column but the row number.

Ten million rows are too many for a hash table. A short mix of who, what and when is sorted instead, as numbers sort
quickly; only rows whose mix occurs more than once are compared in full: a collision costs time, never an event.
"""

import numpy as np
import polars as pl

from zhiyin.data.quality.keys import keys_of, repeated
from zhiyin.data.quality.sieve import KEPT, Sieve


def drop_repeats(sieve: Sieve) -> None:
    """Keep the first of each group of equal events."""
    if len(sieve) < 2:
        return
    suspects = repeated(keys_of(sieve.users, sieve.items, sieve.times))
    suspects = suspects[sieve.reasons[suspects] == KEPT]
    columns = [name for name in sieve.events.columns if name != "row"]
    compared = sieve.events.select(columns)[suspects].with_columns(pl.col(pl.Categorical).to_physical())
    first = compared.select(pl.struct(pl.all()).is_first_distinct()).to_series()
    chosen = np.zeros(len(sieve.users), np.bool_)
    chosen[suspects[~first.to_numpy()]] = True
    sieve.drop(chosen, "duplicate")
