"""Who is there: people by a part of their id, or those who did something of late."""

from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from starlette.requests import Request

from zhiyin.data.store import finding
from zhiyin.registry.release import Release
from zhiyin.serving.dashboard import lately, searching
from zhiyin.serving.dashboard.page import Page, View
from zhiyin.serving.pages import after
from zhiyin.serving.service import Service

TEMPLATE = "people.html"
MOST = 50
"""People of one page."""
EXAMPLES = 20


@dataclass(frozen=True)
class Somebody:
    """A line of the list."""

    user_id: str
    learnt: int
    """Events that the release has learnt from."""
    new: int
    """Events since."""
    last: int | None  # µs UTC


async def show(service: Service, request: Request) -> View:
    """The list of who is looked for, or of some who were active."""
    find = searching.wanted(request.query_params.get("find", ""))
    start = after({"cursor": request.query_params.get("after", "")})
    is_pseudonymous = service.served.key is not None
    everybody = request.query_params.get("all") == "yes"
    if find or everybody or is_pseudonymous:
        page = await searching.people(service, find, start, MOST)
    else:
        active = await lately.recent.of(service)
        page = searching.PeoplePage([one.user_id for one in active[:EXAMPLES]], None)
    kept = {"find": find} if find else {"all": "yes"}
    is_part = request.headers.get("hx-target") == "found"
    values = {
        "is_part": is_part,
        "find": find,
        "people": await _described(service, page.people),
        "is_search": bool(find) or everybody,
        "is_pseudonymous": is_pseudonymous,
        "first": f"/people?{urlencode(kept)}" if start else "",
        "next": f"/people?{urlencode({**kept, 'after': page.next})}" if page.next else "",
        "known": len(service.served.release.users),
    }
    return View(TEMPLATE, values, "found" if is_part else None)


async def _described(service: Service, user_ids: list[str]) -> list[Somebody]:
    if not user_ids:
        return []
    served = service.served
    names = [served.person(one) for one in user_ids]
    since = int(served.release.details.get("store_sequence") or 0)
    fresh = await service.store.reading(partial(finding.activity, user_ids=names, since=since))
    by_name = {one.user_id: one for one in fresh}
    found = []
    for user_id, name in zip(user_ids, names, strict=True):
        learnt, last = _learnt(served.release, name)
        new = by_name.get(name)
        times = [time for time in (last, new.last if new else None) if time is not None]
        found.append(Somebody(user_id, learnt, new.events if new else 0, max(times, default=None)))
    return found


def _learnt(release: Release, name: str) -> tuple[int, int | None]:
    """How many events of a person a release knows, and when the newest was."""
    row = int(release.users.indexes([name])[0])
    if row < 0:
        return 0, None
    first, end = release.histories.offsets[row : row + 2].tolist()
    return end - first, int(release.histories.times[end - 1]) if end > first else None


PLACES = (Page("/people", show, "people.title", place=30),)
