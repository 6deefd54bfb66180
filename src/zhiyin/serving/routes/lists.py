"""GET /v1/items/popular, trending and latest: lists that are the same for everybody."""

import time
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.ranking.scenario import Kind
from zhiyin.ranking.terms import Terms
from zhiyin.serving.answers import age_s, length, length_of_text, listed
from zhiyin.serving.asking import asked_at, of_nobody
from zhiyin.serving.caller import require_scenario
from zhiyin.serving.impressions import note
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.schemas import K, Listed
from zhiyin.serving.service import Service, new_request_id

PARAMETERS = (
    Parameter("k", "query", K, "how many items; the release's own default if not given"),
    Parameter("where", "query", str, "a condition on item columns: price < 50 AND category = 'mugs'"),
)


async def popular(service: Service, request: Request) -> Response:
    """What everybody likes, lately."""
    return await _answer(service, request, "popular")


async def trending(service: Service, request: Request) -> Response:
    """What is wanted more than before."""
    return await _answer(service, request, "trending")


async def latest(service: Service, request: Request) -> Response:
    """What is new."""
    return await _answer(service, request, "latest")


async def _answer(service: Service, request: Request, kind: Kind) -> Response:
    started = time.perf_counter()
    require_scenario(request, kind)
    given = query(request, PARAMETERS)
    served = await service.assortment.latest()
    release = served.release
    terms = Terms(where=(given["where"],) if given.get("where") else ())
    k = length(release, length_of_text(given.get("k")))
    nobody = of_nobody(asked_at(service, None))
    found = await service.workers.run(partial(release.lists.of, kind, nobody, k, terms))
    took_ms = round((time.perf_counter() - started) * 1_000, 3)
    items, age = listed(found, release), age_s(release, service.clock())
    request_id = new_request_id()
    note(service, served, request_id, items, scenario=kind)
    return answered(Listed(request_id, release.number, kind, age, took_ms, items))


OPERATIONS = tuple(
    Operation(
        "GET", f"/v1/items/{handler.__name__}", handler, about,
        answers={200: Listed}, refusals=(422,), parameters=PARAMETERS,
    )
    for handler, about in (
        (popular, "The items with the most events, of which old ones count less."),
        (trending, "The items that are wanted more in the last days than was to be expected from before."),
        (latest, "The newest items, by created_at or their first event."),
    )
)  # fmt: skip
