"""Which models answer and how good they are, what was released when, and the training of the next."""

import asyncio
from typing import Any

from starlette.requests import Request

from zhiyin.errors import ArtifactError, RequestError
from zhiyin.evaluation.report import Report
from zhiyin.registry.lock import is_held
from zhiyin.registry.progress_file import Doing, doing
from zhiyin.registry.train import PROGRESS
from zhiyin.serving import releases, retraining
from zhiyin.serving.caller import caller_of
from zhiyin.serving.dashboard.comparison import Comparison, metrics_of, report_of
from zhiyin.serving.dashboard.doing import said
from zhiyin.serving.dashboard.forms import form
from zhiyin.serving.dashboard.page import Action, Done, Page, Stream, View
from zhiyin.serving.dashboard.searches import Search, searches
from zhiyin.serving.dashboard.timeline import timeline
from zhiyin.serving.dashboard.words import Said
from zhiyin.serving.service import Service

TEMPLATE = "models.html"
PATH = "/models"
ON_A_PAGE = "asked for on the dashboard"
BY_HAND = "promoted on the dashboard"
MOST_DIGITS = 9


async def show(service: Service, request: Request) -> View:
    """The page."""
    served = service.live.served
    release = served.release
    values: dict[str, Any] = {
        "release": release,
        "models": list(release.pipeline.retrievers),
        "trained": served.created or release.details.get("trained"),
        "searches": [],
        "search": None,
        "to": PATH,
        **comparison(await _report(service, release.number), request),
    }
    if service.live.registry is not None:
        found = await asyncio.to_thread(searches, service.live.registry)
        values |= {"searches": found, "search": _chosen(found, request)}
    return View(TEMPLATE, values | await _training(service) | await _releases(service), "comparison")


async def training_live(service: Service, _: Request) -> View:
    """The training, while somebody looks."""
    return View(TEMPLATE, await _training(service), "training")


async def releases_live(service: Service, _: Request) -> View:
    """The releases, which may become more."""
    return View(TEMPLATE, await _releases(service), "timeline")


async def train(service: Service, request: Request) -> Done:
    """Ask for a training."""
    if service.config is None:
        raise RequestError(409, "this service knows no zhiyin.toml to train with: start it with `zhiyin serve`")
    await retraining.ask(service, caller_of(request), ON_A_PAGE)
    return Done(f"{PATH}#training", Said.of("models.queued"))


async def promote(service: Service, request: Request) -> Done:
    """Let a release serve."""
    text = (await form(request)).get("number", "")
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise RequestError(404, f"release {text[:40]!r} is no number: choose one of the list")
    done = await releases.promote(service, int(text), caller_of(request), BY_HAND)
    return Done(f"{PATH}#releases", Said.of("models.promoted", number=done.serving, before=done.before))


async def rollback(service: Service, request: Request) -> Done:
    """Let what served before serve again."""
    done = await releases.rollback(service, caller_of(request))
    return Done(f"{PATH}#releases", Said.of("models.rolled_back", number=done.serving, before=done.before))


def comparison(report: Report | None, request: Request) -> dict[str, Any]:
    """What the block `comparison` shows, of the metric and the segment that are asked for."""
    if report is None:
        return {"comparison": None}
    asked = request.query_params
    found = Comparison.of(report, asked.get("metric", ""), asked.get("segment", ""))
    return {"comparison": found, "metrics": metrics_of(report)}


async def _report(service: Service, number: int) -> Report | None:
    registry = service.live.registry
    return None if registry is None else await asyncio.to_thread(report_of, registry, number)


async def _releases(service: Service) -> dict[str, Any]:
    if service.live.registry is None:
        return {"entries": [], "problem": "", "here": service.live.served.release.number, "has_registry": False}
    problem = service.live.problem
    try:
        entries = await asyncio.to_thread(timeline, service.live.registry)
    except (ArtifactError, OSError) as error:
        entries, problem = [], str(error)
    here = service.live.served.release.number
    return {"entries": entries, "problem": problem, "here": here, "has_registry": True}


async def _training(service: Service) -> dict[str, Any]:
    if service.live.registry is None or service.config is None:
        return {"can_train": False}
    root = service.live.registry.root
    try:
        state = await asyncio.to_thread(retraining.state, service)
    except RequestError as error:
        return {"can_train": True, "state": None, "training_problem": str(error), "doing": None, "settings": None}
    now: Doing | None = None
    if await asyncio.to_thread(is_held, root):
        now = await asyncio.to_thread(doing, root / PROGRESS) or Doing("reading", 0, 1)
    return {
        "can_train": True,
        "state": state,
        "training_problem": "",
        "doing": now,
        "doing_said": now and said(now),
        "settings": service.settings.retrain,
    }


def _chosen(found: list[Search], request: Request) -> Search | None:
    key = request.query_params.get("search", "")
    return next((one for one in found if one.key == key), found[0] if found else None)


PLACES = (
    Page(PATH, show, "models.title", place=20),
    Stream(f"{PATH}/training/live", training_live, seconds=1.0, event="training"),
    Stream(f"{PATH}/releases/live", releases_live, seconds=3.0, event="releases"),
    Action(f"{PATH}/train", train),
    Action(f"{PATH}/promote", promote),
    Action(f"{PATH}/rollback", rollback),
)
