"""/v1/retrain: ask for a training, and see what became of the last. Asking is for operators."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.serving import retraining
from zhiyin.serving.caller import Role, caller_of
from zhiyin.serving.operation import Operation, answered
from zhiyin.serving.operator_schemas import Queued, Retraining
from zhiyin.serving.service import Service

OVER_HTTP = "asked for over HTTP"


async def ask(service: Service, asked: Request) -> Response:
    """Queue one."""
    await retraining.ask(service, caller_of(asked), OVER_HTTP)
    return answered(Queued("queued"), 202)


async def state(service: Service, _: Request) -> Response:
    """What is so now."""
    return answered(await asyncio.to_thread(retraining.state, service))


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
