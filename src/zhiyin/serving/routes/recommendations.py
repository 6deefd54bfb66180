"""POST /v1/recommendations and GET /v1/users/{id}/recommendations: what next, for a person or for a history."""

import time
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.queries import Queries
from zhiyin.errors import RequestError
from zhiyin.serving.answers import age_s, id_in_path, length_of_text, listed, source
from zhiyin.serving.asking import asked_at, of_history, of_person, of_session
from zhiyin.serving.bodies import body, decoded, names, text_of
from zhiyin.serving.live import Served
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.schemas import Answer, K, Name, PastEvent, Promoted, Question
from zhiyin.serving.service import Service, new_request_id
from zhiyin.serving.wish import Wish, wish_of

HOME = "home"
"""The scenario of a request that names none."""

QUESTION = msgspec.json.Decoder(Question)
KNOWN = names(Question, PastEvent, Promoted)
PARAMETERS = (
    Parameter("id", "path", str, "the person; percent-encoded, slashes too"),
    Parameter("scenario", "query", Name, 'a name of [scenarios] in zhiyin.toml; "home" if not given'),
    Parameter("k", "query", K, "how many items; as the scenario says, or the release, if not given"),
    Parameter("where", "query", str, "a condition on item columns: price < 50 AND category = 'mugs'"),
)


async def post(service: Service, request: Request) -> Response:
    """Answer a question."""
    started = time.perf_counter()
    question = decoded(await body(request, service.body_limit), QUESTION, KNOWN)
    return await answer(service, question, HOME, started)


async def of_user(service: Service, request: Request) -> Response:
    """Answer for a person."""
    started = time.perf_counter()
    given = query(request, PARAMETERS)
    question = Question(
        user_id=id_in_path(request.path_params["id"]),
        scenario=given.get("scenario"),
        k=length_of_text(given.get("k")),
        where=given.get("where"),
    )
    return await answer(service, question, HOME, started)


async def answer(service: Service, question: Question, default: str, started: float) -> Response:
    """The answer to a question; `default` is the scenario of one that names none."""
    served, now = service.live.served, asked_at(service, question.now)
    user_id = None if question.user_id is None else text_of(question.user_id, "user_id")
    session_id = None if question.session_id is None else text_of(question.session_id, "session_id")
    wish = wish_of(
        served.release, service.scenarios, question, default, new_request_id(), user_id or session_id, question.items
    )
    given = [one is not None for one in (user_id, session_id, question.history)]
    if sum(given) > 1 or (not any(given) and wish.settings.kind == "personal"):
        raise RequestError(422, "give either user_id or history: one of them says who asks, or session_id")
    if user_id is not None:
        queries = of_person(service, served, user_id, now)
    elif question.history is not None:
        queries = of_history(service, served, question.history, now)
    else:
        queries = of_session(now)
    return await service.workers.run(partial(_answer, service, served, queries, wish, user_id, started))


def _answer(
    service: Service, served: Served, queries: Queries, wish: Wish, user_id: str | None, started: float
) -> Response:
    release = served.release
    found = wish.found(release, queries)
    items = listed(found, release)
    made_by = source(found, items, release.pipeline.combine)
    return answered(
        Answer(
            request_id=wish.request_id,
            version=release.number,
            scenario=wish.scenario,
            variant=wish.variant,
            source=made_by,
            fallback=wish.is_fallback(queries, made_by),
            stale=False,
            age_s=age_s(release, service.clock()),
            took_ms=round((time.perf_counter() - started) * 1_000, 3),
            user_id=user_id,
            items=items,
        )
    )


OPERATIONS = (
    Operation(
        "POST",
        "/v1/recommendations",
        post,
        "Recommend items for a person, a session, or a history that comes with the question, as a scenario wants them.",
        answers={200: Answer},
        refusals=(400, 404, 413, 415, 422),
        body=Question,
    ),
    Operation(
        "GET",
        "/v1/users/{id:path}/recommendations",
        of_user,
        "Recommend items for a person; a stranger gets what is popular.",
        answers={200: Answer},
        refusals=(404, 422),
        parameters=PARAMETERS,
    ),
)
