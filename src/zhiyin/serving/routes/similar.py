"""GET /v1/items/{id}/similar: what goes with an item."""

import time
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.serving.answers import age_s, id_in_path, length_of_text, listed, source
from zhiyin.serving.asking import asked_at, of_nobody
from zhiyin.serving.caller import require_scenario
from zhiyin.serving.current import current, stage
from zhiyin.serving.impressions import note
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.schemas import Alike, K, Wanted
from zhiyin.serving.service import Service, new_request_id
from zhiyin.serving.wish import wish_of

SIMILAR = "similar"
"""The scenario whose terms hold here."""

PARAMETERS = (
    Parameter("id", "path", str, "the item; percent-encoded, slashes too"),
    Parameter("k", "query", K, "how many items; as the scenario says, or the release, if not given"),
    Parameter("where", "query", str, "a condition on item columns: price < 50 AND category = 'mugs'"),
)


async def of_item(service: Service, request: Request) -> Response:
    """Answer for an item."""
    started = time.perf_counter()
    require_scenario(request, "similar")
    given = query(request, PARAMETERS)
    item_id = id_in_path(request.path_params["id"])
    served = await service.assortment.latest()
    release = served.release
    wanted = Wanted(k=length_of_text(given.get("k")), where=given.get("where"))
    wish = wish_of(release, service.scenarios, wanted, SIMILAR, new_request_id(), None, [item_id])
    noted = current()
    noted.version, noted.scenario = release.number, wish.scenario
    with stage("scoring"):
        found = await service.workers.run(partial(wish.found, release, of_nobody(asked_at(service, None))))
    items = listed(found, release)
    noted.source = source(found, items, release.pipeline.combine)
    note(service, served, wish.request_id, items, scenario=wish.scenario)
    return answered(
        Alike(
            request_id=wish.request_id,
            version=release.number,
            scenario=wish.scenario,
            source=noted.source,
            age_s=age_s(release, service.clock()),
            took_ms=round((time.perf_counter() - started) * 1_000, 3),
            item_id=item_id,
            items=items,
        )
    )


OPERATIONS = (
    Operation(
        "GET",
        "/v1/items/{id:path}/similar",
        of_item,
        "The items most alike to one.",
        answers={200: Alike},
        refusals=(404, 422),
        parameters=PARAMETERS,
    ),
)
