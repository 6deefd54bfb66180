"""GET /v1/health: whether the service answers, and with what."""

import time

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import RequestError
from zhiyin.serving.operation import Operation, answered
from zhiyin.serving.schemas import Health
from zhiyin.serving.service import Service

STARTED = time.monotonic()


async def health(service: Service, request: Request) -> Response:
    """Answer in any case; the details are for callers who may enter."""
    problem = " ".join(filter(None, [service.live.problem, service.store.problem]))
    told = problem and await _may_enter(service, request)
    return answered(
        Health(
            "degraded" if problem else "ok",
            service.live.served.release.number,
            round(time.monotonic() - STARTED, 3),
            problem if told else UNSET,
        )
    )


async def _may_enter(service: Service, request: Request) -> bool:
    try:
        await service.access.admit(request.scope)
    except RequestError:
        return False
    return True


OPERATIONS = (
    Operation(
        "GET",
        "/v1/health",
        health,
        "Whether the service answers, with which release, and what needs care. Needs no key, but says more with one.",
        answers={200: Health},
        role=None,
    ),
)
