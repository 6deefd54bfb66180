"""Trainings as an operator asks for them and sees them: over HTTP and on the pages."""

import asyncio

from zhiyin.errors import ArtifactError, RequestError
from zhiyin.registry.retrain import next_time, read_state
from zhiyin.registry.retrain_requests import pending, request, waiting
from zhiyin.serving.caller import Caller
from zhiyin.serving.moments import written
from zhiyin.serving.operator_schemas import Retraining
from zhiyin.serving.releases import registry
from zhiyin.serving.service import Service, new_request_id


async def ask(service: Service, caller: Caller, reason: str) -> None:
    """Queue one, audited.

    Raises
    ------
    RequestError
        409 without a registry, 503 if the request cannot be written.
    """
    try:
        async with service.audit.acting("retrain", "", caller, request_id=new_request_id()):
            await asyncio.to_thread(request, registry(service).root, reason, service.clock())
    except OSError as error:
        raise RequestError(503, f"the request cannot be written ({error.strerror}): try again") from None


def state(service: Service) -> Retraining:
    """Whether one runs, what came of the last, and when the next begins; reads files.

    Raises
    ------
    RequestError
        409 without a registry, 503 if its record of trainings cannot be read.
    """
    root = registry(service).root
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
