"""Errors in Gorse's form: the sentence as plain text, with the status."""

from collections.abc import Awaitable, Callable
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


def plainly(handler: Handler) -> Handler:
    """A route whose refusals are plain text."""

    @wraps(handler)
    async def answer(service: Service, request: Request) -> Response:
        try:
            return await handler(service, request)
        except RequestError as error:
            return refusal(400 if error.status in BAD else error.status, str(error))
        except UnknownIdError as error:
            return refusal(404, str(error))
        except (ConfigError, ExpressionError) as error:
            return refusal(400, str(error))

    return answer


def refusal(status: int, sentence: str) -> Response:
    """The sentence with its status."""
    return PlainTextResponse(sentence, status, {"Retry-After": RETRY_SECONDS} if status == 503 else None)
