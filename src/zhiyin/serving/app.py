"""The HTTP application: the door, the routes, and one shape for every error."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhiyin.errors import ConfigError, ExpressionError, RequestError, UnknownIdError, ZhiyinError
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.access import Access, Verifies
from zhiyin.serving.gorse import routes as gorse
from zhiyin.serving.gorse.plain import PREFIX, refusal
from zhiyin.serving.live import Live
from zhiyin.serving.openapi import described
from zhiyin.serving.routes import (
    events,
    friends,
    health,
    items,
    privacy,
    recommendations,
    sessions,
    similar,
    users,
)
from zhiyin.serving.schemas import Failure, Problem
from zhiyin.serving.service import Service
from zhiyin.serving.sessions import Sessions
from zhiyin.serving.store import Store

OPERATIONS = (
    *events.OPERATIONS,
    *recommendations.OPERATIONS,
    *similar.OPERATIONS,
    *items.OPERATIONS,  # after what stands below an item: an id may hold slashes
    *friends.OPERATIONS,
    *privacy.OPERATIONS,
    *users.OPERATIONS,
    *sessions.OPERATIONS,
    *health.OPERATIONS,
)
OPEN_PATHS = frozenset(
    {"/openapi.json", *(one.path + end for one in (*OPERATIONS, *gorse.OPERATIONS) if one.open for end in ("", "/"))}
)
STATUSES: dict[type[Exception], int] = {UnknownIdError: 404, ExpressionError: 422, ConfigError: 422}
RETRY_SECONDS = "1"
SAFETY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)

log = logging.getLogger(__name__)


def create_app(live: Live, store: Store, keys: Verifies | None, settings: ServeSettings) -> FastAPI:
    """The service over a release and a store, both of which it opens and closes.

    Raises
    ------
    ConfigError
        If there are no keys, and the settings do not open the service to this machine alone.
    """
    service = Service(live, store, Sessions(store), Access(keys, settings), settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            live.watch(settings.reload_seconds)
            try:
                yield
            finally:
                live.stop()
                service.workers.stop()

    app = FastAPI(
        title="zhiyin",
        docs_url=None,  # FastAPI's pages load scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[Middleware(Door, access=service.access)],
        exception_handlers={
            HTTPException: _of_http,
            ZhiyinError: _of_ours,
            ClientDisconnect: _of_gone,
            Exception: _of_bug,
        },
    )
    for operation in OPERATIONS:
        app.add_route(operation.path, partial(operation.handler, service), methods=[operation.method])
    if settings.gorse:
        for operation in gorse.OPERATIONS:
            for end in ("", "/"):  # its clients send both
                app.add_route(operation.path + end, partial(operation.handler, service), methods=[operation.method])
    document = described(OPERATIONS)
    app.openapi = lambda: document  # type: ignore[method-assign]  # FastAPI's documented way to write one's own
    return app


class Door:
    """Lets in who may enter, and says on every answer how a browser has to treat it."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *SAFETY]
            await send(message)

        if scope["path"] not in OPEN_PATHS:
            try:
                await self._access.admit(scope)
            except RequestError as error:
                written = refusal if scope["path"].startswith(PREFIX) else failure
                await written(error.status, str(error))(scope, receive, safely)
                return
        await self._app(scope, receive, safely)


def failure(status: int, message: str, where: str = "", headers: dict[str, str] | None = None) -> Response:
    """An error in its one shape."""
    content = Failure(Problem(status, message, where or msgspec.UNSET))
    more = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": RETRY_SECONDS}}.get(status, {})
    return Response(msgspec.json.encode(content), status, {**(headers or {}), **more}, "application/json")


async def _of_ours(_: Request, error: Exception) -> Response:
    if isinstance(error, RequestError):
        return failure(error.status, str(error), error.where)
    status = STATUSES.get(type(error), 500)
    if status == 500:
        log.error("a request failed: %s", error)
    return failure(status, str(error), "where" if isinstance(error, ExpressionError) else "")


async def _of_http(request: Request, error: Exception) -> Response:
    """What Starlette refuses: an unknown path or method."""
    status, headers = getattr(error, "status_code", 500), getattr(error, "headers", None)
    path = request.url.path[:200]
    if status == 404:
        return failure(404, f"{path} is no route of this service: see /openapi.json")
    if status == 405:
        allowed = (headers or {}).get("Allow", "")
        return failure(
            405, f"{request.method} is not allowed on {path}: use {allowed or 'another method'}", "", headers
        )
    return failure(status, str(getattr(error, "detail", "the request was refused")), "", headers)


async def _of_gone(_: Request, __: Exception) -> Response:
    """Nobody reads this."""
    return failure(400, "the connection was closed before the body was complete")


async def _of_bug(_: Request, __: Any) -> Response:
    """The server logs the traceback; the caller gets none."""
    return failure(500, "the service failed on this request: it is in its log")
