"""/v1/retrain: ask for a training, and see what became of the last. Asking is for operators."""

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import ArtifactError, RequestError
from zhiyin.registry.retrain import next_time, read_state
from zhiyin.registry.retrain_requests import pending, request, waiting
from zhiyin.serving.caller import Role, caller_of
from zhiyin.serving.moments import written
from zhiyin.serving.operation import Operation, answered
from zhiyin.serving.operator_schemas import Queued, Retraining
from zhiyin.serving.service import Service, new_request_id

OVER_HTTP = "asked for over HTTP"


async def ask(service: Service, asked: Request) -> Response:
    """Queue one."""
    try:
        async with service.audit.acting("retrain", "", caller_of(asked), request_id=new_request_id()):
            await asyncio.to_thread(request, _root(service), OVER_HTTP, service.clock())
    except OSError as error:
        raise RequestError(503, f"the request cannot be written ({error.strerror}): try again") from None
    return answered(Queued("queued"), 202)


async def state(service: Service, _: Request) -> Response:
    """What is so now."""
    return answered(await asyncio.to_thread(_retraining, service))


def _retraining(service: Service) -> Retraining:
    root = _root(service)
    try:
        known = read_state(root)
    except ArtifactError as error:
        raise RequestError(503, str(error)) from None
    asked = pending(root)
    is_queued = waiting(root) is not None or (asked is not None and not known.running)
    now = service.clock()
    at_once = is_queued and not known.running and not known.failures
    times = (
        known.began,
        known.ended,
        known.succeeded,
        now if at_once else next_time(known, service.settings.retrain, now),
    )
    began, ended, succeeded, coming = (written(time) if time else None for time in times)
    return Retraining(
        "running" if known.running else "queued" if is_queued else "idle",
        is_queued,
        began,
        ended,
        succeeded,
        known.sentence,
        known.failures,
        coming,
    )


def _root(service: Service) -> Path:
    if service.live.registry is None:
        raise RequestError(409, "this service holds one release and no registry: start it with `zhiyin serve`")
    return service.live.registry.root


OPERATIONS = (
    Operation(
        "POST",
        "/v1/retrain",
        ask,
        "Ask for a training. It begins when none runs; several requests that wait are one.",
        answers={202: Queued},
        refusals=(409,),
        role=Role.OPERATOR,
    ),
    Operation(
        "GET",
        "/v1/retrain",
        state,
        "Whether a training runs, what came of the last one, and when the next begins.",
        answers={200: Retraining},
        refusals=(409,),
        role=Role.OPERATOR,
    ),
)
