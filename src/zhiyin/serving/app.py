"""The HTTP application: the door, the routes, and one shape for every error."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from zhiyin.errors import ExpressionError, RequestError, ZhiyinError
from zhiyin.registry.signing import Signer
from zhiyin.serving.access import Access, Verifies
from zhiyin.serving.assortment import Assortment
from zhiyin.serving.audit import Audit
from zhiyin.serving.current import current
from zhiyin.serving.dashboard.layer import Dashboard
from zhiyin.serving.dashboard.site import Site
from zhiyin.serving.door import SAFETY, Door, Gate
from zhiyin.serving.failure import failure
from zhiyin.serving.gorse import routes as gorse
from zhiyin.serving.gorse.plain import PREFIX, of_gorse
from zhiyin.serving.live import Live
from zhiyin.serving.observe import Observed, Traces
from zhiyin.serving.pulse import pulse
from zhiyin.serving.refusals import Refusals
from zhiyin.serving.resources import OPEN_PATHS, OPERATIONS
from zhiyin.serving.retention import keep_no_longer
from zhiyin.serving.routing import routes_of
from zhiyin.serving.rulebook import Rulebook, follow
from zhiyin.serving.service import Service
from zhiyin.serving.sessions import Sessions
from zhiyin.serving.settings import Settings
from zhiyin.serving.settled import Settled
from zhiyin.serving.state_metrics import ReleaseMetrics
from zhiyin.serving.statuses import BUG, status_of
from zhiyin.serving.store import Store
from zhiyin.serving.upkeep import Upkeep

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ASKED_HEADERS = ("Authorization", "X-API-Key", "X-Request-Id")
TOLD_HEADERS = ("RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id")

log = logging.getLogger(__name__)


def create_app(
    live: Live,
    store: Store,
    keys: Verifies | None,
    settings: Settings,
    *,
    audit: Audit | None = None,
    signer: Signer | None = None,
    tracing: Traces | None = None,
    config: Path | None = None,
) -> Starlette:
    """The service over a release and a store, both of which it opens and closes.

    Raises
    ------
    ConfigError
        If there are no keys, and the settings do not open the service to this machine alone; or if the release lacks
        what a scenario names.
    """
    access = Access(keys, settings.serve, settings.access)
    service = Service(
        live,
        store,
        Sessions(store),
        Assortment(live, store),
        access,
        settings,
        audit or Audit(),
        signer or Signer.fresh(),
        config=config,
        rulebook=Rulebook(settings.scenarios, config),
    )
    live.require(service.rulebook.fit)
    refusals = Refusals(service.audit)
    upkeep = Upkeep([refusals.write, access.tend, Settled(lambda: live.served).tend])
    service.metrics.add(ReleaseMetrics(live, service.clock))
    live.failed = service.metrics.reload_failures.inc
    store.time(service.metrics.commit_seconds.observe)
    operations = (*OPERATIONS, *gorse.OPERATIONS) if settings.serve.gorse else OPERATIONS
    site = Site(service) if settings.serve.dashboard else None
    observed = Middleware(
        Observed,
        metrics=service.metrics,
        slow_ms=settings.serve.slow_ms,
        tracing=tracing,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with store:
            live.watch(settings.serve.reload_seconds)
            upkeep.start()
            looking = asyncio.ensure_future(pulse(service))
            following = asyncio.ensure_future(follow(service.rulebook, live))
            pruning = asyncio.ensure_future(keep_no_longer(service))
            try:
                yield
            finally:
                looking.cancel()
                following.cancel()
                pruning.cancel()
                await upkeep.stop()
                live.stop()
                service.workers.stop()
                if tracing:
                    await asyncio.to_thread(tracing.stop)

    app = Starlette(
        routes=routes_of(operations, service),
        lifespan=lifespan,
        middleware=[
            observed,
            Middleware(Gate, access=access, refusals=refusals),
            *_for_browsers(settings.access.cors_origins),
            *([Middleware(Dashboard, site=site)] if site else []),
            Middleware(Door, access=access, open_paths=OPEN_PATHS),
        ],
        exception_handlers={
            HTTPException: _of_http,
            ZhiyinError: _of_ours,
            ClientDisconnect: _of_gone,
            Exception: _of_bug,
        },
    )
    app.router.redirect_slashes = False  # a path is known or it is not
    app.state.service = service
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


async def _of_ours(request: Request, error: Exception) -> Response:
    if request.scope["path"].startswith(PREFIX):
        return of_gorse(error)
    if isinstance(error, RequestError):
        return failure(error.status, str(error), error.where, error.headers)
    status = status_of(error) if isinstance(error, ZhiyinError) else BUG
    if status == BUG:
        log.error("a request failed: %s", error)
    return failure(status, str(error), "where" if isinstance(error, ExpressionError) else "")


async def _of_http(request: Request, error: Exception) -> Response:
    """What Starlette refuses: an unknown path or method."""
    status, headers = getattr(error, "status_code", 500), getattr(error, "headers", None)
    path = request.scope["path"][:200]  # request.url decodes the whole query, which may be any bytes
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
    safety = {name.decode(): value.decode() for name, value in SAFETY}
    headers = {"X-Request-Id": current().request_id, **safety}  # this answer passes by the layers that add these
    return failure(500, "the service failed on this request: it is in its log", headers=headers)
