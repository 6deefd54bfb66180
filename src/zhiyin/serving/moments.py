"""Moments as callers write them, ISO-8601 or a number since 1970, as µs UTC."""

import math
from datetime import UTC, datetime, timedelta

from zhiyin.data.sources.times import UNITS
from zhiyin.errors import RequestError

PER_UNIT = {"seconds": 1_000_000.0, "milliseconds": 1_000.0, "microseconds": 1.0, "nanoseconds": 0.001}  # µs
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 253_402_300_800_000_000  # µs, the end of the year 9999
ADVICE = 'write it as "2026-11-20T12:30:00Z", or as seconds since 1970'


def moment(written: str | int | float, where: str) -> int:
    """µs UTC; a time without a zone is UTC, a number is seconds, ms, µs or ns by its magnitude.

    Raises
    ------
    RequestError
        422 for what is no time from 1970 to 9999; `where` names it.
    """
    time = _of_text(written, where) if isinstance(written, str) else _of_number(written, where)
    if not 0 < time < LATEST:
        raise RequestError(422, f"{where} lies outside the years 1970 to 9999: {ADVICE}", where)
    return time


def written(time: int) -> str:
    """µs UTC as ISO-8601, to the second; what lies beyond the calendar is its nearest end."""
    return (
        (EPOCH + timedelta(microseconds=min(max(time, 0), LATEST - 1)))
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z")
    )


def day(number: int) -> str:
    """Days since 1970 as 2026-11-20."""
    return (EPOCH + timedelta(days=number)).date().isoformat()


def _of_text(written: str, where: str) -> int:
    try:
        parsed = datetime.fromisoformat(written.strip())
    except ValueError:
        raise RequestError(422, f"{where} is no time, got {written[:40]!r}: {ADVICE}", where) from None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    return (parsed - EPOCH) // timedelta(microseconds=1)


def _of_number(written: int | float, where: str) -> int:
    if not math.isfinite(written):
        raise RequestError(422, f"{where} is no time, got {written}: {ADVICE}", where)
    for name, low, high in UNITS:
        if low <= written < high:
            if isinstance(written, int):
                return written // 1_000 if name == "nanoseconds" else written * int(PER_UNIT[name])
            return round(written * PER_UNIT[name])
    return -1
