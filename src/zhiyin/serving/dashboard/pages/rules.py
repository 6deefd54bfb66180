"""What each place of the shop wants of its lists: seen, tried on real people, changed, and taken back."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlencode

from starlette.requests import Request

from zhiyin.errors import ConfigError, RequestError, ZhiyinError
from zhiyin.ranking.scenario import DEFAULTS, Scenario
from zhiyin.serving.caller import caller_of
from zhiyin.serving.dashboard.forms import form
from zhiyin.serving.dashboard.page import Action, Done, Page, View
from zhiyin.serving.dashboard.preferences import Preferences
from zhiyin.serving.dashboard.rule_form import RuleForm, drafted
from zhiyin.serving.dashboard.rule_preview import Compared, Trial, compared, typical
from zhiyin.serving.dashboard.words import Said
from zhiyin.serving.rule_history import Change, Table
from zhiyin.serving.rulebook import Draft, mark
from zhiyin.serving.service import Service, new_request_id
from zhiyin.serving.statuses import status_of

LISTED, EDITED = "rules.html", "rules_edit.html"
PATH, EDIT = "/rules", "/rules/edit"
ACT, TITLE = "change rules", "rules.title"
CHANGES_PER_PAGE = 20
LONGEST_NAME = 100
KINDS = ("personal", "similar", "cart", "popular", "trending", "latest")


async def show(service: Service, request: Request) -> View:
    """All scenarios, what holds everywhere, and what was changed."""
    rulebook, start = service.rulebook, _start(request.query_params.get("from", ""))
    await _up_to_date(service)
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
    place = await _place(service, name, request.query_params.get("before", ""))
    fields = RuleForm.of(drafted(name, place.base) if place.earlier else service.scenarios.get(name, Scenario()))
    return await _view(service, request, place, fields, {"known": mark(place.table)})


async def preview(service: Service, request: Request) -> View:
    """What the form would do, nothing saved."""
    sent = await form(request)
    place = await _place(service, _name(sent.get("name", "")), sent.get("before", ""))
    return await _view(service, request, place, RuleForm.sent(sent), sent)


async def save(service: Service, request: Request) -> View | Done:
    """Write what the form says."""
    sent = await form(request)
    name, fields = _name(sent.get("name", "")), RuleForm.sent(sent)
    place = await _place(service, name, sent.get("before", ""))
    try:
        wanted: Table | None = fields.table(name, place.base)
        drafted(name, wanted or {})
        wanted = None if not wanted and name in DEFAULTS else wanted  # which exists without being written
        if wanted == place.table:
            return Done(_address(name), Said.of("rules.nothing_changed"))
        await _save(service, request, Draft(name, wanted, sent.get("known", "")))
    except (RequestError, ConfigError) as error:
        view = await _view(service, request, place, fields, sent)
        return replace(view, values={**view.values, "sentence": str(error)}, status=status_of(error))
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


@dataclass(frozen=True)
class _Place:
    """A scenario as it is written, and the change before which somebody wants it to be."""

    name: str
    table: Table | None
    earlier: Change | None

    @property
    def base(self) -> Table:
        """What the fields are laid upon: what they do not show stays as it is here."""
        return (self.earlier.before if self.earlier else self.table) or {}


async def _up_to_date(service: Service) -> None:
    """Another process may have saved the page before this one."""
    await asyncio.to_thread(service.rulebook.look, service.live.served.release)


async def _place(service: Service, name: str, time: str) -> _Place:
    await _up_to_date(service)
    tables, history = await asyncio.to_thread(service.rulebook.tables), service.rulebook.history
    if not time:
        return _Place(name, tables.get(name), None)
    for change in await asyncio.to_thread(history.changes) if history else []:
        if str(change.time) == time and change.scenario == name:
            return _Place(name, tables.get(name), change)
    raise RequestError(404, "this change is not kept any more: choose one of the list")


async def _view(service: Service, request: Request, place: _Place, fields: RuleForm, sent: Mapping[str, str]) -> View:
    release, known = service.served.release, service.scenarios.get(place.name)
    values = {
        "name": place.name,
        "is_new": known is None,
        "is_usual": place.name in DEFAULTS,
        "is_written": place.table is not None,
        "form": fields,
        "known": sent.get("known", ""),
        "kinds": KINDS,
        "models": list(release.pipeline.retrievers),
        "columns": release.pipeline.catalog.columns,
        "types": list(release.histories.kind_names),
        "usual_k": int(release.details.get("k") or 10),
        "variants": place.base.get("variants", {}),
        "has_file": service.rulebook.path is not None,
        "sentence": "",
        "earlier": place.earlier,
    }
    people = [one.strip() for one in sent.get("people", "").split(",") if one.strip()] or typical(release)
    found: list[Compared] = []
    problem = ""
    try:
        after = drafted(place.name, fields.table(place.name, place.base))
        await asyncio.to_thread(after.fit, f"scenarios.{place.name}", release.pipeline)
        trial = Trial(known or Scenario(), after, Preferences.of(request).language)
        found = await compared(service, trial, people)
    except ZhiyinError as error:
        problem = str(error)
    tried = {"compared": found, "problem": problem, "people": ", ".join(people)}
    return View(EDITED, {**values, **tried}, "preview", title=TITLE)


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
    Page(PATH, show, TITLE, place=50),
    Page(EDIT, edit, TITLE),
    Action("/rules/preview", preview),
    Action("/rules/save", save),
    Action("/rules/remove", remove),
)
