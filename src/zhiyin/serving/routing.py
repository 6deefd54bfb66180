"""From a path to the operation that answers: a path without parameters by one look, the others in their order."""

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from zhiyin.serving.openapi import described
from zhiyin.serving.operation import Operation
from zhiyin.serving.resources import OPERATIONS
from zhiyin.serving.service import Service


class Endpoint:
    """An operation as an ASGI application; what it raises is for the application to tell."""

    def __init__(self, operation: Operation, service: Service) -> None:
        self._operation = operation
        self._service = service
        self.template = operation.path.replace(":path}", "}")
        """What stands for its paths where no id of a person may."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        response = await self._operation.answer(self._service, Request(scope, receive, send))
        await response(scope, receive, send)


class Fixed(BaseRoute):
    """All routes whose path has no parameter, as one that comes before the others: a hundred patterns cost more."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._endpoints = {
            (method, route.path): route.endpoint
            for route in routes
            if not route.param_convertors
            for method in route.methods or ()
        }

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether one of them is meant; another method of its path is left to the route itself."""
        if scope["type"] == "http":
            endpoint = self._endpoints.get((scope["method"], scope["path"]))
            if endpoint is not None:
                return Match.FULL, {"endpoint": endpoint, "path_params": {}}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await scope["endpoint"](scope, receive, send)


def routes_of(operations: Sequence[Operation], service: Service) -> list[BaseRoute]:
    """All routes of the service, in the order in which they are tried."""
    answering = [
        Route(path, Endpoint(operation, service), methods=[operation.method])
        for operation in operations
        for path in operation.paths
    ]
    return [Fixed(answering), *answering, Route("/openapi.json", _openapi)]


async def _openapi(_: Request) -> Response:
    return Response(_document(), media_type="application/json")


@cache
def _document() -> bytes:
    return msgspec.json.encode(described(OPERATIONS))
