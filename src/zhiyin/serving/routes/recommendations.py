"""POST /v1/recommendations and GET /v1/users/{id}/recommendations: what next, for a person or for a history."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.queries import Queries
from zhiyin.data.store.records import Event
from zhiyin.errors import RequestError
from zhiyin.serving.answers import id_in_path, is_fallback, length, length_of_text, listed, source
from zhiyin.serving.bodies import body, decoded, names, text_of
from zhiyin.serving.live import Served
from zhiyin.serving.moments import moment
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.schemas import Answer, Id, K, PastEvent, Question
from zhiyin.serving.service import Service, new_request_id
from zhiyin.serving.sessions import Known

APART = 1_000_000
"""µs between the events of a history that names no times."""

QUESTION = msgspec.json.Decoder(Question)
KNOWN = names(Question, PastEvent)
PARAMETERS = (
    Parameter("id", "path", str, "the person; percent-encoded, slashes too"),
    Parameter("k", "query", K, "how many items; the release's own default if not given"),
    Parameter("where", "query", str, "a condition on item columns: price < 50 AND category = 'mugs'"),
)


@dataclass(frozen=True)
class _Wish:
    """What remains of a request when it has been read."""

    user_id: str | None
    k: int | None
    where: str | None
    exclude: Sequence[str] = ()


async def post(service: Service, request: Request) -> Response:
    """Answer a question."""
    started = time.perf_counter()
    question = decoded(await body(request, service.body_limit), QUESTION, KNOWN)
    served = service.live.served
    now = service.clock() if question.now is None else moment(question.now, "now")
    exclude = [text_of(one, f"exclude[{i}]") for i, one in enumerate(question.exclude or ())]
    if (question.user_id is None) == (question.history is None):
        raise RequestError(422, "give either user_id or history: one of them says who asks")
    if question.user_id is not None:
        user_id = text_of(question.user_id, "user_id")
        known = await service.sessions.queries(served.release, served.person(user_id), None, now)
    else:
        user_id = None
        past = service.sessions.history(served.release, _events(question.history or [], now))
        known = Known(Queries.of(past.before(np.array([now])), None, now))
    wish = _Wish(user_id, question.k, question.where, exclude)
    return await service.workers.run(partial(_answer, served, known, wish, started))


async def of_user(service: Service, request: Request) -> Response:
    """Answer for a person."""
    started = time.perf_counter()
    given = query(request, PARAMETERS)
    user_id = id_in_path(request.path_params["id"])
    wish = _Wish(user_id, length_of_text(given.get("k")), given.get("where"))
    served = service.live.served
    known = await service.sessions.queries(served.release, served.person(user_id), None, service.clock())
    return await service.workers.run(partial(_answer, served, known, wish, started))


def _answer(served: Served, known: Known, wish: _Wish, started: float) -> Response:
    release, queries = served.release, known.queries
    exclude = release.items.indexes(wish.exclude) if wish.exclude else None
    found = release.pipeline.recommend(queries, length(release, wish.k), where=wish.where, exclude=exclude)
    items = listed(found, release)
    made_by = source(release.pipeline, items)
    took_ms = round((time.perf_counter() - started) * 1_000, 3)
    fallback = is_fallback(queries, made_by)
    who = wish.user_id
    return answered(Answer(new_request_id(), release.number, made_by, fallback, took_ms, who, items, known.stale))


def _events(history: Sequence[Id | PastEvent], now: int) -> list[Event]:
    """A history of the question as events, oldest first; without times they end just before `now`."""
    past = [one if isinstance(one, PastEvent) else PastEvent(one) for one in history]
    timed = sum(one.timestamp is not None for one in past)
    if timed not in (0, len(past)):
        raise RequestError(422, "history must give all of its events a timestamp, or none of them", "history")
    events = []
    for i, one in enumerate(past):
        place = f"history[{i}]"
        time = now - (len(past) - i) * APART if one.timestamp is None else moment(one.timestamp, f"{place}.timestamp")
        item_id, kind = text_of(one.item_id, f"{place}.item_id"), text_of(one.event_type, f"{place}.event_type")
        events.append(Event(None, item_id, kind, time, now, value=one.value))
    return events


OPERATIONS = (
    Operation(
        "POST",
        "/v1/recommendations",
        post,
        "Recommend items for a person, by user_id, or for a history that comes with the question.",
        answers={200: Answer},
        refusals=(400, 413, 415, 422),
        body=Question,
    ),
    Operation(
        "GET",
        "/v1/users/{id:path}/recommendations",
        of_user,
        "Recommend items for a person; a stranger gets what is popular.",
        answers={200: Answer},
        refusals=(422,),
        parameters=PARAMETERS,
    ),
)
