"""The connections of a client: kept open, bounded in number and time, tried again where nothing can happen twice."""

import http.client
import math
import ssl
import time
from collections import deque
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from zhiyin.errors import ConfigError, RequestError
from zhiyin.serving.schemas import Failure

T = TypeVar("T")

TIMEOUT_SECONDS = 5.0
TRIES = 4
MOST_IDLE = 10
"""Connections that wait for the next call."""

MOST_BYTES = 256 * 2**20
"""Of an answer."""

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
AGAIN = frozenset({429, 503})
LOST = (OSError, http.client.HTTPException)


class Wire:
    """Sends a request and reads the answer, from any thread."""

    def __init__(self, url: str, key: str | None, timeout_seconds: float, tries: int) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ConfigError(
                "the url of a Client must be like http://127.0.0.1:8000 or https://shop.example, without user or query"
            )
        if not timeout_seconds > 0 or tries < 1:
            raise ConfigError(
                f"timeout_seconds must be above 0 and tries at least 1, got {timeout_seconds} and {tries}"
            )
        self.place = f"{parts.scheme}://{parts.netloc}"
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeout = timeout_seconds
        self._tries = tries
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._idle: deque[http.client.HTTPConnection] = deque()

    def ask(self, method: str, path: str, kind: type[T], content: Any = None) -> T:
        """The answer as `kind`.

        Raises
        ------
        RequestError
            What the service says; 503 if it cannot be reached, or its answer cannot be read.
        """
        body = None if content is None else msgspec.json.encode(content)
        for attempt in range(1, self._tries + 1):
            wait = FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)
            try:
                status, again, answer = self._once(method, path, body)
            except LOST as error:
                failure = RequestError(
                    503, f"{self.place} cannot be reached ({_reason(error)}): is `zhiyin serve` running?"
                )
            else:
                if status < 300:
                    return self._read(answer, kind)
                failure = _failure(status, answer)
                if status not in AGAIN:
                    break
                wait = max(wait, again)
            if attempt < self._tries:
                time.sleep(min(wait, LONGEST_PAUSE_SECONDS))
        raise failure

    def close(self) -> None:
        """Close the connections that wait."""
        while self._idle:
            self._idle.pop().close()

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, float, bytes]:
        """Status, seconds to wait before the next try, and content; a kept connection may have ended meanwhile."""
        try:
            kept = self._idle.pop()
        except IndexError:
            return self._over(self._fresh(), method, path, body)
        try:
            return self._over(kept, method, path, body)
        except LOST:
            return self._over(self._fresh(), method, path, body)

    def _over(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None
    ) -> tuple[int, float, bytes]:
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        try:
            connection.request(method, self._prefix + path, body, headers)
            response = connection.getresponse()
            content = response.read(MOST_BYTES + 1)
        except LOST:
            connection.close()
            raise
        if len(content) > MOST_BYTES or response.will_close or len(self._idle) >= MOST_IDLE:
            connection.close()
        else:
            self._idle.append(connection)
        if len(content) > MOST_BYTES:
            raise RequestError(503, f"the answer of {self.place} is longer than {MOST_BYTES:,} bytes: ask for less")
        return response.status, _seconds(response.getheader("Retry-After")), content

    def _fresh(self) -> http.client.HTTPConnection:
        if self._tls is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def _read(self, answer: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(answer, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RequestError(
                503,
                f"{self.place} gave an answer that this client cannot read ({error}): is it a zhiyin of this version?",
            ) from None


def _failure(status: int, answer: bytes) -> RequestError:
    try:
        problem = msgspec.json.decode(answer, type=Failure).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return RequestError(status, f"the service answered {status}: {answer[:200].decode(errors='replace')}")
    return RequestError(status, problem.message, problem.where or "")


def _seconds(written: str | None) -> float:
    try:
        seconds = float(written or 0)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
