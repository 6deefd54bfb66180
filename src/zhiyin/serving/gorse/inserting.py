"""What stores one row of a kind, or several, as Gorse's clients send them."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import RequestError
from zhiyin.serving.bodies import body, decoded, names
from zhiyin.serving.catalogue import MOST_STORED
from zhiyin.serving.gorse.plain import Handler
from zhiyin.serving.gorse.shapes import Success
from zhiyin.serving.operation import answered
from zhiyin.serving.service import Service

Row = TypeVar("Row", bound=msgspec.Struct)
Puts: TypeAlias = Callable[[Service, list[Row]], Awaitable[None]]


def of_one(kind: type[Row], put: Puts[Row]) -> Handler:
    """A handler that stores a row, in place of what was there."""
    decoder, known = msgspec.json.Decoder(kind), names(kind)

    async def insert(service: Service, request: Request) -> Response:
        """Store one, in place of what was there."""
        await put(service, [decoded(await body(request, service.body_limit), decoder, known)])
        return answered(Success(1))

    return insert


def of_several(kind: type[Row], what: str, put: Puts[Row]) -> Handler:
    """A handler that stores several; `what` is the word for them."""
    decoder: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]  # a type at run time
    known = names(kind)

    async def insert_many(service: Service, request: Request) -> Response:
        """Store several, in place of what was there."""
        rows = decoded(await body(request, service.body_limit), decoder, known)
        if len(rows) > MOST_STORED:
            raise RequestError(400, f"at most {MOST_STORED:,} {what} are taken at once, got {len(rows):,}: split them")
        await put(service, rows)
        return answered(Success(len(rows)))

    return insert_many
