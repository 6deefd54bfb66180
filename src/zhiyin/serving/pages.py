"""Lists that are read page by page: how long a page is, and where the next begins."""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias

from msgspec import Meta

from zhiyin.errors import RequestError
from zhiyin.serving.operation import Parameter
from zhiyin.serving.schemas import LONGEST_ID

LONGEST_PAGE = 1_000
PAGE = 100
"""The length of a page where the caller does not say."""

Limit: TypeAlias = Annotated[int, Meta(ge=1, le=LONGEST_PAGE)]
Cursor: TypeAlias = Annotated[str, Meta(max_length=LONGEST_ID)]

LIMIT = Parameter("limit", "query", Limit, f"how many at most; {PAGE} if not given")
CURSOR = Parameter("cursor", "query", Cursor, "from the page before; without it, the first page")
LARGEST = 2**63 - 1


def limit(given: Mapping[str, str]) -> int:
    """The length of the page.

    Raises
    ------
    RequestError
        422 if it is no whole number from 1 to 1,000.
    """
    return whole(given.get("limit", str(PAGE)), "query.limit", 1, LONGEST_PAGE)


def after(given: Mapping[str, str]) -> str:
    """The id after which a page begins; empty for the first.

    Raises
    ------
    RequestError
        422 if it is too long to be an id.
    """
    cursor = given.get("cursor", "")
    if len(cursor) > LONGEST_ID or "\0" in cursor:
        raise RequestError(422, "query.cursor is none of this service: send the one of the page before", "query.cursor")
    return cursor


def before(given: Mapping[str, str]) -> int:
    """The sequence number before which a page of events begins.

    Raises
    ------
    RequestError
        422 if it is none.
    """
    return whole(given.get("cursor") or str(LARGEST), "query.cursor", 0, LARGEST)


def whole(text: str, where: str, low: int, high: int) -> int:
    """A whole number of a query string.

    Raises
    ------
    RequestError
        422 if it is none, or out of bounds.
    """
    written = text.strip()
    number = int(written) if written.isascii() and written.removeprefix("-").isdecimal() and len(written) < 20 else None
    if number is None or not low <= number <= high:
        bounds = f"a whole number from {low:,} to {high:,}" if high < LARGEST else "the cursor of the page before"
        raise RequestError(422, f"{where} must be {bounds}, got {text[:40]!r}", where)
    return number


def following(ids: Sequence[str], asked: int) -> str | None:
    """The cursor of the next page; `None` where this one is the last."""
    return ids[-1] if len(ids) == asked and ids else None
