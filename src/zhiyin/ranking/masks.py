"""What conditions and columns say of every item, remembered, because the same ones are asked again and again."""

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.data.catalog import Catalog
from zhiyin.errors import ConfigError
from zhiyin.fields import unknown
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.where import where
from zhiyin.types import Indexes, Mask

MOST_CONDITIONS = 64
"""Masks of n bytes that are remembered, of each kind; what was asked for longest ago is forgotten first."""

MOST_COLUMNS = 16
"""Columns whose values are remembered as numbers, 4 n bytes each."""


class Masks:
    """Of one catalogue under one set of rules; shared by all pipelines that differ only in who proposes."""

    def __init__(self, rules: Rules, catalog: Catalog) -> None:
        self.allowed: Callable[..., Mask] = lru_cache(MOST_CONDITIONS)(partial(rules.of_items, catalog))
        """bool[n]: what the rules and these conditions, all of them, hold for."""
        self.matching: Callable[[str], Mask] = lru_cache(MOST_CONDITIONS)(partial(_matching, catalog))
        """bool[n]: what one condition holds for, whatever the rules say."""
        self.values: Callable[[str], Indexes] = lru_cache(MOST_COLUMNS)(partial(_values, catalog))
        """int32[n]: equal where the values of a column are equal; -1 where the value is not known."""


def _matching(catalog: Catalog, condition: str) -> Mask:
    return where(condition, catalog.frame)


def _values(catalog: Catalog, column: str) -> Indexes:
    if column not in catalog.columns:
        raise ConfigError(unknown(f"caps: the item column {column[:100]!r}", column[:100], catalog.columns))
    values = catalog.frame[column]
    if values.dtype.is_nested():
        raise ConfigError(f"caps: the item column {column!r} is a list or structure: name a column with single values")
    if values.dtype.is_float():
        values = values.fill_nan(None)
    codes = values.cast(pl.String).rank("dense").fill_null(0).to_numpy()
    found: NDArray[np.int32] = codes.astype(np.int32) - np.int32(1)
    return found
