"""What a person chose of how the pages look: the language, and light or dark; asked once and kept in cookies."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.ranking.wording import Language
from zhiyin.serving.dashboard.words import LANGUAGES

Theme: TypeAlias = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")
LANGUAGE, THEME = "language", "theme"
"""In the query of any page."""
COOKIES = {LANGUAGE: "zhiyin_language", THEME: "zhiyin_theme"}
YEAR = 31_536_000  # s


@dataclass(frozen=True)
class Preferences:
    """How to show a page."""

    language: Language = "en"
    theme: Theme = "auto"

    @classmethod
    def of(cls, request: Request) -> "Preferences":
        """What the query says, else the cookies, else, of the language, the browser."""
        language = _chosen(request, LANGUAGE, LANGUAGES) or _accepted(request.headers.get("accept-language", ""))
        return cls(cast("Language", language), cast("Theme", _chosen(request, THEME, THEMES) or "auto"))


def remember(request: Request, response: Response, *, secure: bool) -> None:
    """Keep what the query has chosen for a year."""
    for name, allowed in ((LANGUAGE, LANGUAGES), (THEME, THEMES)):
        if (value := request.query_params.get(name, "")) in allowed:
            response.set_cookie(COOKIES[name], value, YEAR, httponly=True, samesite="lax", secure=secure)


def _chosen(request: Request, name: str, allowed: tuple[str, ...]) -> str | None:
    for value in (request.query_params.get(name), request.cookies.get(COOKIES[name])):
        if value in allowed:
            return value
    return None


def _accepted(header: str) -> Language:
    """The first language of ours that a browser names; browsers name the best first."""
    for part in header.lower().split(",")[:20]:
        name = part.partition(";")[0].strip()[:2]
        if name in LANGUAGES:
            return name
    return "en"
