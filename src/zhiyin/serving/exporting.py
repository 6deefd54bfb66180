"""Everything that is stored of a person, for that person."""

from zhiyin.serving.caller import Caller
from zhiyin.serving.catalogue import Export
from zhiyin.serving.service import Service

ACT = "export person"


async def exported(service: Service, user_id: str, caller: Caller, request_id: str) -> Export:
    """All of it; the audit keeps that it was read, and a digest of whom.

    Raises
    ------
    RequestError
        503 if the store cannot be read, or the act cannot be written down: nothing is read then.
    """
    person = service.served.person(user_id)
    digest = service.store.digest(person)
    async with service.audit.acting(ACT, digest[:16], caller, request_id=request_id):
        pass
    return Export(user_id, await service.store.export(person))
