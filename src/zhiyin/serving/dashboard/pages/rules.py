"""What each place of the shop wants of its lists: seen, tried on real people, changed, and taken back."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from zhiyin.errors import ConfigError, RequestError, ZhiyinError
from zhiyin.ranking.scenario import DEFAULTS, Scenario
from zhiyin.serving.caller import caller_of
from zhiyin.serving.dashboard.forms import form
from zhiyin.serving.dashboard.page import Action, Done, Page, View
from zhiyin.serving.dashboard.rule_form import RuleForm, drafted
from zhiyin.serving.dashboard.rule_preview import Compared, compared, typical
from zhiyin.serving.dashboard.words import Said
from zhiyin.serving.rulebook import Draft, mark
from zhiyin.serving.service import Service, new_request_id
from zhiyin.serving.statuses import status_of

LISTED, EDITED = "rules.html", "rules_edit.html"
PATH, EDIT = "/rules", "/rules/edit"
ACT = "change rules"
CHANGES_PER_PAGE = 20
LONGEST_NAME = 100
KINDS = ("personal", "similar", "cart", "popular", "trending", "latest")


async def show(service: Service, request: Request) -> View:
    """All scenarios, what holds everywhere, and what was changed."""
    rulebook, start = service.rulebook, _start(request.query_params.get("from", ""))
    changes = await asyncio.to_thread(rulebook.history.changes) if rulebook.history else []
    shown, more = changes[start : start + CHANGES_PER_PAGE], len(changes) > start + CHANGES_PER_PAGE
    return View(
        LISTED,
        {
            "scenarios": service.scenarios,
            "rules": service.live.served.release.pipeline.rules,
            "release": service.live.served.release.number,
            "problem": rulebook.problem,
            "has_file": rulebook.path is not None,
            "changes": shown,
            "newer": PATH if start else "",
            "older": f"{PATH}?from={start + CHANGES_PER_PAGE}#changes" if more else "",
        },
    )


async def edit(service: Service, request: Request) -> View:
    """The form of a scenario, as it is or as it was before a change."""
    name = _name(request.query_params.get("name", ""))
    table, known = await _written(service, name)
    scenario, earlier = service.scenarios.get(name, Scenario()), None
    if time := request.query_params.get("before", ""):
        earlier = await _earlier(service, name, time)
        scenario = drafted(name, earlier.before or {})
    fields = RuleForm.of(scenario)
    values = await _values(service, name, fields, known, await _preview(service, name, fields, table, {}))
    return View(EDITED, {**values, "earlier": earlier})


async def preview(service: Service, request: Request) -> View:
    """What the form would do, nothing saved."""
    sent = await form(request)
    name, fields = _name(sent.get("name", "")), RuleForm.sent(sent)
    table, _ = await _written(service, name)
    values = await _values(
        service, name, fields, sent.get("known", ""), await _preview(service, name, fields, table, sent)
    )
    return View(EDITED, values, "preview", title="rules.title")


async def save(service: Service, request: Request) -> View | Done:
    """Write what the form says."""
    sent = await form(request)
    name, fields = _name(sent.get("name", "")), RuleForm.sent(sent)
    table, _ = await _written(service, name)
    try:
        wanted = fields.table(name, table)
        drafted(name, wanted)
        if wanted == table:
            return Done(_address(name), Said.of("rules.nothing_changed"))
        await _save(service, request, Draft(name, wanted, sent.get("known", "")))
    except (RequestError, ConfigError) as error:
        tried = await _preview(service, name, fields, table, sent)
        values = await _values(service, name, fields, sent.get("known", ""), tried)
        return View(EDITED, {**values, "sentence": str(error)}, status=status_of(error), title="rules.title")
    return Done(_address(name), Said.of("rules.saved", name=name))


async def remove(service: Service, request: Request) -> Done:
    """Take a scenario out of zhiyin.toml."""
    sent = await form(request)
    name = _name(sent.get("name", ""))
    await _save(service, request, Draft(name, None, sent.get("known", "")))
    return Done(PATH, Said.of("rules.removed", name=name))


async def _save(service: Service, request: Request, draft: Draft) -> None:
    caller = caller_of(request)
    work = partial(service.rulebook.save, draft, caller.name, service.clock(), service.live.served.release)
    async with service.audit.acting(ACT, f"scenario {draft.name}", caller, request_id=new_request_id()):
        await asyncio.to_thread(work)


async def _values(
    service: Service, name: str, fields: RuleForm, known: str, tried: Mapping[str, Any]
) -> dict[str, Any]:
    release = service.served.release
    return {
        "name": name,
        "is_new": name not in service.scenarios,
        "is_usual": name in DEFAULTS,
        "is_written": known != mark(None),
        "form": fields,
        "known": known,
        "kinds": KINDS,
        "models": list(release.pipeline.retrievers),
        "columns": release.pipeline.catalog.columns,
        "types": list(release.histories.kind_names),
        "usual_k": int(release.details.get("k") or 10),
        "variants": service.scenarios[name].variants if name in service.scenarios else {},
        "has_file": service.rulebook.path is not None,
        "sentence": "",
        "earlier": None,
        **tried,
    }


async def _preview(
    service: Service, name: str, fields: RuleForm, table: Mapping[str, Any], sent: Mapping[str, str]
) -> dict[str, Any]:
    """The lists before and after, or why there are none."""
    release = service.served.release
    people = [one.strip() for one in sent.get("people", "").split(",") if one.strip()] or typical(release)
    before = service.scenarios.get(name, Scenario())
    found: list[Compared] = []
    problem = ""
    try:
        after = drafted(name, fields.table(name, table))
        await asyncio.to_thread(after.fit, f"scenarios.{name}", release.pipeline)
        found = await compared(service, before, after, people)
    except ZhiyinError as error:
        problem = str(error)
    return {"compared": found, "problem": problem, "people": ", ".join(people)}


async def _written(service: Service, name: str) -> tuple[dict[str, Any], str]:
    tables = await asyncio.to_thread(service.rulebook.tables)
    return tables.get(name, {}), mark(tables.get(name))


async def _earlier(service: Service, name: str, time: str) -> Any:
    history = service.rulebook.history
    for change in await asyncio.to_thread(history.changes) if history else []:
        if str(change.time) == time and change.scenario == name:
            return change
    raise RequestError(404, "this change is not kept any more: choose one of the list")


def _address(name: str) -> str:
    return f"{EDIT}?{urlencode({'name': name})}"


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise RequestError(422, f"the name of a scenario must be 1 to {LONGEST_NAME} printable characters", "name")
    return name


def _start(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


PLACES = (
    Page(PATH, show, "rules.title", place=40),
    Page(EDIT, edit, "rules.title"),
    Action("/rules/preview", preview),
    Action("/rules/save", save),
    Action("/rules/remove", remove),
)
