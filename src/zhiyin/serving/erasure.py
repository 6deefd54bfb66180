"""The end of a person: everything that is held is deleted, and a signed receipt says what and where.

Releases hold histories until they are trained again, so a training is asked for, and until then no answer uses what a
release knows of the person.
"""

import asyncio
from typing import Any

import polars as pl
from msgspec import to_builtins

from zhiyin.errors import ArtifactError, RequestError
from zhiyin.registry.retrain_requests import request as ask_for_training
from zhiyin.registry.store import Store as Releases
from zhiyin.serving.caller import Caller
from zhiyin.serving.catalogue import Erasure, Receipt
from zhiyin.serving.moments import written
from zhiyin.serving.service import Service

ACT = "erase person"
REASON = "a person was erased"
STRAGGLER_SECONDS = 0.5
"""In which other workers write the lists that were on their way when the person was erased."""


async def erased(service: Service, user_id: str, caller: Caller, request_id: str) -> Receipt:
    """Delete everything on a person; the audit keeps that it was done, and a digest of whom.

    Raises
    ------
    RequestError
        503 if the store cannot be written, or the act cannot be written down: nothing is deleted then.
    """
    person = service.served.person(user_id)
    digest = service.store.digest(person)
    async with service.audit.acting(ACT, digest[:16], caller, request_id=request_id):
        removed, now = await service.store.erase(person), service.clock()
        await asyncio.sleep(STRAGGLER_SECONDS)
        removed["impressions"] += await service.store.erase_shown(person, now)
        registry = service.live.registry
        releases = [] if registry is None else await asyncio.to_thread(_holding, registry, person)
        training = "not possible" if registry is None else "queued"
        if registry is not None:
            try:
                await asyncio.to_thread(ask_for_training, registry.root, REASON, service.clock())
            except OSError as error:
                raise RequestError(
                    503, f"the person is erased, but no training could be asked for ({error.strerror}): ask again"
                ) from None
    content = Erasure(user_id, written(service.clock()), request_id, caller.name, removed, releases, training)
    signed: dict[str, Any] = service.signer.signed(to_builtins(content))
    return Receipt(content, signed["signature"], signed["public_key"])


def _holding(registry: Releases, person: str) -> list[int]:
    """The releases whose people include one; what cannot be read is named, too: it may."""
    found = []
    for number in registry.numbers():
        try:
            people = pl.scan_parquet(registry.path(number) / "users.parquet")
            if people.filter(pl.col("user_id") == person).select(pl.len()).collect().item():
                found.append(number)
        except (ArtifactError, OSError, pl.exceptions.PolarsError):
            found.append(number)
    return found
