"""POST /v1/events: what people did, on the disk before it is acknowledged, in the next answer."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.store.records import Event
from zhiyin.errors import RequestError
from zhiyin.serving.bodies import body, decoded, names, not_json, text_of
from zhiyin.serving.caller import Role
from zhiyin.serving.current import current
from zhiyin.serving.event_schemas import Accepted, NewEvent, NewEvents
from zhiyin.serving.live import Served
from zhiyin.serving.moments import moment
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.schemas import MOST_EVENTS, Failure, Problem, Refusal
from zhiyin.serving.service import Service, new_request_id

SKEW = 300_000_000
"""µs that the clock of a caller may be ahead of ours."""

BLOCK_EVENTS = 1_000
"""Events looked at before other requests have a turn."""

PARAMETERS = (Parameter("partial", "query", bool, "true stores the good events of a list even if others are refused"),)
KNOWN = names(NewEvent, NewEvents)


class _Envelope(Struct):
    events: Raw | UnsetType = UNSET


class _Raws(Struct, forbid_unknown_fields=True):
    events: list[Raw]


ONE = msgspec.json.Decoder(NewEvent)
SEVERAL = msgspec.json.Decoder(list[NewEvent])
ENVELOPE = msgspec.json.Decoder(_Envelope)
RAWS = msgspec.json.Decoder(list[Raw])
RAWS_INSIDE = msgspec.json.Decoder(_Raws)


class _Read(NamedTuple):
    rows: Sequence[NewEvent | RequestError]  # a row that cannot be read is its refusal
    place: str  # how a row is named in a sentence: "", "[{}]" or "events[{}]"


async def post(service: Service, request: Request) -> Response:
    """Store one event or many."""
    partial = _partial(query(request, PARAMETERS))
    read = _read(await body(request, service.body_limit))
    if len(read.rows) > MOST_EVENTS:
        raise RequestError(422, f"at most {MOST_EVENTS:,} events are taken at once, got {len(read.rows):,}: split them")
    events, refused = await checked(read.rows, read.place, service.live.served, service.clock())
    noted = current()
    noted.refused = len(refused)
    if refused and not read.place:
        raise RequestError(422, refused[0].message, refused[0].where)
    if refused and not partial:
        count = f"{len(refused):,} of {len(read.rows):,} events"
        sentence = f"{count} were refused and nothing was stored: correct them, or store the others with ?partial=true"
        return answered(Failure(Problem(422, sentence, refused=refused)), 422)
    done = await service.store.append(events)
    noted.stored, noted.repeated = done.stored, done.repeated
    return answered(Accepted(new_request_id(), done.stored, done.repeated, refused), 202)


def _partial(given: dict[str, str]) -> bool:
    written = given.get("partial", "false").lower()
    if written not in ("true", "false"):
        raise RequestError(422, f"query.partial must be true or false, got {written[:40]!r}", "query.partial")
    return written == "true"


def _read(content: bytes) -> _Read:
    """Rows of any of the three shapes, quickly if all are well, one by one if not."""
    if content.lstrip()[:1] == b"[":
        rows, place = content, "[{}]"
    else:
        inside = decoded(content, ENVELOPE, KNOWN).events
        if inside is UNSET:
            return _Read([decoded(content, ONE, KNOWN)], "")
        decoded(content, RAWS_INSIDE, KNOWN)
        rows, place = bytes(inside), "events[{}]"
    try:
        return _Read(SEVERAL.decode(rows), place)
    except msgspec.ValidationError:
        raws = decoded(rows, RAWS, KNOWN)
        return _Read([_one(row, place.format(i)) for i, row in enumerate(raws)], place)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(400, not_json(content, error)) from None


def _one(row: Raw, place: str) -> NewEvent | RequestError:
    try:
        return decoded(bytes(row), ONE, KNOWN, place)
    except RequestError as error:
        return error


async def checked(
    rows: Sequence[NewEvent | RequestError], place: str, served: Served, now: int
) -> tuple[list[Event], list[Refusal]]:
    """The events to store, and the refusals by their place in the list; `place` is how a sentence names a row."""
    events, refused = [], []
    for index, row in enumerate(rows):
        if index % BLOCK_EVENTS == BLOCK_EVENTS - 1:
            await asyncio.sleep(0)
        try:
            if isinstance(row, RequestError):
                raise row
            events.append(_event(row, served, now, place, index))
        except RequestError as error:
            refused.append(Refusal(index, str(error), error.where))
    return events, refused


def _event(new: NewEvent, served: Served, now: int, place: str, index: int) -> Event:
    prefix = f"{place.format(index)}." if place else ""
    time = now
    if new.timestamp is not None:
        where = f"{prefix}timestamp"
        time = moment(new.timestamp, where)
        if time > now + SKEW:
            raise RequestError(
                422, f"{where} is {(time - now) // 1_000_000:,} seconds in the future: check the clock", where
            )
    if new.user_id is None and new.session_id is None:
        raise RequestError(422, f"{prefix}user_id is missing: add it, or a session_id", f"{prefix}user_id")
    return Event(
        user_id=None if new.user_id is None else served.person(text_of(new.user_id, f"{prefix}user_id")),
        item_id=text_of(new.item_id, f"{prefix}item_id"),
        event_type=text_of(new.event_type, f"{prefix}event_type"),
        timestamp=min(time, now),
        received=now,
        event_id=None if new.event_id is None else text_of(new.event_id, f"{prefix}event_id"),
        value=new.value,
        price=new.price,
        quantity=new.quantity,
        request_id=None if new.request_id is None else text_of(new.request_id, f"{prefix}request_id"),
        session_id=None if new.session_id is None else served.person(text_of(new.session_id, f"{prefix}session_id")),
        context=_json(new.context),
        impressions=_json(
            new.impressions and [text_of(one, f"{prefix}impressions[{i}]") for i, one in enumerate(new.impressions)]
        ),
    )


def _json(value: object) -> str | None:
    return msgspec.json.encode(value).decode() if value else None


OPERATIONS = (
    Operation(
        "POST",
        "/v1/events",
        post,
        "Store events. One object, a list, or {events: [...]}, at most 10,000 at once. They are on the disk when the "
        "answer comes, and the next recommendation knows them. If one event of a list is wrong, nothing is stored and "
        "the answer lists each wrong one; with partial=true the others are stored.",
        answers={202: Accepted},
        refusals=(400, 413, 415, 422),
        body=NewEvent | list[NewEvent],
        parameters=PARAMETERS,
        role=Role.WRITER,
    ),
)
