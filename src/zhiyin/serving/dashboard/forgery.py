"""Whether a request that changes something was sent by our own pages: no other site may act in a person's name."""

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from zhiyin.errors import RequestError
from zhiyin.serving.dashboard.forms import form

HEADER, FIELD = "x-csrf-token", "csrf"
ADVICE = "open the page again and repeat it there"


def require_same_site(request: Request) -> None:
    """Go on only if the browser says that one of our pages sends this, or a program that is no browser.

    Raises
    ------
    RequestError
        403 if it came from elsewhere.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:  # of every browser of today; the page cannot set it
        if site != "same-origin":
            raise RequestError(403, f"this was sent by another site: {ADVICE}")
    elif origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise RequestError(403, f"this was sent by another site: {ADVICE}")


async def require_token(request: Request, token: str) -> None:
    """Go on only if the request carries the token of its session, as a header or in the form.

    Raises
    ------
    RequestError
        403 if it does not.
    """
    given = request.headers.get(HEADER) or (await form(request)).get(FIELD, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        raise RequestError(403, f"the token of the form is missing or of another session: {ADVICE}")
