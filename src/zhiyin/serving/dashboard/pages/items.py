"""What there is to recommend: items by a part of their id or title, the most wanted first."""

from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import numpy as np
from starlette.requests import Request

from zhiyin.serving.dashboard import searching, wanted_items
from zhiyin.serving.dashboard.faces import Face, faces
from zhiyin.serving.dashboard.page import Page, View
from zhiyin.serving.dashboard.preferences import Preferences
from zhiyin.serving.service import Service

TEMPLATE = "items.html"
MOST = 40
"""Items of one page."""


@dataclass(frozen=True)
class Line:
    """An item of the list."""

    face: Face
    events: int
    """Of the last 30 days that the release knows."""
    is_available: bool


async def show(service: Service, request: Request) -> View:
    """The list."""
    language = Preferences.of(request).language
    find = searching.wanted(request.query_params.get("find", ""))
    page = _page(request.query_params.get("page", ""))
    served = await service.assortment.latest()
    release, wanted = served.release, await wanted_items.recent.of(service)
    if find:
        found = await service.workers.run(partial(searching.items, release, find, language))
    else:
        found = np.arange(len(release.items), dtype=np.int32)
    ordered = await service.workers.run(partial(wanted.best_first, found))
    chosen = ordered[(page - 1) * MOST : page * MOST]
    counts, available = wanted.of(chosen).tolist(), release.pipeline.catalog.available[chosen].tolist()
    lines = zip(faces(release, chosen.tolist(), language), counts, available, strict=True)
    is_part = request.headers.get("hx-target") == "found"
    values = {
        "is_part": is_part,
        "find": find,
        "items": [Line(*one) for one in lines],
        "count": len(found),
        "catalogue": len(release.items),
        "days": wanted_items.DAYS,
        "first": _address(find, 1) if page > 1 else "",
        "next": _address(find, page + 1) if page * MOST < len(found) else "",
    }
    return View(TEMPLATE, values, "found" if is_part else None)


def _page(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


def _address(find: str, page: int) -> str:
    kept = {"find": find} if find else {}
    return f"/items?{urlencode(kept | ({'page': str(page)} if page > 1 else {}))}"


PLACES = (Page("/items", show, "items.title", place=40),)
