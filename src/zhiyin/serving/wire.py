"""HTTP as uvicorn reads it, with an end to what it collects of a request before anybody has looked at it."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 98_304
"""Bytes of a request line and headers that are not complete; uvicorn's parser alone would collect without end."""
HEAD_SECONDS = 30.0
"""For a head to be complete; uvicorn alone would wait without end."""
GOODBYE_SECONDS = 1.0


class BoundedHttp(HttpToolsProtocol):
    """Hangs up on a head without end, and on one that does not come."""

    _head = 0
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Somebody connects."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some more of a request, or of several."""
        super().data_received(data)
        if not self._in_head:
            self._head = 0
            return
        self._head += len(data)
        if self._deadline is None:
            self._wait()
        if self._head > LARGEST_HEAD and not self.transport.is_closing():
            cycle: Any = self.cycle  # None before the first request, whatever its type says
            if cycle is None or cycle.response_complete:
                self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n")
            self._hang_up()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head ends."""
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        """Say goodbye, but do not wait for it: over TLS, who goes on sending would be listened to for long."""
        self.transport.close()
        self.loop.call_later(GOODBYE_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


PROTOCOL: dict[str, Any] = {"http": BoundedHttp, "ws": "none"}
"""For `uvicorn.Config`: nothing here speaks WebSocket."""
