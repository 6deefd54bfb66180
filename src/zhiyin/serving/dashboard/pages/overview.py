"""Is it healthy, what does it answer with, and does it help? The page that a day begins with."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from starlette.requests import Request

from zhiyin.errors import RequestError
from zhiyin.models.popularity import Popularity
from zhiyin.serving.dashboard import activity, outcomes
from zhiyin.serving.dashboard.activity import Activity
from zhiyin.serving.dashboard.attention import Seen, points
from zhiyin.serving.dashboard.charts import Chart, Series
from zhiyin.serving.dashboard.outcomes import Outcomes
from zhiyin.serving.dashboard.page import Page, Stream, View
from zhiyin.serving.dashboard.preferences import Preferences
from zhiyin.serving.dashboard.traffic import Traffic, traffic
from zhiyin.serving.dashboard.words import words
from zhiyin.serving.moments import EPOCH
from zhiyin.serving.service import Service

TEMPLATE = "overview.html"


@dataclass(frozen=True)
class State:
    """What both the page and its stream show."""

    now: int
    traffic: Traffic
    activity: Activity | None
    outcomes: Outcomes | None
    """None where the store cannot be read now."""
    problem: str = field(default="")
    """Of the store."""


async def show(service: Service, request: Request) -> View:
    """The page."""
    state = await _state(service)
    t = words(Preferences.of(request).language)
    charts = {}
    if state.activity is not None and state.outcomes is not None:
        names = {"learnt": t("overview.learnt"), "new": t("overview.new")}
        charts["activity_chart"] = events_chart(state.activity, names)
        charts["rates_chart"] = rates_chart(state.outcomes, state.activity.days[-outcomes.DAYS :], t("overview.clicks"))
    values = {"activity_chart": None, "rates_chart": None, **charts, **_values(service, state)}
    return View(TEMPLATE, values)


async def live(service: Service, _: Request) -> View:
    """What changes while somebody looks."""
    return View(TEMPLATE, _values(service, await _state(service)), "live")


async def _state(service: Service) -> State:
    asked, now = await traffic(service), service.clock()
    try:
        found, came = await asyncio.gather(activity.recent.of(service), outcomes.recent.of(service))
    except RequestError as error:
        return State(now, asked, None, None, service.store.problem or str(error))
    return State(now, asked, found, came, service.store.problem)


def _values(service: Service, state: State) -> dict[str, Any]:
    served = service.live.served
    release, active = served.release, state.activity
    trained = served.created or release.details.get("trained")
    seen = Seen(state.now, trained, active.newest if active else None, state.problem, state.traffic)
    found = points(service, seen)
    catalogue = len(service.served.release.items)
    return {
        "points": found,
        "is_well": not any(point.tone == "bad" for point in found),
        "traffic": state.traffic,
        "activity": active,
        "outcomes": state.outcomes,
        "catalogue": catalogue,
        "coverage": state.outcomes.shown_items / catalogue if state.outcomes and catalogue else None,
        "release": release,
        "trained": trained,
        "models": list(release.pipeline.retrievers),
        "is_personal": any(not isinstance(one, Popularity) for one in release.pipeline.retrievers.values()),
        "lag_hours": (state.now - release.last_event) / 3.6e9 if release.last_event else None,
        "days": outcomes.DAYS,
        "most_lists": outcomes.MOST_LISTS,
        "began": state.now - int(state.traffic.seconds * 1e6),
    }


def events_chart(found: Activity, names: dict[str, str]) -> Chart:
    """Events by day, those that are new on those that are learnt."""
    return Chart(
        [_date(day) for day in found.days],
        [
            Series(names["learnt"], [found.learnt.get(day, 0) for day in found.days], stack="events"),
            Series(names["new"], [found.new.get(day, 0) for day in found.days], stack="events"),
        ],
    )


def rates_chart(found: Outcomes, days: range, name: str) -> Chart:
    """Of the lists of each day, how many were clicked, in per cent."""
    rates = [found.by_day[day].click_rate if day in found.by_day else None for day in days]
    values = [None if rate is None else 100 * rate for rate in rates]
    return Chart([_date(day) for day in days], [Series(name, values, "line")], unit="%", digits=1)


def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).date().isoformat()


PLACES = (
    Page("/", show, "overview.title", place=1),
    Stream("/overview/live", live),
)
