"""Who did what and when, and whether the record of it was changed."""

import asyncio
from collections.abc import Sequence
from functools import partial
from urllib.parse import urlencode

from starlette.requests import Request

from zhiyin.serving.audit import Entry
from zhiyin.serving.audit_trail import Page as Entries
from zhiyin.serving.audit_trail import newest, verified
from zhiyin.serving.caller import Role
from zhiyin.serving.dashboard.page import Page, View
from zhiyin.serving.moments import moment
from zhiyin.serving.service import Service

PATH, TEMPLATE, TITLE = "/audit", "audit.html", "audit.title"
PER_PAGE = 50
LONGEST = 100
LARGEST_CURSOR = 2**62
HASH = 64
"""Letters of one."""


async def show(service: Service, request: Request) -> View:
    """A page of entries."""
    actor, act = (request.query_params.get(name, "").strip()[:LONGEST] for name in ("actor", "act"))
    cursor = _cursor(request.query_params.get("cursor", ""))
    page = Entries([], None)
    if service.audit.path is not None:
        wanted = partial(_matches, actor=actor.casefold(), act=act.casefold()) if actor or act else None
        page = await asyncio.to_thread(newest, service.audit.path, PER_PAGE, cursor, wanted)
    asked = {name: value for name, value in (("actor", actor), ("act", act)) if value}
    older = f"{PATH}?{urlencode({**asked, 'cursor': page.cursor})}" if page.cursor else ""
    return View(
        TEMPLATE,
        {
            "entries": [(moment(one.time, "time"), one) for one in page.entries],
            "actors": _different(page.entries, "actor"),
            "acts": _different(page.entries, "act"),
            "actor": actor,
            "act": act,
            "older": older,
            "newest": f"{PATH}?{urlencode(asked)}" if cursor else "",
            "is_kept": service.audit.path is not None,
            "chain": None,
            "head": "",
        },
    )


async def verify(service: Service, request: Request) -> View:
    """The newest entries, and whether any line was changed."""
    view = await show(service, request)
    head = request.query_params.get("head", "").strip()[:HASH]
    chain = None
    if service.audit.path is not None:
        chain = await asyncio.to_thread(verified, service.audit.path, head or None)
    return View(TEMPLATE, {**view.values, "chain": chain, "head": head})


def _matches(entry: Entry, actor: str, act: str) -> bool:
    return actor in entry.actor.casefold() and act in entry.act.casefold()


def _different(entries: Sequence[Entry], name: str) -> list[str]:
    return sorted({getattr(one, name) for one in entries})


def _cursor(text: str) -> int | None:
    return min(int(text), LARGEST_CURSOR) if text.isascii() and text.isdecimal() and 0 < len(text) < 20 else None


PLACES = (
    Page(PATH, show, TITLE, role=Role.ADMIN, place=80),
    Page("/audit/verify", verify, TITLE, role=Role.ADMIN),
)
