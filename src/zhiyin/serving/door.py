"""What every request passes before a route: where it comes from, then whose key it has."""

from collections.abc import Collection, Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhiyin.errors import RequestError
from zhiyin.serving import addresses, caller, depth
from zhiyin.serving.access import Access
from zhiyin.serving.current import current
from zhiyin.serving.failure import failure
from zhiyin.serving.gorse.plain import PREFIX, of_gorse
from zhiyin.serving.refusals import Refusals

LONGEST_URL = 49_152
"""Bytes, as sent; an id of 1,024 characters and a `where` of 2,000 take at most 36,500."""
LARGEST_HEADERS = 32_768
"""Bytes of all names and values."""
REFUSED = (401, 403, 429)
SAFETY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
SAFETY_SCOPE = "zhiyin.safety"
"""Where a layer within leaves what is to be said instead."""
SECURE = (b"strict-transport-security", b"max-age=31536000")
"""A year; only over TLS, where browsers heed it."""


class Gate:
    """Lets in from where it is allowed, and says on every answer how a browser has to treat it."""

    def __init__(self, app: ASGIApp, access: Access, refusals: Refusals) -> None:
        self._app = app
        self._access = access
        self._refusals = refusals
        self._secure = () if access.settings.certificate is None else (SECURE,)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = scope[addresses.SCOPE] = self._access.addresses.of(scope)
        scope[depth.SCOPE] = self._access.settings.depth

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                safety = scope.get(SAFETY_SCOPE, SAFETY)
                message["headers"] = [*message.get("headers", []), *safety, *self._secure]
                if message["status"] in REFUSED:
                    who = scope.get(caller.SCOPE)
                    self._refusals.note(message["status"], who.name if who else "", address)
            await send(message)

        try:
            self._check(scope, address)
        except RequestError as error:
            await _refused(scope, error)(scope, receive, safely)
            return
        await self._app(scope, receive, safely)

    def _check(self, scope: Scope, address: str) -> None:
        if not self._access.addresses.may_connect(address):
            raise RequestError(403, "this address may not ask: see [access] allow in zhiyin.toml")
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) > LONGEST_URL:
            raise RequestError(414, f"the URL is longer than {LONGEST_URL:,} bytes: send a POST")
        if sum([len(name) + len(value) for name, value in scope["headers"]]) > LARGEST_HEADERS:
            raise RequestError(431, f"the headers are longer than {LARGEST_HEADERS:,} bytes: send fewer")


class Door:
    """Lets in who has a key and does not ask too often."""

    def __init__(self, app: ASGIApp, access: Access, open_paths: Collection[str]) -> None:
        self._app = app
        self._access = access
        self._open = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] in self._open:
            await self._app(scope, receive, send)
            return
        try:
            who = scope[caller.SCOPE] = await self._access.admit(scope)
            current().caller = who.name
            allowance = self._access.allowance(who)
        except RequestError as error:
            await _refused(scope, error)(scope, receive, send)
            return
        await self._app(scope, receive, send if allowance is None else _with(allowance.headers(), send))


def _refused(scope: Scope, error: RequestError) -> Response:
    if scope["path"].startswith(PREFIX):
        return of_gorse(error)
    return failure(error.status, str(error), "", error.headers)


def _with(headers: Mapping[str, str], send: Send) -> Send:
    added = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *added]
        await send(message)

    return sending
