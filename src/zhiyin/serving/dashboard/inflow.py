"""What came in, by day and kind: what the release has learnt from, and what was stored since."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import partial

import numpy as np
from sqlalchemy import Connection

from zhiyin.data.store import counted
from zhiyin.data.store.shown import DAY
from zhiyin.registry.release import Release
from zhiyin.serving.dashboard.kept import Kept
from zhiyin.serving.service import Service

MOST_DAYS = 90
MOST_KINDS = 4
"""Each has its colour; the rest is one."""
KEEP_SECONDS = 20.0

Counts = dict[tuple[int, str], int]
"""(day since 1970 in UTC, event type) to events."""


@dataclass(frozen=True)
class Inflow:
    """Of the last 90 days."""

    today: int
    """Days since 1970, UTC."""
    counts: Counts
    stored: dict[str, int]
    """Rows of the store: items, users."""

    def days(self, most: int) -> range:
        """The last of them."""
        return range(self.today - most + 1, self.today + 1)

    def kinds(self, days: range) -> list[str]:
        """The commonest in some days first, the fifth and all after it left out."""
        totals: Counter[str] = Counter()
        for (day, kind), count in self.counts.items():
            totals[kind] += count if day in days else 0
        return [kind for kind, count in totals.most_common(MOST_KINDS) if count]

    def series(self, days: range, kind: str) -> list[int]:
        """Events of a kind for each day."""
        return [self.counts.get((day, kind), 0) for day in days]

    def others(self, days: range, kinds: list[str]) -> list[int]:
        """Events of all other kinds for each day."""
        totals = Counter({day: 0 for day in days})
        for (day, kind), count in self.counts.items():
            if day in totals and kind not in kinds:
                totals[day] += count
        return [totals[day] for day in days]


async def _found(service: Service) -> Inflow:
    today, release = service.clock() // DAY, service.live.served.release
    first = today - MOST_DAYS + 1
    after = int(release.details.get("store_sequence") or 0)
    new, stored = await service.store.reading(partial(_stored, after=after, since=first * DAY))
    counts = Counter(await asyncio.to_thread(learnt, release, first))
    counts.update(new)
    return Inflow(today, {key: count for key, count in counts.items() if key[0] <= today}, stored)


recent = Kept(_found, KEEP_SECONDS)
"""`await recent.of(service)`; RequestError 503 where the store cannot be read."""


def learnt(release: Release, first: int) -> Counts:
    """Events that a release has learnt from, by day and kind, from a day on."""
    past = release.histories
    late = past.times >= first * DAY
    names = past.kind_names
    keys = (past.times[late] // DAY) * len(names) + past.kinds[late]
    found, counts = np.unique(keys, return_counts=True)
    return {
        (int(key) // len(names), names[int(key) % len(names)]): int(count)
        for key, count in zip(found, counts, strict=True)
    }


def _stored(connection: Connection, after: int, since: int) -> tuple[Counts, dict[str, int]]:
    return counted.new_by_day_and_kind(connection, after, since), counted.rows(connection)
