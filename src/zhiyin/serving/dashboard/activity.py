"""How many events there were of late: those that the release has learnt from, and those that came in since."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from sqlalchemy import Connection

from zhiyin.data.store import shown
from zhiyin.data.store.shown import DAY
from zhiyin.registry.release import Release
from zhiyin.serving.dashboard.kept import Kept
from zhiyin.serving.service import Service

DAYS = 14
KEEP_SECONDS = 5.0


@dataclass(frozen=True)
class Activity:
    """By days since 1970, UTC."""

    days: range
    learnt: Mapping[int, int]
    new: Mapping[int, int]
    newest: int | None
    """When the last event came in, µs UTC; None before the first."""

    @property
    def new_events(self) -> int:
        """Of these days, that the release has not learnt from."""
        return sum(self.new.values())

    @property
    def today(self) -> int:
        """Events."""
        last = self.days[-1]
        return self.learnt.get(last, 0) + self.new.get(last, 0)


async def _found(service: Service) -> Activity:
    today, release = service.clock() // DAY, service.live.served.release
    days = range(today - DAYS + 1, today + 1)
    after = int(release.details.get("store_sequence") or 0)
    new, newest = await service.store.reading(partial(_stored, after=after, since=days[0] * DAY))
    return Activity(days, await asyncio.to_thread(learnt_by_day, release, days), new, newest)


recent = Kept(_found, KEEP_SECONDS)
"""`await recent.of(service)`; RequestError 503 where the store cannot be read."""


def learnt_by_day(release: Release, days: range) -> dict[int, int]:
    """How many events of each day a release has learnt from."""
    times = release.histories.times
    within = times[(times >= days[0] * DAY) & (times < (days[-1] + 1) * DAY)] // DAY
    found, counts = np.unique(within, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _stored(connection: Connection, after: int, since: int) -> tuple[dict[int, int], int | None]:
    return shown.new_by_day(connection, after, since), shown.newest(connection)
