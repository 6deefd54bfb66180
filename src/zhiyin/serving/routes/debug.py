"""GET /v1/debug/why: why an item is in a person's list, or why not."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import RequestError
from zhiyin.serving.answers import length_of_text
from zhiyin.serving.asking import of_somebody
from zhiyin.serving.bodies import text_of
from zhiyin.serving.caller import Role
from zhiyin.serving.following import followed
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.schemas import LONGEST_ID, K, Name, Wanted
from zhiyin.serving.service import Service, new_request_id
from zhiyin.serving.why_schemas import Stage, Why
from zhiyin.serving.wish import HOME, wish_of

PARAMETERS = (
    Parameter("scenario", "query", Name, 'a name of [scenarios] in zhiyin.toml; "home" if not given'),
    Parameter("user_id", "query", str, "the person"),
    Parameter("item_id", "query", str, "the item"),
    Parameter("k", "query", K, "how long the list is; the release's own default if not given"),
    Parameter("where", "query", str, "the condition of the request on item columns"),
)


async def why(service: Service, request: Request) -> Response:
    """Follow one item to one list."""
    given = query(request, PARAMETERS)
    user_id, item_id = _needed(given, "user_id"), _needed(given, "item_id")
    served, known = await of_somebody(service, user_id, None, service.clock())
    release = served.release
    wanted = Wanted(scenario=given.get("scenario"), k=length_of_text(given.get("k")), where=given.get("where"))
    request_id = new_request_id()
    wish = wish_of(release, service.scenarios, wanted, HOME, request_id, user_id)
    found = await service.workers.run(partial(followed, release, wish, known.queries, item_id, user_id))
    stages = [Stage(one.name, one.passed, one.remaining, one.detail) for one in found.stages]
    return answered(
        Why(request_id, release.number, wish.scenario, user_id, item_id, wish.k, found.rank, stages, found.verdict)
    )


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
        role=Role.OPERATOR,
    ),
)
