"""What a change of a scenario would do: the lists of a few people before and after, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from zhiyin.data.queries import Queries
from zhiyin.ranking.scenario import Scenario
from zhiyin.ranking.terms import Terms
from zhiyin.registry.release import Release
from zhiyin.serving.answers import length
from zhiyin.serving.asking import of_nobody, of_somebody
from zhiyin.serving.service import Service
from zhiyin.serving.wish import BASKETS
from zhiyin.types import Indexes

MOST_PEOPLE, MOST_PLACES = 6, 12
QUANTILES = (0.3, 0.6, 0.95)
"""Of the lengths of histories: who is shown where nobody is named."""
SEED = 7
"""Of what is drawn, the same before and after: what moves was moved by the rules."""
Move: TypeAlias = Literal["same", "up", "down", "in", "out"]


@dataclass(frozen=True)
class Placed:
    """An item in a list."""

    item_id: str
    title: str
    move: Move
    by: int = 0
    """Places."""


@dataclass(frozen=True)
class Compared:
    """The two lists of one person."""

    person: str | None
    """None: a stranger."""
    events: int
    start: str
    """What the list starts from, by title; empty where it starts from nothing."""
    before: list[Placed]
    after: list[Placed]

    @property
    def is_same(self) -> bool:
        """Whether nothing moves."""
        return all(one.move == "same" for one in (*self.before, *self.after))


def typical(release: Release) -> list[str]:
    """A few people with histories of different lengths, always the same ones."""
    people = len(release.users)
    if not people:
        return []
    order = np.argsort(release.histories.lengths, kind="stable")
    chosen = dict.fromkeys(int(order[int(q * (people - 1))]) for q in QUANTILES)
    return [release.users.texts[one] for one in chosen]


async def compared(service: Service, before: Scenario, after: Scenario, people: Sequence[str]) -> list[Compared]:
    """The lists of these people and of a stranger; `after` fits the release."""
    now = service.clock()
    asked: list[tuple[str | None, Queries]] = []
    for person in dict.fromkeys(people[:MOST_PEOPLE]):
        _, known = await of_somebody(service, person, None, now)
        asked.append((person, known.queries))
    release = service.served.release
    asked.append((None, of_nobody(now)))
    return await service.workers.run(lambda: [_compared(release, before, after, *one) for one in asked])


def _compared(release: Release, before: Scenario, after: Scenario, person: str | None, queries: Queries) -> Compared:
    basket = _basket(release, queries)
    was, will = (_listed(release, one, queries, basket) for one in (before, after))
    starts = before.kind in BASKETS or after.kind in BASKETS
    titles = release.pipeline.catalog.titles
    return Compared(
        person,
        int(queries.histories.lengths[0]),
        titles[int(basket[0])] if starts and len(basket) else "",
        [_placed(release, item, was, will, is_after=False) for item in was],
        [_placed(release, item, was, will, is_after=True) for item in will],
    )


def _basket(release: Release, queries: Queries) -> Indexes:
    """What somebody looked at last; of a stranger, what everybody likes."""
    past = queries.histories.items[queries.histories.items >= 0]
    if len(past):
        return past[-1:].astype(np.int32)
    popular = release.lists.of("popular", queries, 1).items[0]
    found: Indexes = popular[popular >= 0].astype(np.int32)
    return found


def _listed(release: Release, scenario: Scenario, queries: Queries, basket: Indexes) -> list[int]:
    k = min(length(release, scenario.k), MOST_PLACES)
    if scenario.kind in BASKETS and not len(basket):
        return []
    found = release.lists.of(scenario.kind, queries, k, scenario.terms(Terms(seed=SEED)), basket).items[0]
    return [int(item) for item in found if item >= 0]


def _placed(release: Release, item: int, was: list[int], will: list[int], *, is_after: bool) -> Placed:
    item_id, title = release.items.texts[item], release.pipeline.catalog.titles[item]
    if item not in was or item not in will:
        return Placed(item_id, title, "in" if is_after else "out")
    by = was.index(item) - will.index(item) if is_after else 0
    return Placed(item_id, title, "up" if by > 0 else "down" if by < 0 else "same", abs(by))
