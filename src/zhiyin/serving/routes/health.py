"""GET /v1/health and /v1/ready: whether the service answers, with what, and whether to send requests here."""

import time

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import RequestError
from zhiyin.serving.operation import Operation, answered
from zhiyin.serving.operator_schemas import Ready
from zhiyin.serving.schemas import Health
from zhiyin.serving.service import Service

STARTED = time.monotonic()


async def health(service: Service, request: Request) -> Response:
    """Answer in any case; the details are for callers who may enter."""
    training, rules = service.readiness.training_problem, service.rulebook.problem
    problem = " ".join(filter(None, [service.live.problem, service.store.problem, rules, training]))
    told = problem and await _may_enter(service, request)
    return answered(
        Health(
            "degraded" if problem else "ok",
            service.live.served.release.number,
            round(time.monotonic() - STARTED, 3),
            problem if told else UNSET,
        )
    )


async def ready(service: Service, _: Request) -> Response:
    """For balancers: 200 or 503."""
    reasons = service.readiness.reasons(service.store.problem)
    number = service.live.served.release.number
    if reasons:
        return answered(Ready("not ready", number, reasons), 503)
    return answered(Ready("ready", number))


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
    Operation(
        "GET",
        "/v1/ready",
        ready,
        "Whether a balancer should send requests here: not while events cannot be written, nor when the service is "
        "about to end. Needs no key.",
        answers={200: Ready, 503: Ready},
        role=None,
    ),
)
