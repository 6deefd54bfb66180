"""One release: what it is made of, how it was measured, what the gate said, and how its networks learned."""

import asyncio
import math
from pathlib import Path
from typing import Any

from starlette.requests import Request

from zhiyin.errors import ArtifactError, RequestError
from zhiyin.registry.outlines import Outline, outline
from zhiyin.registry.serving_log import ServingLog
from zhiyin.registry.store import Store
from zhiyin.serving import releases
from zhiyin.serving.dashboard.charts import Chart, Series
from zhiyin.serving.dashboard.comparison import report_of
from zhiyin.serving.dashboard.page import Page, View
from zhiyin.serving.dashboard.pages.models import MOST_DIGITS, PATH, comparison
from zhiyin.serving.dashboard.preferences import Preferences
from zhiyin.serving.dashboard.timeline import timeline
from zhiyin.serving.dashboard.words import Words, words
from zhiyin.serving.service import Service

TEMPLATE = "model.html"
MODELS = "models"
"""The folder of a release with a folder for each of them."""


async def show(service: Service, request: Request) -> View:
    """The page."""
    number, registry = _number(request.path_params["n"]), releases.registry(service)
    values = await asyncio.to_thread(_found, registry, number)
    report = await asyncio.to_thread(report_of, registry, number)
    t = words(Preferences.of(request).language)
    curves = {name: charts for name, one in values["outlines"].items() if (charts := curve_charts(one, t))}
    asked = {"to": f"{PATH}/{number}", "here": service.live.served.release.number, "curves": curves}
    return View(TEMPLATE, values | asked | comparison(report, request), "comparison")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise RequestError(404, f"release {text[:40]!r} is no number: choose one of the list")
    return int(text)


def _found(registry: Store, number: int) -> dict[str, Any]:
    try:
        entry = next((one for one in timeline(registry) if one.number == number), None)
        served = [one for one in ServingLog.read(registry.root).changes if one.number == number]
    except (ArtifactError, OSError) as error:
        raise RequestError(503, f"the releases cannot be read now: {error}") from None
    if entry is None:
        raise RequestError(404, f"release {number} is not in the registry: it was removed, or never there")
    return {"entry": entry, "served": served, **_outlines(registry.path(number) / MODELS)}


def _outlines(folder: Path) -> dict[str, Any]:
    """By name what each model is, and why it cannot be said."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_dir())
        return {"outlines": {name: outline(folder / name) for name in names}, "unread": ""}
    except (ArtifactError, OSError) as error:
        return {"outlines": {}, "unread": str(error)}


def curve_charts(one: Outline, t: Words) -> list[tuple[str, Chart]]:
    """The loss, and the metric of the validation where there is one, by epoch; none for what has no curve."""
    if one.curve is None or not len(one.curve):
        return []
    epochs = [str(epoch) for epoch in range(1, len(one.curve) + 1)]
    found = []
    for column, name in enumerate((t("model.loss"), t("model.validation"))):
        values = [float(value) if math.isfinite(value) else None for value in one.curve[:, column]]
        if any(value is not None for value in values):
            found.append((name, Chart(epochs, [Series(name, values, "line")], digits=4)))
    return found


PLACES = (Page(f"{PATH}/{{n}}", show, "model.title"),)
