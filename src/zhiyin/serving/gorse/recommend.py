"""/api/recommend, /api/session/recommend, neighbours, and lists that are the same for everybody."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.queries import Queries
from zhiyin.data.store.records import Event
from zhiyin.errors import RequestError, UnknownIdError
from zhiyin.registry.release import Release
from zhiyin.serving.asking import of_nobody, of_somebody
from zhiyin.serving.bodies import body, decoded, names
from zhiyin.serving.caller import Role, caller_of, require_scenario
from zhiyin.serving.gorse import asked, lists
from zhiyin.serving.gorse.shapes import Score, SessionFeedback
from zhiyin.serving.operation import answered
from zhiyin.serving.schemas import LONGEST_TYPE, MOST_ITEMS
from zhiyin.serving.service import Service
from zhiyin.serving.wish import HOME

SESSION = msgspec.json.Decoder(list[SessionFeedback])
KNOWN = names(SessionFeedback)
LISTS: dict[str, Callable[[Release, Queries, Sequence[str], int, int, int], list[Score]]] = {
    "latest": lists.latest,
    "popular": lists.popular,
}

APART = 1_000_000
"""µs between events of a session that say no time."""


async def of_user(service: Service, request: Request) -> Response:
    """Items for a person: their ids, with `X-API-Version: 2` their scores too."""
    require_scenario(request, HOME)
    user_id, categories = asked.id_of(request, "user_id"), asked.categories(request)
    n, offset = asked.amount(request), asked.offset(request)
    write_back = request.query_params.get("write-back-type", "")
    delay = asked.duration(request.query_params.get("write-back-delay") or "0")
    if len(write_back) > LONGEST_TYPE or "\0" in write_back:
        raise RequestError(400, f"write-back-type must have at most {LONGEST_TYPE} characters")
    if write_back and caller_of(request).role < Role.WRITER:
        raise RequestError(403, "write-back-type stores feedback, and this key is a reader's: ask for a writer's")
    now = service.clock()
    served, known = await of_somebody(service, user_id, None, now)
    person, queries = served.person(user_id), known.queries
    found = await service.workers.run(partial(lists.recommended, served.release, queries, categories, n, offset))
    if write_back.strip():
        shown = [Event(person, one.id, write_back.strip(), now + delay, now) for one in found]
        await service.store.append(shown)
    with_scores = request.headers.get("x-api-version", "").strip() == "2"
    return answered(found if with_scores else [one.id for one in found])


async def of_session(service: Service, request: Request) -> Response:
    """Items for what a visitor did, which comes with the question."""
    require_scenario(request, HOME)
    rows = decoded(await body(request, service.body_limit), SESSION, KNOWN)
    if len(rows) > MOST_ITEMS:
        raise RequestError(400, f"at most {MOST_ITEMS:,} feedbacks make a session, got {len(rows):,}")
    categories, n, offset = asked.categories(request), asked.amount(request), asked.offset(request)
    release, now = (await service.assortment.latest()).release, service.clock()
    events = [_event(row, now - (len(rows) - place) * APART, now) for place, row in enumerate(rows)]
    past = service.sessions.history(release, events)
    queries = Queries.of(past.before(np.array([now])), None, now)
    return answered(await service.workers.run(partial(lists.recommended, release, queries, categories, n, offset)))


async def neighbours(service: Service, request: Request) -> Response:
    """Items alike to one; none for an item that the release does not know."""
    require_scenario(request, "similar")
    item_id, categories = asked.id_of(request, "item_id"), asked.categories(request)
    n, offset = asked.amount(request), asked.offset(request)
    release = (await service.assortment.latest()).release
    index = int(release.items.indexes([item_id])[0])
    if index < 0:
        return answered([])
    read = lists.read(await _of_reader(service, request, service.clock()))
    return answered(await service.workers.run(partial(lists.neighbours, release, index, categories, read, n, offset)))


async def user_neighbours(_: Service, __: Request) -> Response:
    """People alike are not told: they would show one customer to another."""
    raise UnknownIdError("user-to-user recommendation is not enabled")


async def latest(service: Service, request: Request) -> Response:
    """The newest items."""
    return await _of_all(service, request, "latest")


async def popular(service: Service, request: Request) -> Response:
    """The most popular items."""
    return await _of_all(service, request, "popular")


async def non_personalized(service: Service, request: Request) -> Response:
    """A list that is the same for everybody, by its name."""
    name = asked.id_of(request, "name")
    if name not in LISTS:
        raise UnknownIdError(f"non-personalized recommender {name[:80]!r} not found: ask for {' or '.join(LISTS)}")
    return await _of_all(service, request, name)


async def _of_all(service: Service, request: Request, name: str) -> Response:
    require_scenario(request, name)
    categories, n, offset = asked.categories(request), asked.amount(request), asked.offset(request)
    release, now = (await service.assortment.latest()).release, service.clock()
    past = await _of_reader(service, request, now)
    return answered(await service.workers.run(partial(LISTS[name], release, past, categories, n, offset, now)))


async def _of_reader(service: Service, request: Request, now: int) -> Queries:
    """The past of `user-id`, whose items are left out; a stranger's without it."""
    user_id = request.query_params.get("user-id", "").strip()
    if not user_id or "\0" in user_id:
        return of_nobody(now)
    _, known = await of_somebody(service, user_id, None, now)
    return known.queries


def _event(row: SessionFeedback, untimed: int, now: int) -> Event:
    time = asked.time_of(row.timestamp, "Timestamp")
    return Event(
        None,
        asked.text(row.item_id, "ItemId"),
        row.feedback_type or "interaction",
        untimed if time is None else time,
        now,
    )
