"""Around every request: its id, its log line, its metrics and its span; the outermost layer, and a thin one."""

import logging
import re
import time
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhiyin.serving.current import Noted, begin, new_request_id
from zhiyin.serving.metrics import OTHER, Metrics

WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
REQUEST_ID = b"x-request-id"
BROKEN = 500
"""What a caller is told, or would be, when nothing else was."""

log = logging.getLogger("zhiyin.access")


class Traces(Protocol):
    """What keeps spans; `zhiyin.serving.traces.Tracing` does."""

    def begin(self, noted: Noted, scope: Scope) -> None:
        """A request has come."""
        ...

    def end(self, noted: Noted, route: str, method: str, status: int) -> None:
        """It was answered."""
        ...

    def stop(self) -> None:
        """The service ends."""
        ...


class Observed:
    """A pure ASGI layer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        slow_ms: int,
        tracing: Traces | None = None,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._slow_ms = slow_ms
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        noted = Noted(_request_id(scope))
        begin(noted)
        status, started = BROKEN, time.perf_counter()
        if self._tracing:
            self._tracing.begin(noted, scope)

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (REQUEST_ID, noted.request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            self._ended(scope, noted, status, (noted.flowing or time.perf_counter()) - started)

    def _ended(self, scope: Scope, noted: Noted, status: int, seconds: float) -> None:
        endpoint = scope.get("endpoint")
        route: str = getattr(endpoint, "template", OTHER)
        self._metrics.ended(noted, route, scope["method"], status, seconds)
        if self._tracing:
            self._tracing.end(noted, route, scope["method"], status)
        ms = seconds * 1_000
        level = logging.INFO if status >= BROKEN or ms >= self._slow_ms else logging.DEBUG
        if log.isEnabledFor(level):
            about = {"request_id": noted.request_id, "method": scope["method"][:20], "route": route, "status": status}
            about["ms"] = round(ms, 3)
            if noted.caller:
                about["caller"] = noted.caller
            log.log(level, "request", extra=about)


def _request_id(scope: Scope) -> str:
    """The caller's own, where it is well formed; else a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID:
            return value.decode("ascii") if WELL_FORMED.fullmatch(value) else new_request_id()
    return new_request_id()
