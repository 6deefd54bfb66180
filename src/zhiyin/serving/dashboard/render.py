"""From what a handler says to what a browser gets: whole pages, fragments for htmx, redirections."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from zhiyin.serving.dashboard import notice, preferences, static_files
from zhiyin.serving.dashboard.entrance import Visitor
from zhiyin.serving.dashboard.page import Done, Download, Page, View
from zhiyin.serving.dashboard.preferences import COOKIES, LANGUAGE, THEME, THEMES, Preferences
from zhiyin.serving.dashboard.templates import html
from zhiyin.serving.dashboard.words import LANGUAGES, words


@dataclass(frozen=True)
class Frame:
    """What stands around a page."""

    pages: tuple[Page, ...]
    """Of the navigation, in order."""

    def response(
        self, request: Request, view: View, title: str, visitor: Visitor | None, token: str, *, secure: bool
    ) -> Response:
        """The answer to a page that is asked for; of a fragment, if htmx asks and the view has one."""
        whole = not by_htmx(request) or view.fragment is None
        answer = HTMLResponse(self.text(request, view, title, visitor, token, whole=whole), view.status)
        answer.headers["vary"] = "hx-request, accept-language, cookie"
        preferences.remember(request, answer, secure=secure)
        _keep(answer, view.keep, secure=secure)
        if whole and notice.COOKIE in request.cookies:
            answer.delete_cookie(notice.COOKIE)
        return answer

    def text(
        self, request: Request, view: View, title: str, visitor: Visitor | None, token: str, *, whole: bool
    ) -> str:
        """The same as HTML alone."""
        chosen = Preferences.of(request)
        spoken = words(chosen.language)
        said = notice.left(request) if whole else None
        values: dict[str, Any] = {
            "t": spoken,
            "say": spoken.say,
            "language": chosen.language,
            "theme": chosen.theme,
            "title": title,
            "pages": [one for one in self.pages if visitor and one.role and visitor.caller.role >= one.role],
            "path": request.scope["path"],
            "visitor": None if visitor is None else visitor.caller,
            "is_signed_in": visitor is not None and visitor.session.prefix != "",
            "token": token,
            "said": spoken.say(said) if said and said.key in spoken.texts else "",
            "static": static_files.address,
            "has_vendor": static_files.has_vendor(),
            "version": version("zhiyin"),
            "languages": [(one, _with(request, LANGUAGE, one)) for one in LANGUAGES],
            "themes": [(one, _with(request, THEME, one)) for one in THEMES],
        }
        return html(view, values, whole=whole)


def redirected(request: Request, done: Done, *, secure: bool) -> Response:
    """On to another page: by a header where htmx asks, which would follow any other redirection by itself."""
    answer = elsewhere(request, done.to)
    if done.said:
        notice.leave(answer, done.said, secure=secure)
    _keep(answer, done.keep, secure=secure)
    return answer


def _keep(answer: Response, cookies: Mapping[str, str], *, secure: bool) -> None:
    for name, value in cookies.items():
        answer.set_cookie(name, value, httponly=True, samesite="strict", secure=secure)


def elsewhere(request: Request, to: str) -> Response:
    """Go on there."""
    return Response(headers={"hx-redirect": to}) if by_htmx(request) else RedirectResponse(to, 303)


def download(file: Download) -> Response:
    """A file that the browser saves."""
    headers = {"content-disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.kind, headers=headers)


def by_htmx(request: Request) -> bool:
    """Whether a part of a page is enough."""
    return request.headers.get("hx-request") == "true"


def failed(sentence: str, status: int) -> View:
    """The page, or the fragment, for what did not work."""
    return View("error.html", {"sentence": sentence, "status": status}, "sentence", status)


def _with(request: Request, name: str, value: str) -> str:
    """The same page with another preference."""
    kept = [(key, one) for key, one in request.query_params.multi_items() if key not in COOKIES]
    return "?" + urlencode([*kept, (name, value)])
