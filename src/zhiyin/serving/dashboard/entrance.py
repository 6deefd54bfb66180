"""The door of the dashboard: a cookie in place of a key, and the same book of who may enter and how often."""

from dataclasses import dataclass

from starlette.requests import Request

from zhiyin.errors import RequestError
from zhiyin.serving import caller
from zhiyin.serving.addresses import SCOPE, UNKNOWN
from zhiyin.serving.caller import Caller, Role
from zhiyin.serving.current import current
from zhiyin.serving.dashboard.session import COOKIE, INFO, Session, Sessions
from zhiyin.serving.key import Key
from zhiyin.serving.service import Service

LEAST = Role.OPERATOR
"""Who may sign in."""


@dataclass(frozen=True)
class Visitor:
    """Somebody who may look, and the session in which."""

    caller: Caller
    session: Session


class Entrance:
    """Lets people in."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.sessions = Sessions(service.signer.derived(INFO))

    def visitor(self, request: Request) -> Visitor | None:
        """Who looks; None for somebody who has to sign in."""
        access, address = self._service.access, request.scope.get(SCOPE, UNKNOWN)
        if here := access.here(request.scope):
            return Visitor(here, Session.here())
        session = self.sessions.read(request.cookies.get(COOKIE, ""), self._service.clock())
        key = None if session is None else access.key_of(session.prefix)
        if session is None or key is None or key.role < LEAST:
            return None
        return Visitor(_caller(key, address), session)

    def admit(self, request: Request, visitor: Visitor) -> None:
        """Note who it is, and count the request.

        Raises
        ------
        RequestError
            429 if this person asks too often.
        """
        request.scope[caller.SCOPE] = visitor.caller
        current().caller = visitor.caller.name
        self._service.access.allowance(visitor.caller)

    def is_secure(self, request: Request) -> bool:
        """Whether the browser speaks TLS, with us or with a proxy that we trust: then cookies go over nothing else."""
        forwarded = request.headers.get("x-forwarded-proto", "")
        by_proxy = forwarded == "https" and self._service.access.addresses.is_proxied(request.scope)
        return request.scope["scheme"] == "https" or by_proxy  # request.url decodes the query, which may be any bytes

    async def sign_in(self, request: Request, text: str) -> tuple[Caller, str]:
        """Who holds this key, and the cookie of a new session.

        Raises
        ------
        RequestError
            401 for a key that opens to nobody, 403 for one of a low role, 429 after too many wrong ones.
        """
        address = request.scope.get(SCOPE, UNKNOWN)
        key = await self._service.access.proven(text, address)
        if key.role < LEAST:
            raise RequestError(403, f"the dashboard needs the role {LEAST} or above, and this key is of a {key.role}")
        session = Session.begun(key.prefix, self._service.clock())
        return _caller(key, address), self.sessions.written(session)


def _caller(key: Key, address: str) -> Caller:
    return Caller(key.name, key.role, key.scenarios, address, key.limit)
