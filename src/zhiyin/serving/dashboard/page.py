"""How a page is declared: where it is, who may see it, and what answers; the counterpart of `serving.operation`.

A page file ends with `PLACES = (Page(…), Action(…), Stream(…))`, and has one line in `pages/known.py`. A handler takes
the service and the request and calls the same functions as the routes of the API; it never makes HTML itself.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.requests import Request

from zhiyin.serving.caller import Role
from zhiyin.serving.dashboard.words import Said
from zhiyin.serving.service import Service


@dataclass(frozen=True)
class View:
    """A template and what it shows."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    fragment: str | None = None
    """The block of the template that is enough when htmx asks, which knows the rest already."""
    status: int = 200
    title: str = ""
    """The key of its name, where an action shows a page of its own."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """Cookies of this browser, by name, until it is closed."""


@dataclass(frozen=True)
class Done:
    """Something was done: where the person goes now, and the sentence that stands there once."""

    to: str
    said: Said | None = None
    keep: Mapping[str, str] = field(default_factory=dict)
    """As of a View."""


@dataclass(frozen=True)
class Download:
    """A file for the person who asked."""

    name: str
    """ASCII letters, digits, dots and hyphens."""
    kind: str
    """Such as "application/json"."""
    content: bytes = field(repr=False)


Handler: TypeAlias = Callable[[Service, Request], Awaitable[View]]
Doing: TypeAlias = Callable[[Service, Request], Awaitable[View | Done | Download]]


@dataclass(frozen=True)
class Page:
    """What GET shows."""

    path: str  # as Starlette reads it; {id:path} takes slashes
    handler: Handler
    title: str
    """The key of its name."""
    role: Role | None = Role.OPERATOR
    """The least that somebody must be; None needs no sign-in."""
    place: int | None = None
    """Where it stands in the navigation; None: nowhere."""


@dataclass(frozen=True)
class Action:
    """What POST does; the session, the token against forgery and the role have been looked at before."""

    path: str
    handler: Doing
    role: Role = Role.OPERATOR


@dataclass(frozen=True)
class Stream:
    """A view that is sent again and again while somebody looks, as server-sent events; only when it has changed."""

    path: str
    handler: Handler
    seconds: float = 5.0
    """From one look to the next."""
    event: str = "live"
    """What the page waits for, in sse-swap."""
    role: Role = Role.OPERATOR


Place: TypeAlias = Page | Action | Stream
