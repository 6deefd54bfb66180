"""One item: what is known of it, what is alike to it and goes with it, who gets it, and what came of showing it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.requests import Request

from zhiyin.data.store import exposure
from zhiyin.data.store.exposure import Shown
from zhiyin.data.store.shown import DAY
from zhiyin.errors import UnknownIdError
from zhiyin.registry.release import Release
from zhiyin.registry.release import shown as quoted
from zhiyin.serving.answers import id_in_path
from zhiyin.serving.dashboard import wanted_items
from zhiyin.serving.dashboard.alike import AlikeList, alike
from zhiyin.serving.dashboard.attribute_fields import KINDS, MOST, fields_of
from zhiyin.serving.dashboard.charts import Chart, Series
from zhiyin.serving.dashboard.faces import face
from zhiyin.serving.dashboard.lists_now import scenarios_for
from zhiyin.serving.dashboard.outcomes import BOUGHT
from zhiyin.serving.dashboard.page import Page, View
from zhiyin.serving.dashboard.preferences import Preferences
from zhiyin.serving.dashboard.reach import Reach, reach
from zhiyin.serving.dashboard.words import Words, words
from zhiyin.serving.live import Served
from zhiyin.serving.moments import EPOCH
from zhiyin.serving.service import Service

TEMPLATE = "item.html"
DAYS = 14
MOST_REACHED = 40


@dataclass(frozen=True)
class Exposure:
    """What came of showing the item in the last days."""

    by_day: Mapping[int, list[int]] = field(default_factory=dict)
    """Day since 1970 (UTC) to how often it was shown, clicked and bought."""

    @property
    def total(self) -> list[int]:
        """Of all days."""
        return [sum(one) for one in zip(*self.by_day.values(), strict=True)] or [0, 0, 0]


async def show(service: Service, request: Request) -> View:
    """The page, or who gets the item."""
    item_id = id_in_path(request.path_params["id"])
    language = Preferences.of(request).language
    served = await service.assortment.latest()
    scenarios = scenarios_for(service, request)
    asked = request.query_params.get("scenario", "")
    scenario = asked if asked in scenarios else next(iter(scenarios), "")
    values: dict[str, Any] = {"item_id": item_id, "scenarios": scenarios, "scenario": scenario, "reach": None}
    values |= {"most_reached": MOST_REACHED, "is_known": item_id in served.release.items}
    if request.headers.get("hx-target") == "reach" or request.query_params.get("ask") == "yes":
        values["reach"] = await reach(service, item_id, scenario) if scenario else Reach()
    if request.headers.get("hx-target") == "reach":
        return View(TEMPLATE, values, "reach")
    stored = await service.store.item(item_id)
    if stored is None and item_id not in served.release.items:
        raise UnknownIdError(f"item {quoted(item_id)} is not known: check the id, or store it with POST /v1/items")
    catalogue = _row(served.release, item_id)
    known = fields_of(stored.attributes if stored else {}, catalogue)
    values |= {
        "face": face(served.release, item_id, language, stored.attributes if stored else None),
        "stored": stored,
        "is_available": bool(catalogue.get("available", True) is not False),
        "fields": known[:MOST],
        "is_cut": len(known) > MOST,
        "kinds": KINDS,
        "release": served.release,
        "days": DAYS,
        **await _company(service, served, item_id, request),
        **await _exposure(service, item_id, words(language)),
    }
    return View(TEMPLATE, values)


async def _company(service: Service, served: Served, item_id: str, request: Request) -> dict[str, Any]:
    """What is alike, and what goes with it; nothing for an item that answers do not know yet."""
    language, wanted = Preferences.of(request).language, await wanted_items.recent.of(service)
    names = {kind: _basket_scenario(service, kind) for kind in ("similar", "cart")}
    if item_id not in served.release.items:
        return {"companies": [("both", None)], "events": 0, "wanted_days": wanted_items.DAYS}
    found = {
        kind: await alike(service, served, item_id, name, language) if name else None for kind, name in names.items()
    }
    events = int(wanted.of(served.release.items.indexes([item_id]))[0])
    return {"companies": _companies(found), "events": events, "wanted_days": wanted_items.DAYS}


def _companies(found: Mapping[str, AlikeList | None]) -> list[tuple[str, AlikeList | None]]:
    """Both lists, or one where they are the same."""
    ids = [None if one is None else [row.face.item_id for row in one.rows] for one in found.values()]
    return [("both", found["similar"])] if ids[0] == ids[1] else list(found.items())


async def _exposure(service: Service, item_id: str, t: Words) -> dict[str, Any]:
    today = service.clock() // DAY
    days = range(today - DAYS + 1, today + 1)
    lists = await service.store.reading(partial(exposure.shown, item_id=item_id, since=days[0] * DAY))
    found = exposed(lists)
    series = [
        Series(t(name), [found.by_day[day][place] if day in found.by_day else 0 for day in days])
        for place, name in enumerate(("item.shown", "item.clicked", "item.bought"))
    ]
    labels = [(EPOCH + timedelta(days=day)).date().isoformat() for day in days]
    return {"exposure": found, "exposure_chart": Chart(labels, series)}


def exposed(lists: list[Shown]) -> Exposure:
    """Lists with the item, counted by day."""
    by_day: dict[int, list[int]] = {}
    for one in lists:
        counts = by_day.setdefault(one.time // DAY, [0, 0, 0])
        counts[0] += 1
        counts[1] += bool(one.followed)
        counts[2] += not BOUGHT.isdisjoint(one.followed)
    return Exposure(by_day)


def _row(release: Release, item_id: str) -> dict[str, Any]:
    """What the catalogue of now says of an item."""
    index = int(release.items.indexes([item_id])[0])
    return release.pipeline.catalog.frame.row(index, named=True) if index >= 0 else {}


def _basket_scenario(service: Service, kind: str) -> str:
    """The scenario of a kind: that of its name, else the first."""
    found = [name for name, one in service.scenarios.items() if one.kind == kind]
    return next(iter(sorted(found, key=lambda name: name != kind)), "")


PLACES = (Page("/items/{id:path}", show, "item.title"),)
