"""What is alike to an item, or goes with it, and why: the same lists as over HTTP, with what speaks for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from zhiyin.ranking.wording import Language
from zhiyin.serving.answers import listed
from zhiyin.serving.asking import of_nobody
from zhiyin.serving.current import new_request_id
from zhiyin.serving.dashboard.company import in_common
from zhiyin.serving.dashboard.faces import Face, faces
from zhiyin.serving.live import Served
from zhiyin.serving.schemas import Recommended, Wanted
from zhiyin.serving.service import Service
from zhiyin.serving.wish import Wish, wish_of

MOST = 8
LONGEST_SAME = 40
"""Characters of a text of the catalogue that is named as a reason."""


@dataclass(frozen=True)
class Alike:
    """One of them."""

    face: Face
    given: Recommended
    together: int
    """People who have both in their past."""
    same: tuple[str, ...]
    """What the catalogue says alike of both."""


@dataclass(frozen=True)
class AlikeList:
    """All of them, best first."""

    people: int
    """Who have the item in their past."""
    rows: Sequence[Alike]


async def alike(service: Service, served: Served, item_id: str, scenario: str, language: Language) -> AlikeList:
    """The list of a scenario that starts from items.

    Raises
    ------
    RequestError
        422 for conditions that do not fit the items.
    """
    wanted = Wanted(scenario=scenario, k=MOST)
    wish = wish_of(served.release, service.scenarios, wanted, scenario, new_request_id(), None, [item_id])
    return await service.workers.run(partial(_made, served, wish, item_id, service.clock(), language))


def _made(served: Served, wish: Wish, item_id: str, now: int, language: Language) -> AlikeList:
    release = served.release
    items = listed(wish.found(release, of_nobody(now)), release)
    indexes = release.items.indexes([one.item_id for one in items]).tolist()
    item = int(release.items.indexes([item_id])[0])
    people, together = in_common(release, item, indexes)
    own, *said = release.pipeline.catalog.frame[[item, *indexes]].to_dicts()
    shown = zip(faces(release, indexes, language), items, together, said, strict=True)
    return AlikeList(people, [Alike(face, one, count, _same(own, other)) for face, one, count, other in shown])


def _same(one: dict[str, Any], other: dict[str, Any]) -> tuple[str, ...]:
    """Short texts of the catalogue that are the same for both."""
    return tuple(
        value
        for name, value in one.items()
        if isinstance(value, str) and 0 < len(value) <= LONGEST_SAME and other[name] == value
    )
