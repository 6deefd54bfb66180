"""POST /v1/recommendations and GET /v1/users/{id}/recommendations: what next, for a person or for a history."""

import time

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import RequestError
from zhiyin.serving import reasons
from zhiyin.serving.answering import Asked, answered_soon
from zhiyin.serving.answers import id_in_path, length_of_text
from zhiyin.serving.asking import asked_at, of_history, of_somebody
from zhiyin.serving.bodies import body, decoded, names, text_of
from zhiyin.serving.caller import require_scenario
from zhiyin.serving.current import current, stage
from zhiyin.serving.impressions import note
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.reasons import wished
from zhiyin.serving.schemas import Answer, K, Name, PastEvent, Promoted, Question
from zhiyin.serving.service import Service, new_request_id
from zhiyin.serving.sessions import Known
from zhiyin.serving.wish import HOME, wish_of

QUESTION = msgspec.json.Decoder(Question)
KNOWN = names(Question, PastEvent, Promoted)
PARAMETERS = (
    Parameter("id", "path", str, "the person; percent-encoded, slashes too"),
    Parameter("scenario", "query", Name, 'a name of [scenarios] in zhiyin.toml; "home" if not given'),
    Parameter("k", "query", K, "how many items; as the scenario says, or the release, if not given"),
    Parameter("where", "query", str, "a condition on item columns: price < 50 AND category = 'mugs'"),
    *reasons.PARAMETERS,
)


async def post(service: Service, request: Request) -> Response:
    """Answer a question."""
    started = time.perf_counter()
    question = decoded(await body(request, service.body_limit), QUESTION, KNOWN)
    return await answer(service, request, question, HOME, started)


async def of_user(service: Service, request: Request) -> Response:
    """Answer for a person."""
    started = time.perf_counter()
    given = query(request, PARAMETERS)
    thorough, language = wished(given)
    question = Question(
        user_id=id_in_path(request.path_params["id"]),
        scenario=given.get("scenario"),
        k=length_of_text(given.get("k")),
        where=given.get("where"),
        explain=thorough,
        language=language,
    )
    return await answer(service, request, question, HOME, started)


async def answer(service: Service, request: Request, question: Question, default: str, started: float) -> Response:
    """The answer to a question; `default` is the scenario of one that names none."""
    now = asked_at(service, question.now)
    user_id = None if question.user_id is None else text_of(question.user_id, "user_id")
    session_id = None if question.session_id is None else text_of(question.session_id, "session_id")
    somebody = user_id is not None or session_id is not None
    with stage("history"):
        if somebody:
            served, known = await of_somebody(service, user_id, session_id, now)
        else:
            served = await service.assortment.latest()
            known = Known(of_history(service, served, question.history or (), now))
    wish = wish_of(
        served.release, service.scenarios, question, default, new_request_id(), user_id or session_id, question.items
    )
    require_scenario(request, wish.scenario)
    if somebody == (question.history is not None) and (somebody or wish.settings.kind == "personal"):
        raise RequestError(422, "give either user_id or history: one of them says who asks, or session_id")
    asked = Asked(known, wish, user_id, service.clock(), started, current())
    made = await answered_soon(service, served, asked)
    note(
        service, served, made.request_id, made.items, scenario=made.scenario, variant=made.variant, user_id=user_id,
        session_id=session_id, context=question.context,
    )  # fmt: skip
    return answered(made)


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
