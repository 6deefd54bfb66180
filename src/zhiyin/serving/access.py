"""Who may ask: callers with an API key, and where it is allowed, callers on this machine."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from typing import Protocol

from starlette.types import Scope

from zhiyin.errors import ArtifactError, ConfigError, RequestError
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.registry.rate import Rate
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.addresses import SCOPE, UNKNOWN, Addresses, customer, is_loopback
from zhiyin.serving.caller import HERE, Caller, Role
from zhiyin.serving.headers import header
from zhiyin.serving.key import Key
from zhiyin.serving.keys import Recalled
from zhiyin.serving.rates import Allowance, Rates

MOST_HASHING = 1
"""Keys hashed at once: hashing is slow on purpose, and wrong keys from everywhere take one core, not the machine."""
MOST_WAITING = 100
"""Keys that may wait to be hashed; beyond it callers are asked to come back."""
FAILURES = Rate(20, 60)
"""Wrong keys of one address: 20 at once, and 20 a minute after that; then it gets 429 without hashing."""
FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})

log = logging.getLogger(__name__)


class Verifies(Protocol):
    """What knows the keys; `zhiyin.serving.keys.Keys` does."""

    def recalled(self, text: str) -> Recalled:
        """What `verify` says, if it can say so quickly."""
        ...

    def verify(self, text: str) -> Key | None:
        """The key that this is; `None` for one that opens to nobody."""
        ...

    def found(self, prefix: str) -> Key | None:
        """The valid key that begins with these letters."""
        ...

    def tend(self) -> None:
        """Write down what can wait."""
        ...


class Access:
    """The door's book: who is let in, and how often."""

    def __init__(
        self,
        keys: Verifies | None,
        settings: ServeSettings,
        access: AccessSettings | None = None,
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._open = settings.open_on_loopback and is_loopback(settings.host)
        if keys is None and not self._open:
            raise ConfigError(
                "the service needs API keys: create one, "
                "or set serve.open_on_loopback = true with host = 127.0.0.1 to try it on this machine alone"
            )
        self.settings = access or AccessSettings()
        self.addresses = Addresses(self.settings)
        self._rate = None if self.settings.rate is None else Rate.read(self.settings.rate, "access.rate")
        self._seconds = seconds
        self._rates, self._failures = Rates(), Rates()
        self._hashing = asyncio.Semaphore(MOST_HASHING)
        self._checking: dict[bytes, asyncio.Future[Key | None]] = {}  # by digest: one hash for all who ask at once

    @property
    def keys(self) -> Verifies | None:
        """What knows the keys; None where nobody has one."""
        return self._keys

    async def admit(self, scope: Scope) -> Caller:
        """Let a request pass.

        Raises
        ------
        RequestError
            401 without a key, or with one that opens to nobody; 429 after too many of these from one address.
        """
        if here := self.here(scope):
            return here
        text, address = _key(scope), scope.get(SCOPE, UNKNOWN)
        if not text:
            raise RequestError(401, "an API key is needed: send it as Authorization: Bearer KEY, or as X-API-Key: KEY")
        key = await self.proven(text, address)
        return Caller(key.name, key.role, key.scenarios, address, key.limit)

    def here(self, scope: Scope) -> Caller | None:
        """Somebody on this machine, if such callers need no key."""
        if self._open and _is_here(scope):
            return Caller(HERE, Role.ADMIN, address=scope.get(SCOPE, UNKNOWN))
        return None

    async def proven(self, text: str, address: str) -> Key:
        """The key that this is.

        Raises
        ------
        RequestError
            401 for one that opens to nobody; 429 after too many of these from one address.
        """
        key = await self._verified(text, address)
        if key is None:
            raise RequestError(401, "this API key is not known: check it, or ask for a new one")
        return key

    def key_of(self, prefix: str) -> Key | None:
        """The valid key that begins with these letters: for somebody who has shown the whole of it before.

        Raises
        ------
        RequestError
            503 if the keys cannot be read now.
        """
        try:
            return None if self._keys is None else self._keys.found(prefix)
        except ArtifactError as error:
            raise _unreadable(error) from None

    def allowance(self, caller: Caller) -> Allowance | None:
        """One more request of a caller; None where nothing limits it.

        Raises
        ------
        RequestError
            429 if it asked too often.
        """
        rate = caller.rate or self._rate
        if rate is None:
            return None
        burst = self.settings.burst or max(1, round(rate.per_second))
        found = self._rates.take(caller.name, rate, burst, self._seconds())
        if not found.granted:
            raise RequestError(429, f"{caller.name} asks too often: wait, and ask less often", "", found.headers())
        return found

    def tend(self) -> None:
        """Write down what can wait; slow."""
        if self._keys is not None:
            self._keys.tend()

    async def _verified(self, text: str, address: str) -> Key | None:
        if self._keys is None:
            return None
        try:
            found = self._keys.recalled(text)
            if not found.is_known:
                return await self._checked(self._keys, text, customer(address))
        except ArtifactError as error:
            raise _unreadable(error) from None
        if found.key is None:
            self._count_failure(customer(address))
        return found.key

    async def _checked(self, keys: Verifies, text: str, address: str) -> Key | None:
        digest = hashlib.sha256(text.encode()).digest()
        running = self._checking.get(digest)
        if running is None:
            if len(self._checking) >= MOST_WAITING:
                raise RequestError(503, "too many new keys are being checked: ask again later")
            self._count_failure(address)
            running = asyncio.ensure_future(self._hashed(keys, text, address))
            running.add_done_callback(lambda _: self._checking.pop(digest))
            self._checking[digest] = running
        return await asyncio.shield(running)  # who hangs up takes nobody along

    async def _hashed(self, keys: Verifies, text: str, address: str) -> Key | None:
        async with self._hashing:
            key = await asyncio.to_thread(keys.verify, text)
        if key is not None:
            self._failures.give_back(address, FAILURES, FAILURES.amount, self._seconds())
        return key

    def _count_failure(self, address: str) -> None:
        """Beforehand, so that many at once are no more than many in turn."""
        found = self._failures.take(address, FAILURES, FAILURES.amount, self._seconds())
        if not found.granted:
            headers = {"Retry-After": found.headers()["Retry-After"]}
            raise RequestError(429, "too many wrong keys came from this address: check yours, and wait", "", headers)


def _key(scope: Scope) -> str:
    """The key that a request brings; empty if it brings none."""
    scheme, _, key = header(scope, b"authorization").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else header(scope, b"x-api-key").strip()


def _unreadable(error: ArtifactError) -> RequestError:
    log.error("no key can be checked: %s", error)
    return RequestError(503, "the API keys cannot be read now: see the log of the service")


def _is_here(scope: Scope) -> bool:
    """The caller is on this machine: no proxy speaks for another, and no page in a browser under another name."""
    client, host = scope.get("client"), header(scope, b"host")
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    forwarded = any(name in FORWARDED for name, _ in scope["headers"])
    return client is not None and is_loopback(client[0]) and is_loopback(name) and not forwarded
