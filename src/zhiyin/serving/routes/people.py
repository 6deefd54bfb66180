"""GET /v1/users/{id}/similar: people with a similar history, for shops that have switched it on."""

import time
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.queries import Queries
from zhiyin.data.store.records import is_session
from zhiyin.errors import RequestError
from zhiyin.registry.release import Release
from zhiyin.serving.answers import id_in_path, length, length_of_text
from zhiyin.serving.asking import asked_at, of_somebody
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.schemas import K, Neighbour, Neighbours
from zhiyin.serving.service import Service, new_request_id

PARAMETERS = (
    Parameter("id", "path", str, "the person; percent-encoded, slashes too"),
    Parameter("k", "query", K, "how many people; the release's own default if not given"),
)


async def of_person_alike(service: Service, request: Request) -> Response:
    """Answer for a person."""
    started = time.perf_counter()
    if not service.settings.serve.similar_users:
        raise RequestError(403, "similar users are switched off: serve.similar_users = true in zhiyin.toml allows them")
    given = query(request, PARAMETERS)
    user_id = id_in_path(request.path_params["id"])
    served, known = await of_somebody(service, user_id, None, asked_at(service, None))
    k = length(served.release, length_of_text(given.get("k")))
    people = await service.workers.run(partial(_alike, served.release, known.queries, k))
    took_ms = round((time.perf_counter() - started) * 1_000, 3)
    return answered(Neighbours(new_request_id(), served.release.number, took_ms, user_id, people))


def _alike(release: Release, queries: Queries, k: int) -> list[Neighbour]:
    people, cosines = release.people.alike(queries, k)
    found = people[0] >= 0
    names = release.users.ids(people[0][found]).to_list()
    alike = zip(names, cosines[0][found].tolist(), strict=True)
    return [Neighbour(name, cosine) for name, cosine in alike if not is_session(name)]


OPERATIONS = (
    Operation(
        "GET",
        "/v1/users/{id:path}/similar",
        of_person_alike,
        "The people whose histories are most alike to a person's. Off unless serve.similar_users = true.",
        answers={200: Neighbours},
        refusals=(403, 422),
        parameters=PARAMETERS,
    ),
)
