"""The one shape of every error."""

import msgspec
from starlette.responses import Response

from zhiyin.serving.schemas import Failure, Problem

RETRY_SECONDS = "1"
MORE = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": RETRY_SECONDS}}


def failure(status: int, message: str, where: str = "", headers: dict[str, str] | None = None) -> Response:
    """An error in its one shape."""
    content = Failure(Problem(status, message, where or msgspec.UNSET))
    given = {**MORE.get(status, {}), **(headers or {})}
    return Response(msgspec.json.encode(content), status, given, "application/json")
