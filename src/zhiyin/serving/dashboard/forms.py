"""What a form sends: names and texts, bounded."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from zhiyin.errors import RequestError

LARGEST = 1_000_000  # bytes
MOST_FIELDS = 1_000
SCOPE = "zhiyin.dashboard.form"
KIND = "application/x-www-form-urlencoded"


async def form(request: Request) -> dict[str, str]:
    """The fields by name, read once per request; of a name that comes twice, the last.

    Raises
    ------
    RequestError
        413 if it is too long, 415 if it is no form, 400 if it cannot be read.
    """
    if SCOPE not in request.scope:
        request.scope[SCOPE] = _read(request, await _content(request))
    found: dict[str, str] = request.scope[SCOPE]
    return found


async def _content(request: Request) -> bytes:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST:
            raise RequestError(413, f"the form is longer than {LARGEST:,} bytes: send less")
    return content


def _read(request: Request, content: bytes) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content and kind != KIND:
        raise RequestError(415, f"a form must be sent as {KIND}, got {kind[:80] or 'none'}")
    try:
        pairs = parse_qsl(content.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise RequestError(400, "the form cannot be read: send it as a browser does, in UTF-8") from None
    return dict(pairs)
