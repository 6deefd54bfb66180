"""GET /v1/items/{id}/similar: what goes with an item."""

import time
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import UnknownIdError
from zhiyin.ranking.similar import similar
from zhiyin.registry.release import shown
from zhiyin.serving.answers import id_in_path, length, length_of_text, listed, source
from zhiyin.serving.current import current, stage
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.schemas import Alike, K
from zhiyin.serving.service import Service, new_request_id

PARAMETERS = (
    Parameter("id", "path", str, "the item; percent-encoded, slashes too"),
    Parameter("k", "query", K, "how many items; the release's own default if not given"),
    Parameter("where", "query", str, "a condition on item columns: price < 50 AND category = 'mugs'"),
)


async def of_item(service: Service, request: Request) -> Response:
    """Answer for an item."""
    started = time.perf_counter()
    given = query(request, PARAMETERS)
    item_id, k = id_in_path(request.path_params["id"]), length_of_text(given.get("k"))
    release = service.live.served.release
    noted = current()
    noted.version = release.number
    index = release.items.indexes([item_id])
    if index[0] < 0:
        raise UnknownIdError(f"item {shown(item_id)} is not known: check the id, or train again after it was added")
    ask = partial(similar, release.pipeline, index, length(release, k), where=given.get("where"))
    with stage("scoring"):
        found = await service.workers.run(ask)
    items = listed(found, release)
    took_ms = round((time.perf_counter() - started) * 1_000, 3)
    noted.source = source(release.pipeline, items)
    return answered(Alike(new_request_id(), release.number, noted.source, took_ms, item_id, items))


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
