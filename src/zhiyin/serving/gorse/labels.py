"""Gorse's labels, any JSON, as columns of texts, numbers and lists of texts, and back without a loss.

A list of texts is the column `labels`. An object has a column `labels.NAME` for each of its members, so that
conditions and models can use them. Anything else is kept as its JSON in a text that begins with `json:`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from zhiyin.errors import RequestError
from zhiyin.serving.catalogue import LONGEST_NAME, LONGEST_TEXT, MOST_COLUMNS, MOST_TEXTS

COLUMN = "labels"
PREFIX = "labels."
PACKED = "json:"
LARGEST = 2**53
RESERVED = 10
"""Columns that stay free for what else is said of an item."""


def columns(labels: Any) -> dict[str, Any]:
    """Labels as columns.

    Raises
    ------
    RequestError
        400 if there are too many of them, or one is too long.
    """
    if labels is None:
        return {}
    if not isinstance(labels, dict) or not labels:
        return {COLUMN: packed(labels, "Labels")}
    if len(labels) > MOST_COLUMNS - RESERVED:
        raise RequestError(400, f"Labels must have at most {MOST_COLUMNS - RESERVED} members, got {len(labels):,}")
    for name in labels:
        if len(name) > LONGEST_NAME - len(PREFIX) or "\0" in name:
            most = LONGEST_NAME - len(PREFIX)
            raise RequestError(400, f"Labels has the name {name[:40]!r}: at most {most} characters, none of them NUL")
    return {f"{PREFIX}{name}": packed(value, f"Labels.{name[:40]}") for name, value in labels.items()}


def labels(found: Mapping[str, Any]) -> Any:
    """The labels that these columns were made of; `None` without any."""
    if COLUMN in found:
        return unpacked(found[COLUMN])
    members = {name.removeprefix(PREFIX): unpacked(value) for name, value in found.items() if name.startswith(PREFIX)}
    return members or None


def others(found: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that are no labels."""
    return {name: value for name, value in found.items() if name != COLUMN and not name.startswith(PREFIX)}


def packed(value: Any, where: str) -> Any:
    """A value as a column can hold it."""
    kept = value if _fits(value) else PACKED + msgspec.json.encode(value).decode()
    texts = kept if isinstance(kept, list) else [kept]
    if any(isinstance(one, str) and len(one) > LONGEST_TEXT for one in texts):
        raise RequestError(400, f"{where} is longer than {LONGEST_TEXT:,} characters: shorten it")
    return kept


def _fits(value: Any) -> bool:
    """Whether a column can hold it as it is."""
    if isinstance(value, str):
        return not value.startswith(PACKED)
    if isinstance(value, list):
        return 0 < len(value) <= MOST_TEXTS and all(isinstance(one, str) for one in value)
    return isinstance(value, bool) or (isinstance(value, int | float) and abs(value) <= LARGEST)


def unpacked(value: Any) -> Any:
    """The value that was packed."""
    if isinstance(value, str) and value.startswith(PACKED):
        return msgspec.json.decode(value.removeprefix(PACKED))
    return value
