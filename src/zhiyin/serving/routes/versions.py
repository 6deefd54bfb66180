"""/v1/versions: the releases, which of them answers, and the change of it. Changing is for operators."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import ArtifactError, RequestError
from zhiyin.registry.store import Version as Stored
from zhiyin.serving import releases
from zhiyin.serving.caller import Role, caller_of
from zhiyin.serving.moments import written
from zhiyin.serving.operation import Operation, Parameter, answered
from zhiyin.serving.operator_schemas import Change, Version, Versions
from zhiyin.serving.service import Service

BY_HAND = "promoted over HTTP"
MOST_DIGITS = 9
LARGEST_NUMBER = 2**63


async def versions(service: Service, _: Request) -> Response:
    """List them."""
    registry = releases.registry(service)
    try:
        found = await asyncio.to_thread(registry.versions)
    except (ArtifactError, OSError) as error:
        raise RequestError(503, f"the releases cannot be read now: {error}") from None
    return answered(Versions(service.live.served.release.number, [_shown(one) for one in found]))


async def promote(service: Service, request: Request) -> Response:
    """Let a release serve; this process answers with it when the caller is told."""
    releases.registry(service)
    text = request.path_params["n"]
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise RequestError(404, f"release {text[:40]!r} is no number: see GET /v1/versions", "path.n")
    return answered(await releases.promote(service, int(text), caller_of(request), BY_HAND))


async def rollback(service: Service, request: Request) -> Response:
    """Let what served before serve again."""
    return answered(await releases.rollback(service, caller_of(request)))


def _shown(one: Stored) -> Version:
    metrics = {str(name): float(value) for name, value in one.metrics.items() if _is_number(value)}
    return Version(one.number, _time(one.created), metrics, one.serving, one.previous, one.problem)


def _is_number(value: object) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < LARGEST_NUMBER)


def _time(microseconds: int | None) -> str | None:
    return None if microseconds is None else written(microseconds)


OPERATIONS = (
    Operation(
        "GET",
        "/v1/versions",
        versions,
        "The releases, and which of them serves.",
        answers={200: Versions},
        refusals=(409,),
        role=Role.OPERATOR,
    ),
    Operation(
        "POST",
        "/v1/versions/rollback",
        rollback,
        "Let the release that served before serve again. What is damaged is refused, and what serves goes on.",
        answers={200: Change},
        refusals=(409,),
        role=Role.OPERATOR,
    ),
    Operation(
        "POST",
        "/v1/versions/{n}/promote",
        promote,
        "Let a release serve, whatever the gate said of it. What is missing or damaged is refused, and what serves "
        "goes on.",
        answers={200: Change},
        refusals=(404, 409),
        role=Role.OPERATOR,
        parameters=(Parameter("n", "path", int, "the number of the release"),),
    ),
)
