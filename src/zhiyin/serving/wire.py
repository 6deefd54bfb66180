"""HTTP as uvicorn reads it, with an end to what it collects of a request before anybody has looked at it."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 98_304
"""Bytes of a request line and headers that are not complete; uvicorn's parser alone would collect without end."""


class BoundedHttp(HttpToolsProtocol):
    """Hangs up on a head without end."""

    _head = 0
    _in_head = True

    def data_received(self, data: bytes) -> None:
        """Some more of a request, or of several."""
        super().data_received(data)
        if not self._in_head:
            self._head = 0
            return
        self._head += len(data)
        if self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n")
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head ends."""
        self._in_head = False
        super().on_headers_complete()


PROTOCOL: dict[str, Any] = {"http": BoundedHttp, "ws": "none"}
"""For `uvicorn.Config`: nothing here speaks WebSocket."""
