"""Signing in with an API key, and out again."""

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.serving.dashboard.entrance import Entrance
from zhiyin.serving.dashboard.forms import form
from zhiyin.serving.dashboard.page import Page, View
from zhiyin.serving.dashboard.render import elsewhere
from zhiyin.serving.dashboard.session import COOKIE, HOURS
from zhiyin.serving.service import Service, new_request_id

PATH, OUT = "/sign-in", "/sign-out"
TITLE = "sign_in.title"
FIELD, NEXT = "key", "next"
HOME = "/"


async def show(service: Service, request: Request) -> View:
    """The form, or where to go for somebody who needs none."""
    is_open = service.access.here(request.scope) is not None
    return View("sign_in.html", {"next": _next(request.query_params.get(NEXT, "")), "sentence": "", "is_open": is_open})


async def again(request: Request, sentence: str, status: int) -> View:
    """The form with the reason why the last try failed."""
    sent = (await form(request)).get(NEXT, "") if status not in (400, 413, 415) else ""
    return View("sign_in.html", {"next": _next(sent), "sentence": sentence, "is_open": False}, status=status)


async def entered(service: Service, entrance: Entrance, request: Request) -> Response:
    """On to the page that was asked for, with the cookie of a session.

    Raises
    ------
    RequestError
        If the key does not open; see `Entrance.sign_in`.
    """
    sent = await form(request)
    who, cookie = await entrance.sign_in(request, sent.get(FIELD, "").strip())
    async with service.audit.acting("sign in", "dashboard", who, request_id=new_request_id()):
        answer = elsewhere(request, _next(sent.get(NEXT, "")))
    secure = entrance.is_secure(request)
    answer.set_cookie(COOKIE, cookie, HOURS * 3_600, httponly=True, samesite="strict", secure=secure)
    return answer


def left(request: Request) -> Response:
    """Back to the form, without the session."""
    answer = elsewhere(request, PATH)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _next(path: str) -> str:
    """A page of ours; the first one in place of an address elsewhere."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\", PATH)) and path.isprintable()
    return path if is_ours else HOME


PLACES = (Page(PATH, show, TITLE, role=None),)
