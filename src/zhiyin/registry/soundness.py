"""Whether the parts of a release belong together: what computes with them later looks no more."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from zhiyin.data.histories import Histories
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.ranking.recommend import MAXIMUM_K, Pipeline

TYPES = {
    "offsets": np.int64, "items": np.int32, "times": np.int64, "weights": np.float32, "values": np.float32,
    "kinds": np.uint8,
}  # fmt: skip
DETAILS: Mapping[str, type] = {
    "k": int, "store_sequence": int, "weights": dict, "pseudonymised": bool, "key_env": str,
}  # fmt: skip
"""What answering reads of the details; each may be missing."""

LARGEST_WEIGHT = 3.4e38


def fault(pipeline: Pipeline, users: Vocabulary, items: Vocabulary, past: Histories, details: Any) -> str:
    """What does not fit, as the words for a sentence; empty if all does."""
    if not pipeline.retrievers:
        return "no model of it proposes anything"
    if not 1 <= pipeline.pool < 2**31:
        return "its pool is out of bounds"
    for ids, what in ((users.texts, "people"), (items.texts, "items")):
        if ids.dtype != pl.String or ids.null_count():
            return f"the ids of its {what} are none"
    return _of_histories(past, len(users), len(items)) or _of_details(details)


def _of_histories(past: Histories, users: int, items: int) -> str:
    if any(getattr(past, name).dtype != dtype or getattr(past, name).ndim != 1 for name, dtype in TYPES.items()):
        return "its histories are of another type"
    lengths = {len(getattr(past, name)) for name in TYPES if name != "offsets"}
    ends = past.offsets[[0, -1]].tolist() if len(past.offsets) else []
    if len(past.offsets) != users + 1 or len(lengths) != 1 or ends != [0, *lengths] or np.any(past.lengths < 0):
        return f"its histories are not those of {users:,} people"
    if np.any((past.items < -1) | (past.items >= items)):
        return f"its histories are not those of {items:,} items"
    names = past.kind_names
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        return "the event types of its histories are no distinct names"
    if np.any(past.kinds >= len(names)):
        return "an event type of its histories has no name"
    return ""


def _of_details(details: Any) -> str:
    if not isinstance(details, Mapping):
        return "its details are no table"
    given = {name: details[name] for name in DETAILS if details.get(name) is not None}
    for name, value in given.items():
        if not isinstance(value, DETAILS[name]) or (DETAILS[name] is int and isinstance(value, bool)):
            return f"{name} is a {type(value).__name__}"
    if not 0 <= given.get("k", 1) <= MAXIMUM_K or not 0 <= given.get("store_sequence", 0) < 2**63:
        return "k or store_sequence is out of bounds"
    if not all(isinstance(one, int | float) and abs(one) < LARGEST_WEIGHT for one in given.get("weights", {}).values()):
        return "a weight is no number"
    return ""
