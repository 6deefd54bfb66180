"""Who may call the service, and with what: keys are made, shown once, ended and revoked."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from starlette.requests import Request

from zhiyin.errors import ArtifactError, RegistryBusyError, RequestError, ZhiyinError
from zhiyin.serving.caller import Role, caller_of
from zhiyin.serving.dashboard.forms import form
from zhiyin.serving.dashboard.page import Action, Done, Page, View
from zhiyin.serving.dashboard.words import Said
from zhiyin.serving.key import Key
from zhiyin.serving.key_end import key_end
from zhiyin.serving.keys import Keys
from zhiyin.serving.service import Service, new_request_id
from zhiyin.serving.statuses import status_of

T = TypeVar("T")

PATH, TEMPLATE, TITLE = "/keys", "keys.html", "keys.title"
SCENARIO = "scenario-"
ENDS = ("never", "7d", "30d", "90d", "365d", "date")
DATE = "date"


@dataclass(frozen=True)
class Row:
    """A key and when it was used last."""

    key: Key
    used: int | None
    """µs UTC, to the hour; None: never, or before this was noted."""
    state: str


async def show(service: Service, _: Request) -> View:
    """All keys, and the form for another."""
    return await _view(service, {})


async def create(service: Service, request: Request) -> View:
    """Make one; the answer shows it, this once."""
    sent, now = await form(request), service.clock()
    name, keys = sent.get("name", "").strip(), _keys(service)
    try:
        ends = sent.get("date", "") if sent.get("ends") == DATE else sent.get("ends", "never")
        make = partial(
            keys.create,
            name,
            role=Role.read(sent.get("role", "")),
            scenarios=[one.removeprefix(SCENARIO) for one in sent if one.startswith(SCENARIO)],
            expires=key_end(ends, now),
            rate=sent.get("rate", "").strip() or None,
        )
        text = await _done(service, request, "create key", name, make)
    except ZhiyinError as error:
        return await _view(service, sent, sentence=str(error), status=status_of(error))
    return await _view(service, {}, made=(name, text))


async def revoke(service: Service, request: Request) -> Done:
    """Refuse one from now on."""
    name = (await form(request)).get("name", "")
    await _done(service, request, "revoke key", name, partial(_keys(service).revoke, name))
    return Done(PATH, Said.of("keys.revoked", name=name))


async def expire(service: Service, request: Request) -> Done:
    """Let one end at a moment, or never."""
    sent = await form(request)
    name, when = sent.get("name", ""), sent.get("date", "") or sent.get("ends", "")
    if not when:
        raise RequestError(422, "the end of a key is missing: choose a day, or never", "date")
    end = key_end(when, service.clock())
    await _done(service, request, "expire key", f"{name}: {when}", partial(_keys(service).expire, name, end))
    return Done(PATH, Said.of("keys.never_ends" if end is None else "keys.ends_then", name=name))


async def _done(service: Service, request: Request, act: str, object: str, work: Callable[[], T]) -> T:
    try:
        async with service.audit.acting(act, object, caller_of(request), request_id=new_request_id()):
            return await asyncio.to_thread(work)
    except RegistryBusyError as error:
        raise RequestError(409, f"the keys are being changed by somebody else: try again ({error})") from None
    except ArtifactError as error:
        raise RequestError(503, str(error)) from None


async def _view(
    service: Service,
    sent: Mapping[str, str],
    *,
    sentence: str = "",
    status: int = 200,
    made: tuple[str, str] | None = None,
) -> View:
    found = service.access.keys
    rows = await asyncio.to_thread(_rows, found, service.clock()) if isinstance(found, Keys) else []
    values = {
        "rows": [row for row in rows if row.state != "revoked"],
        "revoked": [row for row in rows if row.state == "revoked"],
        "is_managed": isinstance(found, Keys),
        "roles": [str(role) for role in Role],
        "scenarios": list(service.scenarios),
        "ends": ENDS,
        "sent": {"role": "writer", "ends": "never", "name": "", "rate": "", "date": "", **sent},
        "sentence": sentence,
        "made": made,
        "now": service.clock(),
    }
    return View(TEMPLATE, values, status=status, title=TITLE)


def _rows(keys: Keys, now: int) -> list[Row]:
    used = keys.used.read()
    return [Row(key, used.get(key.prefix), key.state(now)) for key in keys.all()]


def _keys(service: Service) -> Keys:
    if not isinstance(service.access.keys, Keys):
        raise RequestError(409, "this service holds no file of keys: start it with `zhiyin serve`")
    return service.access.keys


PLACES = (
    Page(PATH, show, TITLE, role=Role.ADMIN, place=70),
    Action("/keys/create", create, role=Role.ADMIN),
    Action("/keys/revoke", revoke, role=Role.ADMIN),
    Action("/keys/expire", expire, role=Role.ADMIN),
)
