"""Who did something of late: those whom one looks at first, and those whom a question about everybody is asked of."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from zhiyin.data.store import finding
from zhiyin.data.store.records import is_session
from zhiyin.data.store.shown import DAY
from zhiyin.registry.release import Release
from zhiyin.serving.dashboard.erased import without_erased
from zhiyin.serving.dashboard.kept import Kept
from zhiyin.serving.service import Service

DAYS = 7
MOST = 1_000
KEEP_SECONDS = 20.0


@dataclass(frozen=True)
class Active:
    """Somebody, as the store calls them."""

    user_id: str
    events: int
    """Of the last days before the newest event of all that a release knows, and those that it does not know yet."""
    last: int
    """µs UTC."""


async def _found(service: Service) -> tuple[Active, ...]:
    """At most 1,000, who did something last first."""
    release = service.live.served.release
    since = int(release.details.get("store_sequence") or 0)
    fresh = await service.store.reading(partial(finding.lately, since=since, most=MOST))
    learnt = await service.workers.run(partial(learnt_lately, release))
    found = {one.user_id: one for one in learnt}
    for one in fresh:
        before = found.get(one.user_id, Active(one.user_id, 0, 0))
        found[one.user_id] = Active(one.user_id, before.events + one.events, max(before.last, one.last))
    there = await without_erased(service, found)
    return tuple(sorted((found[one] for one in there), key=lambda one: (-one.last, one.user_id))[:MOST])


recent = Kept(_found, KEEP_SECONDS)
"""`await recent.of(service)`; RequestError 503 where the store cannot be read."""


def learnt_lately(release: Release) -> list[Active]:
    """At most 1,000 people of a release, who did something last first, with the events of its last days."""
    past = release.histories
    recently = np.flatnonzero(past.times >= release.last_event - DAYS * DAY)
    rows = np.searchsorted(past.offsets, recently, side="right") - 1
    people, events = np.unique(rows, return_counts=True)
    last = past.times[past.offsets[people + 1] - 1]  # ascending within a row
    best = np.argsort(-last, kind="stable")[:MOST]
    names = release.users.texts.gather(people[best]).to_list()
    found = zip(names, events[best].tolist(), last[best].tolist(), strict=True)
    return [Active(*one) for one in found if not is_session(one[0])]
