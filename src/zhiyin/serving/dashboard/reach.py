"""In whose list an item is now: the same question as over HTTP, of some people who were active lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from zhiyin.serving.asking import joined
from zhiyin.serving.current import new_request_id
from zhiyin.serving.dashboard import lately
from zhiyin.serving.grouping import Group, groups_of
from zhiyin.serving.live import Served
from zhiyin.serving.schemas import Wanted
from zhiyin.serving.service import Service
from zhiyin.serving.sessions import Known

MOST_ASKED = 200
"""People; their lists take some tenths of a second."""


@dataclass(frozen=True)
class Reached:
    """Somebody in whose list the item is."""

    user_id: str
    rank: int  # from 1


@dataclass(frozen=True)
class Reach:
    """How many were asked, and who has it, the best rank first."""

    asked: int = 0
    reached: Sequence[Reached] = ()
    scenario: str = ""


async def reach(service: Service, item_id: str, scenario: str) -> Reach:
    """Ask for the people who were active last; for nobody where the shop keeps pseudonyms, which no caller may name.

    Raises
    ------
    RequestError
        503 if the store cannot be read; 422 for a scenario that starts from items.
    """
    served = await service.assortment.latest()
    if served.key is not None:
        return Reach()
    user_ids = [one.user_id for one in (await lately.recent.of(service))[:MOST_ASKED]]
    groups = groups_of(service, served, Wanted(scenario=scenario), user_ids, new_request_id())
    now = service.clock()
    known = [await service.sessions.queries(served.release, one, None, now) for one in user_ids]
    item = int(served.release.items.indexes([item_id])[0])
    found = await service.workers.run(partial(_ranks, served, groups, known, user_ids, item))
    return Reach(len(user_ids), sorted(found, key=lambda one: (one.rank, one.user_id)), scenario)


def _ranks(
    served: Served, groups: Sequence[Group], known: Sequence[Known], user_ids: Sequence[str], item: int
) -> list[Reached]:
    found = []
    for group in groups:
        if group.places:
            lists = group.wish.found(served.release, joined([known[place].queries for place in group.places]))
            rows, ranks = np.nonzero(lists.items == item)
            pairs = zip(rows.tolist(), ranks.tolist(), strict=True)
            found += [Reached(user_ids[group.places[row]], rank + 1) for row, rank in pairs]
    return found
