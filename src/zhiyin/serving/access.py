"""Who may ask: callers with an API key, and where it is allowed, callers on this machine."""

import asyncio
import hashlib
import ipaddress
import logging
from typing import Protocol

from starlette.datastructures import Headers
from starlette.types import Scope

from zhiyin.errors import ArtifactError, ConfigError, RequestError
from zhiyin.registry.serve_settings import ServeSettings

MOST_SEEN = 10_000
LONGEST_KEY = 1_024
MOST_HASHING = 2
"""Keys hashed at once: hashing is slow on purpose, and wrong keys must not take all of the machine."""

log = logging.getLogger(__name__)

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Verifies(Protocol):
    """What knows the keys; `zhiyin.serving.keys.Keys` does."""

    def verify(self, text: str) -> str | None:
        """The name of the caller that a key belongs to; `None` for a wrong one."""
        ...


class Access:
    """The door."""

    def __init__(self, keys: Verifies | None, settings: ServeSettings) -> None:
        self._keys = keys
        self._open = settings.open_on_loopback and is_loopback(settings.host)
        if keys is None and not self._open:
            raise ConfigError(
                "the service needs API keys: create one, "
                "or set serve.open_on_loopback = true with host = 127.0.0.1 to try it on this machine alone"
            )
        self._seen: set[bytes] = set()  # digests of keys that were right: to check them again is quick
        self._hashing = asyncio.Semaphore(MOST_HASHING)

    async def admit(self, scope: Scope) -> None:
        """Let a request pass.

        Raises
        ------
        RequestError
            401 without a key, or with one that is not known.
        """
        headers = Headers(scope=scope)
        if self._open and _is_here(scope, headers):
            return
        key = _key(headers)
        if not key:
            raise RequestError(401, "an API key is needed: send it as Authorization: Bearer KEY, or as X-API-Key: KEY")
        if not await self._known(key):
            raise RequestError(401, "this API key is not known: check it, or ask for a new one")

    async def _known(self, key: str) -> bool:
        if self._keys is None or len(key) > LONGEST_KEY:
            return False
        digest = hashlib.sha256(key.encode()).digest()
        try:
            if digest in self._seen:
                return self._keys.verify(key) is not None
            async with self._hashing:
                right = await asyncio.to_thread(self._keys.verify, key) is not None
        except ArtifactError as error:
            log.error("no key can be checked: %s", error)
            raise RequestError(503, "the API keys cannot be read now: see the log of the service") from None
        if right:
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            self._seen.add(digest)
        return right


def is_loopback(host: str) -> bool:
    """Whether an address or a name is this machine alone."""
    name = host.strip().strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _key(headers: Headers) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()


def _is_here(scope: Scope, headers: Headers) -> bool:
    """The caller is on this machine: no proxy speaks for another, and no page in a browser under another name."""
    client = scope.get("client")
    host = headers.get("host", "")
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    forwarded = any(header in headers for header in FORWARDED)
    return client is not None and is_loopback(client[0]) and is_loopback(name) and not forwarded
