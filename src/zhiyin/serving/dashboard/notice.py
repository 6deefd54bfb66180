"""The sentence that stands once on the page to which somebody comes after doing something: a cookie of one page."""

import base64
import binascii

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.serving.dashboard.words import Said

COOKIE = "zhiyin_notice"
LONGEST = 2_000
SECONDS = 60
Kept = tuple[str, dict[str, str | int | float]]


def leave(response: Response, said: Said, *, secure: bool) -> None:
    """For the next page."""
    content = base64.urlsafe_b64encode(msgspec.json.encode((said.key, dict(said.values)))).decode()
    response.set_cookie(COOKIE, content, SECONDS, httponly=True, samesite="strict", secure=secure)


def left(request: Request) -> Said | None:
    """What the page before has left; None for nothing, and for what it cannot have."""
    try:
        content = base64.urlsafe_b64decode(request.cookies.get(COOKIE, "")[:LONGEST])
        key, values = msgspec.json.decode(content, type=Kept)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return None
    return Said(key, values)
