"""The columns of an item or a person, from what a caller writes to what the store keeps, and back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from zhiyin.errors import RequestError
from zhiyin.serving.moments import EPOCH, moment

OURS = frozenset({"item_id", "user_id", "hidden"})
"""Names that mean something else beside the attributes."""


def kept(columns: Mapping[str, Any], place: str) -> dict[str, Any]:
    """What the store keeps: moments are µs UTC.

    Raises
    ------
    RequestError
        422 for a name that is taken or blank, or a column of the table of items whose value cannot be one.
    """
    return {name: _kept(name, value, f"{place}.{name[:100]}") for name, value in columns.items()}


def _kept(name: str, value: Any, where: str) -> Any:
    if name in OURS:
        raise RequestError(422, f"{where} has a name that is taken: give {name} beside the attributes", where)
    if not name.strip() or "\0" in name:
        raise RequestError(422, f"{where} has a blank name, or one with the character NUL: give it another", where)
    if value is None:
        return None
    if name == "created_at":
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise RequestError(422, f'{where} must be a moment: write it as "2026-11-20T12:30:00Z"', where)
        return moment(value, where)
    if name == "price" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise RequestError(422, f"{where} must be a number", where)
    if name == "available" and not isinstance(value, bool):
        raise RequestError(422, f"{where} must be true or false", where)
    return value


def told(columns: Mapping[str, Any]) -> dict[str, Any]:
    """What the store keeps, as a caller writes it."""
    return {
        name: iso(value) if name == "created_at" and isinstance(value, int) else value
        for name, value in columns.items()
    }


def iso(time: int) -> str:
    """µs UTC as ISO-8601."""
    moment_: datetime = EPOCH + timedelta(microseconds=time)
    return moment_.isoformat().replace("+00:00", "Z")
