"""What came of the lists of the last days: clicks, purchases, and how much of the catalogue was seen at all."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import msgspec
from sqlalchemy import Connection

from zhiyin.data.store import shown
from zhiyin.data.store.shown import DAY
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.scenario import Scenario
from zhiyin.registry.release import Release
from zhiyin.serving.dashboard.kept import Kept
from zhiyin.serving.service import Service

DAYS = 7
MOST_LISTS, MOST_ANSWERS = 20_000, 200_000
"""The newest are looked at; the page says so where there are more."""
KEEP_SECONDS = 20.0
BOUGHT = frozenset({"purchase", "buy", "order", "transaction"})
"""Event types that say that somebody bought."""
SAME_FOR_ALL = ("popular", "trending", "latest")
"""Kinds of lists that know nothing of the person."""
Z95 = 1.959964
"""Of the normal distribution, two-sided."""
LIST = msgspec.json.Decoder(list[tuple[str, float]])


@dataclass(frozen=True)
class Rates:
    """Of some lists, how many were followed by what; an event counts if it names the list."""

    lists: int = 0
    clicked: int = 0
    """Followed by an event of any type on one of their items."""
    bought: int = 0

    def __add__(self, other: "Rates") -> "Rates":
        return Rates(self.lists + other.lists, self.clicked + other.clicked, self.bought + other.bought)

    @property
    def click_range(self) -> tuple[float, float] | None:
        """Where the click rate lies with a confidence of 95 %; None without lists."""
        return wilson(self.clicked, self.lists) if self.lists else None

    @property
    def purchase_range(self) -> tuple[float, float] | None:
        """The same of the purchase rate."""
        return wilson(self.bought, self.lists) if self.lists else None

    @property
    def click_rate(self) -> float | None:
        """Of one; None without lists."""
        return self.clicked / self.lists if self.lists else None

    @property
    def purchase_rate(self) -> float | None:
        """Of one; None without lists."""
        return self.bought / self.lists if self.lists else None


@dataclass(frozen=True)
class Outcomes:
    """Of the last days."""

    total: Rates = field(default_factory=Rates)
    by_day: Mapping[int, Rates] = field(default_factory=dict)
    """By days since 1970, UTC."""
    control: Rates = field(default_factory=Rates)
    """Lists that are the same for everybody, of scenarios that have such a variant."""
    treated: Rates = field(default_factory=Rates)
    """The other lists of these scenarios."""
    has_control: bool = False
    shown_items: int = 0
    """Different ones."""
    is_cut: bool = False
    """There were more lists than are looked at."""


async def _found(service: Service) -> Outcomes:
    since = service.clock() - DAYS * DAY
    controls = controls_of(service.scenarios, service.live.served.release)
    return await service.store.reading(partial(outcomes, since=since, controls=controls))


recent = Kept(_found, KEEP_SECONDS)
"""`await recent.of(service)`; RequestError 503 where the store cannot be read."""


def outcomes(connection: Connection, *, since: int, controls: Mapping[str, frozenset[str]]) -> Outcomes:
    """What came of the lists since a moment (µs UTC); `controls` are the variants that stand for popularity."""
    lists = shown.lists(connection, since, MOST_LISTS)
    answers: dict[str, list[tuple[str, str]]] = {}
    for request_id, event_type, item_id in shown.answers(connection, since, MOST_ANSWERS):
        answers.setdefault(request_id, []).append((event_type, item_id))
    by_day: dict[int, Rates] = {}
    by_arm: dict[str, Rates] = {}
    seen: set[str] = set()
    for request_id, scenario, variant, time, written in lists:
        items = {item_id for item_id, _ in LIST.decode(written)}
        seen |= items
        kinds = [kind for kind, item_id in answers.get(request_id, ()) if item_id in items]
        one = Rates(1, int(bool(kinds)), int(not BOUGHT.isdisjoint(kinds)))
        day, arm = time // DAY, _arm(scenario, variant, controls)
        by_day[day] = by_day.get(day, Rates()) + one
        by_arm[arm] = by_arm.get(arm, Rates()) + one
    return Outcomes(
        sum(by_day.values(), Rates()),
        by_day,
        by_arm.get("control", Rates()),
        by_arm.get("treated", Rates()),
        bool(controls),
        len(seen),
        len(lists) == MOST_LISTS,
    )


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """The 95 % interval of a rate (Wilson 1927), good for few tries and rates near 0."""
    rate, z2 = hits / tries, Z95**2 / tries
    middle, half = rate + z2 / 2, Z95 * math.sqrt(rate * (1 - rate) / tries + z2 / (4 * tries))
    return max(0.0, (middle - half) / (1 + z2)), min(1.0, (middle + half) / (1 + z2))


def controls_of(scenarios: Mapping[str, Scenario], release: Release) -> dict[str, frozenset[str]]:
    """Of each personal scenario that has some, the variants that show everybody the same."""
    models = release.pipeline.retrievers
    popular = {name for name, model in models.items() if isinstance(model, Popularity)}
    found = {
        name: frozenset(
            variant
            for variant, one in scenario.varied.items()
            if one.kind in SAME_FOR_ALL or not one.personal or (one.retrievers and set(one.retrievers) <= popular)
        )
        for name, scenario in scenarios.items()
        if scenario.kind == "personal"
    }
    return {name: variants for name, variants in found.items() if variants}


def _arm(scenario: str | None, variant: str | None, controls: Mapping[str, frozenset[str]]) -> str:
    if scenario is None or scenario not in controls:
        return "other"
    return "control" if variant in controls[scenario] else "treated"
