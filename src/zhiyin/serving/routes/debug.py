"""GET /v1/debug/why: why an item is in a person's list, or why not."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import RequestError
from zhiyin.ranking.funnel import Asked
from zhiyin.ranking.why import why as followed
from zhiyin.serving.answers import length, length_of_text
from zhiyin.serving.bodies import text_of
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.schemas import LONGEST_ID, K, Stage, Why
from zhiyin.serving.service import Service, new_request_id

PARAMETERS = (
    Parameter("user_id", "query", str, "the person"),
    Parameter("item_id", "query", str, "the item"),
    Parameter("k", "query", K, "how long the list is; the release's own default if not given"),
    Parameter("where", "query", str, "the condition of the request on item columns"),
)


async def why(service: Service, request: Request) -> Response:
    """Follow one item to one list."""
    given = query(request, PARAMETERS)
    user_id, item_id = _needed(given, "user_id"), _needed(given, "item_id")
    served = service.live.served
    release = served.release
    k = length(release, length_of_text(given.get("k")))
    queries = service.sessions.queries(release, served.person(user_id), service.clock())
    item = int(release.items.indexes([item_id])[0])
    asked = Asked(release.pipeline, queries, item, k, given.get("where"), person=user_id)
    found = await service.workers.run(partial(followed, asked))
    stages = [Stage(one.name, one.passed, one.remaining, one.detail) for one in found.stages]
    return answered(Why(new_request_id(), release.number, user_id, item_id, k, found.rank, stages, found.verdict))


def _needed(given: dict[str, str], name: str) -> str:
    where = f"query.{name}"
    if name not in given:
        raise RequestError(422, f"{where} is missing: add it", where)
    if len(given[name]) > LONGEST_ID:
        raise RequestError(422, f"{where} must have at most {LONGEST_ID:,} characters, got {len(given[name]):,}", where)
    return text_of(given[name], where)


OPERATIONS = (
    Operation(
        "GET",
        "/v1/debug/why",
        why,
        "Tell an operator why an item is in a person's list, or why not: what it has to pass, stage by stage.",
        answers={200: Why},
        refusals=(422,),
        parameters=PARAMETERS,
    ),
)
