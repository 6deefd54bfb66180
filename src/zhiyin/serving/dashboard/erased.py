"""Who was erased: a release knows them until the next training, and no page may show them meanwhile."""

from collections.abc import Iterable

from zhiyin.serving.refusing import refusing
from zhiyin.serving.service import Service


async def without_erased(service: Service, user_ids: Iterable[str]) -> list[str]:
    """Those of these people, as the store calls them, who were not erased after the training.

    Raises
    ------
    RequestError
        503 if the store cannot be read.
    """
    trained = int(service.live.served.release.details.get("trained") or 0)
    gone = await refusing(service.store.forgotten(trained))
    return [one for one in user_ids if not gone or service.store.digest(one) not in gone]
