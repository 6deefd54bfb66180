"""The lists of the storefront: asked for as over HTTP, and noted as shown."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from msgspec import UNSET

from zhiyin.data.queries import Queries
from zhiyin.errors import UnknownIdError
from zhiyin.ranking.scenario import Kind
from zhiyin.ranking.terms import Terms
from zhiyin.ranking.wording import Language
from zhiyin.registry.release import Release
from zhiyin.serving.answering import answer_of
from zhiyin.serving.answers import listed
from zhiyin.serving.asking import of_nobody, of_somebody
from zhiyin.serving.current import new_request_id
from zhiyin.serving.dashboard.shop_goods import Goods, goods_of
from zhiyin.serving.dashboard.shop_visit import Visit
from zhiyin.serving.impressions import note
from zhiyin.serving.live import Served
from zhiyin.serving.schemas import Recommended, Wanted
from zhiyin.serving.service import Service
from zhiyin.serving.wish import HOME, wish_of

PER_SHELF = 8


@dataclass(frozen=True)
class Shelf:
    """Some items side by side, from one list."""

    request_id: str = ""
    goods: list[Goods] = field(default_factory=list)
    why: Mapping[str, str] = field(default_factory=dict)
    """Item to the sentence for it."""
    is_personal: bool = False

    @property
    def item_ids(self) -> list[str]:
        """In order."""
        return [one.item_id for one in self.goods]

    @property
    def liked(self) -> str:
        """The category of most of them; empty where none is known."""
        counts = Counter(one.category for one in self.goods if one.category)
        return max(counts, key=lambda name: counts[name], default="")


@dataclass(frozen=True)
class Want:
    """What a list should be of."""

    scenario: str = HOME
    items: tuple[str, ...] | None = None
    """What it starts from."""
    where: str | None = None
    """A further condition on the items."""
    moment: int | None = None
    """The list of then, µs UTC; None: of now."""
    request_id: str = ""
    """Decides what is drawn; empty: a new one."""
    is_shown: bool = True
    """Somebody sees it: it is written down."""


FOR_YOU = Want()


async def asked(service: Service, visit: Visit, language: Language, want: Want = FOR_YOU) -> Shelf:
    """A list of a scenario for who visits; empty where it starts from items that nobody knows.

    Raises
    ------
    RequestError
        503 if too many wait for an answer.
    """
    started, now = time.perf_counter(), service.clock() if want.moment is None else want.moment
    served, known = await of_somebody(service, visit.person, visit.session, now)
    wanted = Wanted(scenario=want.scenario, k=PER_SHELF, where=want.where, language=language)
    try:
        wish = wish_of(
            served.release, service.scenarios, wanted, HOME, want.request_id or new_request_id(), visit.name,
            None if want.items is None else list(want.items),
        )  # fmt: skip
    except UnknownIdError:
        return Shelf()
    made = await service.workers.run(partial(answer_of, served, known, wish, visit.person, now, started))
    if want.is_shown:
        _note(service, served, visit, made.request_id, made.items, want.scenario, made.variant)
    goods = goods_of(served.release, [one.item_id for one in made.items], language)
    why = {} if made.fallback else {one.item_id: one.reason.text for one in made.items if one.reason is not UNSET}
    return Shelf(made.request_id, goods, why, not made.fallback)


async def of_kind(
    service: Service, visit: Visit, language: Language, kind: Kind, *, where: str = "", k: int = PER_SHELF
) -> Shelf:
    """A list that is the same for everybody."""
    served = await service.assortment.latest()
    work = partial(_of_kind, served.release, kind, of_nobody(service.clock()), k, where)
    items, request_id = await service.workers.run(work), new_request_id()
    _note(service, served, visit, request_id, items, kind, None)
    return Shelf(request_id, goods_of(served.release, [one.item_id for one in items], language))


def _of_kind(release: Release, kind: Kind, nobody: Queries, k: int, where: str) -> list[Recommended]:
    return listed(release.lists.of(kind, nobody, k, Terms(where=(where,) if where else ())), release)


def in_category(name: str, *, other: bool = False) -> str:
    """The condition for the items of a category, or for all others."""
    text = name.replace("'", "''")
    return f"category {'!=' if other else '='} '{text}'"


def categories(release: Release) -> list[str]:
    """Of all items that are available, the largest first."""
    frame = release.pipeline.catalog.frame
    if "category" not in frame.columns:
        return []
    values = frame["category"].filter(release.pipeline.catalog.available).drop_nulls()
    if values.dtype.is_nested():
        return []
    counts = values.cast(str).value_counts(sort=True, name="items")
    return [name for name in counts["category"].to_list() if name]


def _note(
    service: Service, served: Served, visit: Visit, request_id: str, items: Sequence[Recommended], scenario: str,
    variant: str | None,
) -> None:  # fmt: skip
    note(
        service, served, request_id, items, scenario=scenario, variant=variant, user_id=visit.person,
        session_id=visit.session,
    )  # fmt: skip
