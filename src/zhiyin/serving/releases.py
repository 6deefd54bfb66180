"""The change of what answers, by an operator: over HTTP and on the pages."""

import asyncio
from contextlib import AbstractAsyncContextManager
from functools import partial

from zhiyin.errors import ArtifactError, RegistryBusyError, RequestError
from zhiyin.registry.store import Store
from zhiyin.serving.caller import Caller
from zhiyin.serving.operator_schemas import Change
from zhiyin.serving.service import Service, new_request_id


def registry(service: Service) -> Store:
    """Where the releases of a service lie.

    Raises
    ------
    RequestError
        409 for a service that was given one release and no registry.
    """
    if service.live.registry is None:
        raise RequestError(409, "this service holds one release and no registry: start it with `zhiyin serve`")
    return service.live.registry


async def promote(service: Service, number: int, caller: Caller, why: str) -> Change:
    """Let a release serve, audited; this process answers with it when this returns.

    Raises
    ------
    RequestError
        404 if there is no such release, 409 if it cannot serve: what served goes on.
    """
    if number not in await asyncio.to_thread(registry(service).numbers):
        raise RequestError(404, f"release {number} is not in the registry: see GET /v1/versions", "path.n")
    act = service.audit.acting("promote", f"release {number}", caller, request_id=new_request_id())
    return await _changed(service, act, partial(service.live.promote, number, service.clock(), why))


async def rollback(service: Service, caller: Caller) -> Change:
    """Let what served before serve again; audited, and raises as `promote` does."""
    registry(service)
    act = service.audit.acting("rollback", "", caller, request_id=new_request_id())
    return await _changed(service, act, partial(service.live.rollback, service.clock()))


async def _changed(service: Service, act: AbstractAsyncContextManager[None], change: "partial[int]") -> Change:
    before = service.live.served.release.number
    try:
        async with act:
            return Change(await asyncio.to_thread(change), before)
    except (ArtifactError, RegistryBusyError) as error:
        raise RequestError(409, f"{error}; release {service.live.served.release.number} goes on") from None
