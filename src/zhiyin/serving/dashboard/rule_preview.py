"""What a change of a scenario would do: the lists of a few people before and after, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from zhiyin.data.queries import Queries
from zhiyin.ranking.scenario import Scenario
from zhiyin.ranking.terms import Terms
from zhiyin.ranking.wording import Language
from zhiyin.registry.release import Release
from zhiyin.serving.answers import length
from zhiyin.serving.asking import of_nobody, of_somebody
from zhiyin.serving.dashboard.shop_goods import Goods, goods_of
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


@dataclass(frozen=True)
class Trial:
    """What is tried, and in which language the items are called."""

    before: Scenario
    after: Scenario
    language: Language


async def compared(service: Service, trial: Trial, people: Sequence[str]) -> list[Compared]:
    """The lists of these people and of a stranger; what is tried fits the release."""
    now = service.clock()
    asked: list[tuple[Release, str | None, Queries]] = []
    for person in dict.fromkeys(people[:MOST_PEOPLE]):
        served, known = await of_somebody(service, person, None, now)
        asked.append((served.release, person, known.queries))
    asked.append((service.served.release, None, of_nobody(now)))
    return await service.workers.run(lambda: [_compared(trial, *one) for one in asked])


def _compared(trial: Trial, release: Release, person: str | None, queries: Queries) -> Compared:
    basket = _basket(release, queries)
    was, will = (_listed(release, one, queries, basket) for one in (trial.before, trial.after))
    starts = trial.before.kind in BASKETS or trial.after.kind in BASKETS
    start = goods_of(release, release.items.texts[basket.tolist()], trial.language) if starts else []
    goods = goods_of(release, release.items.texts[[*was, *will]], trial.language)
    first, second = goods[: len(was)], goods[len(was) :]
    return Compared(
        person,
        int(queries.histories.lengths[0]),
        start[0].title if start else "",
        [
            Placed(one.item_id, one.title, "same" if item in will else "out")
            for item, one in zip(was, first, strict=True)
        ],
        [_placed(one, item, was, place) for place, (item, one) in enumerate(zip(will, second, strict=True))],
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
    found = release.lists.of(scenario.kind, queries, k, scenario.terms(Terms(seeds=(SEED,))), basket).items[0]
    return [int(item) for item in found if item >= 0]


def _left(goods: Goods, item: int, will: list[int]) -> Placed:
    """In the list of before."""
    return Placed(goods.item_id, goods.title, "same" if item in will else "out")


def _placed(goods: Goods, item: int, was: list[int], place: int) -> Placed:
    """In the list of after."""
    if item not in was:
        return Placed(goods.item_id, goods.title, "in")
    by = was.index(item) - place
    return Placed(goods.item_id, goods.title, "up" if by > 0 else "down" if by < 0 else "same", abs(by))
