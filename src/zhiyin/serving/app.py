"""The HTTP application: the door, the routes, and one shape for every error."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from zhiyin.errors import ConfigError, ExpressionError, RequestError, UnknownIdError, ZhiyinError
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.access import Access, Verifies
from zhiyin.serving.audit import Audit
from zhiyin.serving.door import SAFETY, Door, Gate
from zhiyin.serving.events import EventStore
from zhiyin.serving.failure import failure
from zhiyin.serving.live import Live
from zhiyin.serving.openapi import described
from zhiyin.serving.refusals import Refusals
from zhiyin.serving.routes import audit as audit_route
from zhiyin.serving.routes import events, health, recommendations, similar
from zhiyin.serving.service import Service
from zhiyin.serving.sessions import Sessions
from zhiyin.serving.upkeep import Upkeep

OPERATIONS = (
    *events.OPERATIONS,
    *recommendations.OPERATIONS,
    *similar.OPERATIONS,
    *audit_route.OPERATIONS,
    *health.OPERATIONS,
)
OPEN_PATHS = frozenset({"/openapi.json", *(operation.path for operation in OPERATIONS if operation.role is None)})
STATUSES: dict[type[Exception], int] = {UnknownIdError: 404, ExpressionError: 422, ConfigError: 422}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ASKED_HEADERS = ("Authorization", "X-API-Key", "X-Request-Id")
TOLD_HEADERS = ("RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id")

log = logging.getLogger(__name__)


def create_app(
    live: Live,
    store: EventStore,
    keys: Verifies | None,
    settings: ServeSettings,
    access: AccessSettings | None = None,
    audit: Audit | None = None,
) -> FastAPI:
    """The service over a release and a store, both of which it opens and closes.

    Raises
    ------
    ConfigError
        If there are no keys, and the settings do not open the service to this machine alone.
    """
    service = Service(live, store, Sessions(store), Access(keys, settings, access), settings, audit or Audit())
    refusals = Refusals(service.audit)
    upkeep = Upkeep([refusals.write, service.access.tend])

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            live.watch(settings.reload_seconds)
            upkeep.start()
            try:
                yield
            finally:
                await upkeep.stop()
                live.stop()
                service.workers.stop()

    app = FastAPI(
        title="zhiyin",
        docs_url=None,  # FastAPI's pages load scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[
            Middleware(Gate, access=service.access, refusals=refusals),
            *_for_browsers(service.access.settings.cors_origins),
            Middleware(Door, access=service.access, open_paths=OPEN_PATHS),
        ],
        exception_handlers={
            HTTPException: _of_http,
            ZhiyinError: _of_ours,
            ClientDisconnect: _of_gone,
            Exception: _of_bug,
        },
    )
    for operation in OPERATIONS:
        app.add_route(operation.path, partial(operation.answer, service), methods=[operation.method])
    document = described(OPERATIONS)
    app.openapi = lambda: document  # type: ignore[method-assign]  # FastAPI's documented way to write one's own
    return app


def _for_browsers(origins: tuple[str, ...]) -> list[Middleware]:
    """CORS for these origins alone, and without cookies; preflights carry no key, so this stands before the door."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=ASKED_HEADERS,
            expose_headers=TOLD_HEADERS,
        )
    ]


async def _of_ours(_: Request, error: Exception) -> Response:
    if isinstance(error, RequestError):
        return failure(error.status, str(error), error.where, error.headers)
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
    safety = {name.decode(): value.decode() for name, value in SAFETY}  # this answer does not pass the gate
    return failure(500, "the service failed on this request: it is in its log", "", safety)
