"""Many people who ask the same at once: those of one variant are one block through the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass

from zhiyin.errors import RequestError
from zhiyin.serving.live import Served
from zhiyin.serving.schemas import Wanted
from zhiyin.serving.service import Service
from zhiyin.serving.wish import BASKETS, HOME, Wish, wish_of


@dataclass(frozen=True, eq=False)
class Group:
    """Those of one variant."""

    wish: Wish
    places: list[int]  # in the list of people


def groups_of(
    service: Service, served: Served, wanted: Wanted, user_ids: Sequence[str], request_id: str
) -> list[Group]:
    """By variant; the first is of those who belong to none, and may be empty.

    Raises
    ------
    RequestError
        422 for a scenario that does not exist or starts from items, or terms that cannot be.
    """
    name = HOME if wanted.scenario is None else wanted.scenario
    scenario = service.scenarios.get(name)
    if scenario is not None and scenario.kind in BASKETS:
        raise RequestError(422, f"a scenario of kind {scenario.kind!r} starts from items: ask for one person at a time")
    nobody = wish_of(served.release, service.scenarios, wanted, HOME, request_id)
    groups: dict[str | None, Group] = {None: Group(nobody, [])}
    for place, user_id in enumerate(user_ids):
        variant = service.scenarios[name].variant_of(user_id if wanted.personal else None, name)
        if variant not in groups:
            groups[variant] = Group(wish_of(served.release, service.scenarios, wanted, HOME, request_id, user_id), [])
        groups[variant].places.append(place)
    return list(groups.values())
