"""What came in, what is odd about it, and what there is: the data that everything else is made of."""

import asyncio
from typing import Any

from starlette.requests import Request

from zhiyin.errors import RequestError
from zhiyin.serving.dashboard import checking, inflow
from zhiyin.serving.dashboard.assets import Assets
from zhiyin.serving.dashboard.charts import Chart, Series
from zhiyin.serving.dashboard.doing import said
from zhiyin.serving.dashboard.inflow import Inflow
from zhiyin.serving.dashboard.kept import Kept
from zhiyin.serving.dashboard.long_tail import TOPS, LongTail
from zhiyin.serving.dashboard.page import Action, Done, Page, Stream, View
from zhiyin.serving.dashboard.preferences import Preferences
from zhiyin.serving.dashboard.words import Said, Words, words
from zhiyin.serving.moments import day
from zhiyin.serving.service import Service

TEMPLATE = "data.html"
PATH = "/data"
RANGES = (30, 90)
"""Days that can be chosen."""
KEEP_SECONDS = 30.0


async def _assets(service: Service) -> Assets:
    return await asyncio.to_thread(Assets.of, service.served.release)


assets = Kept(_assets, KEEP_SECONDS)


async def show(service: Service, request: Request) -> View:
    """The page."""
    t = words(Preferences.of(request).language)
    days = _days(request)
    found, what = await asyncio.gather(_inflow(service), assets.of(service))
    values: dict[str, Any] = {
        "days": days,
        "ranges": RANGES,
        "inflow": found,
        "inflow_chart": None if found is None else inflow_chart(found, days, t),
        "assets": what,
        "tail_chart": tail_chart(what.tail, t),
        "titles": service.served.release.pipeline.catalog.titles,
        "ids": service.served.release.items.texts,
        "limit_mb": service.body_limit // 2**20,
        "last_event": service.served.release.last_event or None,
    }
    return View(TEMPLATE, values | await _checked(service), "inflow")


async def live(service: Service, _: Request) -> View:
    """The check, while somebody looks."""
    return View(TEMPLATE, await _checked(service), "live")


async def check(service: Service, _: Request) -> Done:
    """Begin one."""
    await checking.begin(service)
    return Done(f"{PATH}#check", Said.of("data.began"))


async def _inflow(service: Service) -> Inflow | None:
    """None where the store cannot be read now."""
    try:
        return await inflow.recent.of(service)
    except RequestError:
        return None


async def _checked(service: Service) -> dict[str, Any]:
    found = await checking.known(service)
    return {"check": found, "doing": found.doing and said(found.doing)}


def _days(request: Request) -> int:
    given = request.query_params.get("days", "")
    return int(given) if given in map(str, RANGES) else RANGES[0]


def inflow_chart(found: Inflow, days: int, t: Words) -> Chart:
    """Events by day, the kinds on each other."""
    shown = found.days(days)
    kinds = found.kinds(shown)
    series = [Series(kind, found.series(shown, kind), stack="events") for kind in kinds]
    others = found.others(shown, kinds)
    if any(others):
        series.append(Series(t("data.other_kinds"), others, stack="events"))
    return Chart([day(one) for one in shown], series)


def tail_chart(tail: LongTail, t: Words) -> Chart | None:
    """What part of the events falls on the first items; None without events."""
    if not tail.shares:
        return None
    labels = [t("data.top", share=f"{top:.0%}") for top in TOPS]
    return Chart(labels, [Series(t("data.of_events"), [100 * one for one in tail.shares])], unit="%", digits=1)


PLACES = (
    Page(PATH, show, "data.title", place=10),
    Stream(f"{PATH}/live", live, seconds=1.0),
    Action(f"{PATH}/check", check),
)
