"""One process that answers: uvicorn over a bound socket, which ends in order."""

import socket
import ssl
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from zhiyin.serving.settled import settle
from zhiyin.serving.wire import PROTOCOL

ALIVE_TICKS = 50
"""Of uvicorn, a tenth of a second each, between two signs of life."""

GRACE_SECONDS = 10
"""What is on its way when the service ends may take so long."""


class Server(uvicorn.Server):
    """Tells when it answers, and while its loop goes round; and says that it is not ready before it stops."""

    def __init__(
        self,
        app: Starlette,
        listener: socket.socket,
        *,
        tls: ssl.SSLContext | None = None,
        drain_seconds: int = 0,
        ready: Callable[[], None] = lambda: None,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                ssl_context_factory=None if tls is None else lambda *_: tls,
                **PROTOCOL,
            )
        )
        self._listener = listener
        self._drain_seconds = drain_seconds
        self._ready = ready
        self._alive = alive
        self._readiness = app.state.service.readiness

    def answer(self) -> None:
        """Answer until told to end."""
        self.run([self._listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if self.started:
            settle()
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Every tenth of a second."""
        if counter % ALIVE_TICKS == 0:
            self._alive()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's own signature
        """A signal to end; a second one ends the waiting."""
        self.end()

    def end(self) -> None:
        """Be not ready at once, and stop after the draining; asked twice, stop. Safe in signal handlers and threads."""
        if self._readiness.ending or self._drain_seconds == 0:
            self.should_exit = True
        else:
            later = threading.Timer(self._drain_seconds, self._stop)
            later.daemon = True
            later.start()
        self._readiness.end()

    def _stop(self) -> None:
        self.should_exit = True
