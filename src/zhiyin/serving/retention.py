"""Nothing is kept for longer than the shop says."""

import asyncio
import logging

from zhiyin.errors import RequestError
from zhiyin.serving.service import Service
from zhiyin.types import MICROSECONDS_PER_DAY

EVERY_SECONDS = 3_600.0

log = logging.getLogger(__name__)


async def keep_no_longer(service: Service) -> None:
    """Delete what is too old, now and every hour, until cancelled; several workers may do so side by side."""
    while True:
        try:
            gone = await prune(service)
        except RequestError as error:
            log.warning("what is too old could not be deleted, it is tried again in an hour: %s", error)
        else:
            if any(gone.values()):
                log.info("deleted what was too old: %s", ", ".join(f"{n:,} {table}" for table, n in gone.items()))
        await asyncio.sleep(EVERY_SECONDS)


async def prune(service: Service) -> dict[str, int]:
    """Delete what is too old; rows by table."""
    now, privacy = service.clock(), service.settings.privacy
    ends = [
        0 if days is None else now - days * MICROSECONDS_PER_DAY for days in (privacy.events_days, privacy.shown_days)
    ]
    return await service.store.prune(*ends)
