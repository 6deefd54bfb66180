"""What a request to Gorse's routes says beside its body: numbers, categories, times, cursors."""

import re

from starlette.requests import Request

from zhiyin.errors import RequestError
from zhiyin.serving.columns import iso
from zhiyin.serving.gorse.shapes import NO_TIME
from zhiyin.serving.moments import moment
from zhiyin.serving.schemas import LONGEST_ID, MOST_K

DEFAULT_N = 10
"""As `default_n` of Gorse's configuration."""

LARGEST = 2**63 - 1
SECOND = 1_000_000  # µs
UNITS = {"ns": 0.001, "us": 1.0, "µs": 1.0, "μs": 1.0, "ms": 1_000.0, "s": 1e6, "m": 60e6, "h": 3_600e6}  # µs
PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
LONGEST_DELAY = 366 * 86_400 * SECOND
MOST_CATEGORIES = 20


def amount(request: Request) -> int:
    """The `n` of a query: 10 if not given.

    Raises
    ------
    RequestError
        400 if it is no whole number from 1 to 10,000.
    """
    return _whole(request, "n", DEFAULT_N, 1)


def offset(request: Request) -> int:
    """The `offset` of a query: 0 if not given.

    Raises
    ------
    RequestError
        400 if it is no whole number from 0 to 10,000.
    """
    return _whole(request, "offset", 0, 0)


def _whole(request: Request, name: str, absent: int, low: int) -> int:
    written = request.query_params.get(name, "")
    if not written:
        return absent
    number = int(written) if written.isascii() and written.isdecimal() and len(written) < 20 else -1
    if not low <= number <= MOST_K:
        raise RequestError(400, f"{name} must be a whole number from {low} to {MOST_K:,}, got {written[:40]!r}")
    return number


def id_of(request: Request, name: str) -> str:
    """An id of the path.

    Raises
    ------
    RequestError
        400 if it is empty or too long.
    """
    text = str(request.path_params[name]).strip()
    if not text or len(text) > LONGEST_ID or "\0" in text:
        raise RequestError(400, f"{name} must have from 1 to {LONGEST_ID:,} characters")
    return text


def text(written: str, where: str) -> str:
    """An id of a body, without blanks around it.

    Raises
    ------
    RequestError
        400 if nothing is left, or it holds the character NUL.
    """
    found = written.strip()
    if not found or "\0" in found:
        raise RequestError(400, f"{where} must not be {'empty' if not found else 'a text with the character NUL'}")
    return found


def categories(request: Request) -> list[str]:
    """The categories that an item must all have: of the path, or of the query, where several may stand.

    Raises
    ------
    RequestError
        400 if there are too many.
    """
    in_path = request.path_params.get("category", "")
    found = [in_path] if in_path else [one for one in request.query_params.getlist("category") if one]
    if len(found) > MOST_CATEGORIES or any(len(one) > LONGEST_ID for one in found):
        raise RequestError(400, f"at most {MOST_CATEGORIES} categories of {LONGEST_ID:,} characters may be asked for")
    return found


def duration(written: str) -> int:
    """µs of a duration as Go writes it: `1h30m`, `10s`, `0`.

    Raises
    ------
    RequestError
        400 if it is none, is negative or longer than a year.
    """
    text = written.strip().removeprefix("+")
    parts = PART.findall(text[:100])
    if text != "0" and (not parts or "".join(f"{number}{unit}" for number, unit in parts) != text):
        raise RequestError(400, f"write-back-delay is no duration, got {written[:40]!r}: write it as 10m or 1h30m")
    time = round(sum(float(number) * UNITS[unit] for number, unit in parts))
    if time > LONGEST_DELAY:
        raise RequestError(400, f"write-back-delay must be at most a year, got {written[:40]!r}")
    return time


def time_of(written: str | None, where: str) -> int | None:
    """µs UTC of a timestamp; `None` for none, and for the zero time of Go.

    Raises
    ------
    RequestError
        400 if it is no time.
    """
    text = (written or "").strip()
    if not text or text.startswith(NO_TIME[:10]):
        return None
    try:
        return moment(int(text) if text.isascii() and text.isdecimal() and len(text) > 8 else text, where)
    except RequestError as error:
        raise RequestError(400, str(error)) from None


def written_time(time: int | None) -> str:
    """A timestamp as Gorse answers it."""
    return NO_TIME if time is None else iso(time)


def before(request: Request) -> int:
    """The sequence number before which a page of feedback begins.

    Raises
    ------
    RequestError
        400 if the cursor is none of this service.
    """
    written = request.query_params.get("cursor", "")
    if not written:
        return LARGEST
    if not (written.isascii() and written.isdecimal() and len(written) < 20 and int(written) <= LARGEST):
        raise RequestError(
            400, f"cursor is none of this service, got {written[:40]!r}: send the one of the page before"
        )
    return int(written)


def after(request: Request) -> str:
    """The id after which a page begins; empty for the first.

    Raises
    ------
    RequestError
        400 if it is too long to be an id.
    """
    cursor = request.query_params.get("cursor", "")
    if len(cursor) > LONGEST_ID or "\0" in cursor:
        raise RequestError(400, "cursor is none of this service: send the one of the page before")
    return cursor
