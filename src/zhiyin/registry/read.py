"""One call from files or frames to a clean dataset, for notebooks and scripts."""

import time
from pathlib import Path
from typing import Any

from zhiyin import fields
from zhiyin.data.dataset import Dataset
from zhiyin.data.privacy import PrivacySettings, protect
from zhiyin.data.quality.clean import clean
from zhiyin.data.quality.findings import raise_if_blocked
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.settings import ColumnMap, DataSettings
from zhiyin.data.sources.read import read_frames, read_tables
from zhiyin.data.sources.reading import Reading


def read(
    events: Any,
    items: Any = None,
    users: Any = None,
    friends: Any = None,
    *,
    columns: dict[str, str] | None = None,
    weights: dict[str, float] | None = None,
) -> Dataset:
    """Clean events, items, users and friends: paths, or frames of pandas, Polars or Arrow.

    Parameters
    ----------
    columns
        Canonical name to the name in the events, where it is not recognised: `{"user_id": "who"}`.
    weights
        Event type to weight; a type that is not named weighs 1.

    Raises
    ------
    DataError
        If a source cannot be read, or nothing is left of it after cleaning.
    """
    named = ColumnMap(events=columns or {})
    reading = _read((events, items, users, friends), named)
    tables = protect(reading.tables, PrivacySettings()).tables
    cleaned = clean(tables, CleanSettings(), time.time_ns() // 1_000)
    raise_if_blocked(cleaned.findings)
    return Dataset.of(cleaned.tables, weights)


def _read(sources: tuple[Any, Any, Any, Any], columns: ColumnMap) -> Reading:
    events, items, users, friends = sources
    if not isinstance(events, str | Path):
        return read_frames(events, items, users, friends, columns)
    paths = {"events": events, "items": items, "users": users, "friends": friends}
    named = {table: str(path) for table, path in paths.items() if path is not None}
    return read_tables(fields.from_table(DataSettings, named, "read"), columns, Path())
