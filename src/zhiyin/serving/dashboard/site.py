"""All pages as one application: it lets people in, asks the handler of a page, and makes of its answer what is sent."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from zhiyin.errors import RequestError, ZhiyinError
from zhiyin.serving.caller import Role
from zhiyin.serving.current import current
from zhiyin.serving.dashboard import forgery
from zhiyin.serving.dashboard.entrance import Entrance, Visitor
from zhiyin.serving.dashboard.page import Action, Done, Download, Page, Place, Stream, View
from zhiyin.serving.dashboard.pages import sign_in
from zhiyin.serving.dashboard.pages.known import PLACES
from zhiyin.serving.dashboard.render import Frame, by_htmx, download, elsewhere, failed, redirected
from zhiyin.serving.dashboard.static_files import static
from zhiyin.serving.service import Service
from zhiyin.serving.statuses import BUG, status_of

LOOK_SECONDS = 0.5
"""How often a stream looks whether the service is about to end."""

log = logging.getLogger(__name__)


class Site:
    """One per process."""

    def __init__(self, service: Service, places: Sequence[Place] = PLACES) -> None:
        self._service = service
        self._entrance = Entrance(service)
        pages = [one for one in places if isinstance(one, Page) and one.place is not None]
        self._frame = Frame(tuple(sorted(pages, key=lambda page: page.place or 0)))
        routes = [
            self._route("/static/{name:path}", static),
            self._route(sign_in.PATH, self._sign_in, "POST"),
            self._route(sign_in.OUT, self._sign_out, "POST"),
            *(self._route_of(one) for one in places),
        ]
        self.app = Starlette(
            routes=routes,
            exception_handlers={ZhiyinError: self._of_ours, HTTPException: self._of_http, Exception: self._of_bug},
        )
        self._roots = {route.path.split("/")[1] for route in routes}

    def has(self, path: str) -> bool:
        """Whether a path is one of ours."""
        return path.partition("/")[2].partition("/")[0] in self._roots

    def _route_of(self, place: Place) -> Route:
        match place:
            case Page():
                return self._route(place.path, partial(self._show, place))
            case Action():
                return self._route(place.path, partial(self._act, place), "POST")
            case Stream():
                return self._route(place.path, partial(self._follow, place))

    def _route(self, path: str, endpoint: Callable[..., Any], method: str = "GET") -> Route:
        return Route(path, _Named.of(endpoint, path), methods=[method])

    async def _show(self, page: Page, request: Request) -> Response:
        visitor = self._entrance.visitor(request)
        if page.role is not None:
            if visitor is None:
                return self._to_sign_in(request)
            self._let_in(request, visitor, page.role)
        return self._shown(request, await page.handler(self._service, request), page.title, visitor)

    async def _act(self, action: Action, request: Request) -> Response:
        forgery.require_same_site(request)
        visitor = self._entrance.visitor(request)
        if visitor is None:
            return self._to_sign_in(request)
        await forgery.require_token(request, self._entrance.sessions.token(visitor.session))
        self._let_in(request, visitor, action.role)
        answer = await action.handler(self._service, request)
        if isinstance(answer, Done):
            return redirected(request, answer, secure=self._entrance.is_secure(request))
        if isinstance(answer, Download):
            return download(answer)
        return self._shown(request, answer, answer.title, visitor)

    async def _follow(self, stream: Stream, request: Request) -> Response:
        visitor = self._entrance.visitor(request)
        if visitor is None:
            return Response(status_code=204)  # with any other status a browser would ask again and again
        self._let_in(request, visitor, stream.role)
        return StreamingResponse(self._views(stream, request), media_type="text/event-stream")

    async def _views(self, stream: Stream, request: Request) -> AsyncIterator[bytes]:
        """Views until nobody looks, the person is signed out, or the service ends."""
        sent = ""
        while (visitor := self._entrance.visitor(request)) and not self._service.readiness.ending:
            view = await stream.handler(self._service, request)
            token = self._entrance.sessions.token(visitor.session)
            text = self._frame.text(request, view, "", visitor, token, whole=False)
            current().flowing = current().flowing or time.perf_counter()
            yield _event(stream.event, text) if text != sent else b": nothing new\n\n"
            sent, waited = text, 0.0
            while waited < stream.seconds and not self._service.readiness.ending:
                await asyncio.sleep(LOOK_SECONDS)
                waited += LOOK_SECONDS

    async def _sign_in(self, request: Request) -> Response:
        forgery.require_same_site(request)
        try:
            return await sign_in.entered(self._service, self._entrance, request)
        except RequestError as error:
            view = await sign_in.again(request, str(error), error.status)
            answer = self._shown(request, view, sign_in.TITLE, None)
            answer.headers.update(error.headers)
            return answer

    async def _sign_out(self, request: Request) -> Response:
        forgery.require_same_site(request)
        visitor = self._entrance.visitor(request)
        if visitor is not None:
            await forgery.require_token(request, self._entrance.sessions.token(visitor.session))
        return sign_in.left(request)

    def _let_in(self, request: Request, visitor: Visitor, role: Role) -> None:
        self._entrance.admit(request, visitor)
        if visitor.caller.role < role:
            name = visitor.caller.name
            raise RequestError(403, f"this needs the role {role}, and the key of {name} has {visitor.caller.role}")

    def _to_sign_in(self, request: Request) -> Response:
        query = request.scope["query_string"].decode("latin-1")  # any bytes
        asked = quote(request.scope["path"]) + (f"?{query}" if query else "")
        back = f"?next={quote(asked, safe='')}" if request.method == "GET" and not by_htmx(request) else ""
        return elsewhere(request, sign_in.PATH + ("" if asked == "/" else back))

    def _shown(self, request: Request, view: View, title: str, visitor: Visitor | None) -> Response:
        token = "" if visitor is None else self._entrance.sessions.token(visitor.session)
        return self._frame.response(request, view, title, visitor, token, secure=self._entrance.is_secure(request))

    async def _of_ours(self, request: Request, error: Exception) -> Response:
        status = status_of(error) if isinstance(error, ZhiyinError) else BUG
        if status == BUG:
            log.error("a page failed: %s", error)
        answer = self._failed(request, str(error), status)
        answer.headers.update(error.headers if isinstance(error, RequestError) else {})
        return answer

    async def _of_http(self, request: Request, error: Exception) -> Response:
        """What Starlette refuses: an unknown path or method."""
        status = getattr(error, "status_code", BUG)
        sentence = "there is no such page: choose one of the list" if status == 404 else "this page cannot do that"
        return self._failed(request, sentence, status)

    async def _of_bug(self, request: Request, _: Exception) -> Response:
        """The server logs the traceback; the reader gets none."""
        return self._failed(request, "the service failed on this page: it is in its log", BUG)

    def _failed(self, request: Request, sentence: str, status: int) -> Response:
        return self._shown(request, failed(sentence, status), "error.title", self._entrance.visitor(request))


class _Named(partial[Any]):
    """What answers a path, and how the metrics name that."""

    template = ""

    @classmethod
    def of(cls, endpoint: Callable[..., Any], path: str) -> "_Named":
        named = cls(endpoint)
        named.template = path.replace(":path}", "}")
        return named


def _event(name: str, text: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: {name}\n{lines}\n".encode()
