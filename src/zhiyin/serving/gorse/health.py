"""/api/health: whether requests can be answered."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.serving.gorse.plain import refusal
from zhiyin.serving.gorse.shapes import HealthStatus
from zhiyin.serving.operation import answered
from zhiyin.serving.service import Service


async def live(service: Service, _: Request) -> Response:
    """Always answers."""
    return answered(_status(service))


async def ready(service: Service, _: Request) -> Response:
    """503 while the store cannot be written."""
    status = _status(service)
    return answered(status) if status.ready else refusal(503, msgspec.json.encode(status).decode())


def _status(service: Service) -> HealthStatus:
    """Who asks has no key, so the reason is in the log alone."""
    connected = not service.store.problem
    return HealthStatus(connected, None if connected else "the store cannot be written now", None, connected, True)
