"""GET /metrics: what is counted and timed, for Prometheus. For operators."""

import asyncio

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.serving.caller import Role
from zhiyin.serving.operation import Operation
from zhiyin.serving.pulse import look
from zhiyin.serving.service import Service


async def metrics(service: Service, _: Request) -> Response:
    """All of it; of several workers, together."""
    look(service)
    content = await asyncio.to_thread(service.metrics.text)
    return Response(content, headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})


OPERATIONS = (
    Operation(
        "GET",
        "/metrics",
        metrics,
        "Counters, times and states in the text format of Prometheus.",
        answers={200: str},
        media_type="text/plain",
        role=Role.OPERATOR,
    ),
)
