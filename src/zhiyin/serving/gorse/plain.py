"""Errors in Gorse's form: the sentence as plain text, with the status."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from zhiyin.errors import ConfigError, ExpressionError, RequestError, UnknownIdError
from zhiyin.serving.service import Service

Handler = Callable[[Service, Request], Awaitable[Response]]
PREFIX = "/api/"
BAD = frozenset({415, 422})
"""Statuses of ours that Gorse calls 400."""

RETRY_SECONDS = "1"
REFUSED = (RequestError, UnknownIdError, ConfigError, ExpressionError)


def plainly(handler: Handler) -> Handler:
    """A route whose refusals are plain text."""

    @wraps(handler)
    async def answer(service: Service, request: Request) -> Response:
        try:
            return await handler(service, request)
        except REFUSED as error:
            return of_gorse(error)

    return answer


def of_gorse(error: Exception) -> Response:
    """A refusal of ours as Gorse would write it."""
    if isinstance(error, RequestError):
        return refusal(400 if error.status in BAD else error.status, str(error), error.headers)
    if isinstance(error, UnknownIdError):
        return refusal(404, str(error))
    return refusal(400 if isinstance(error, ConfigError | ExpressionError) else 500, str(error))


def refusal(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """The sentence with its status."""
    later = {"Retry-After": RETRY_SECONDS} if status == 503 else {}
    return PlainTextResponse(sentence, status, {**later, **(headers or {})})
