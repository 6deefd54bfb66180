"""/api/feedback, /api/user/{id}/feedback and /api/item/{id}/feedback over our log of events.

Gorse has one row of each type, person and item, which is written over; ours is a log that keeps every event. So each
insertion adds events, and what is read is, of each three, the event stored last. Deleting deletes all of the three.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.store import feedback
from zhiyin.data.store.records import Event
from zhiyin.errors import RequestError
from zhiyin.serving.bodies import body, decoded, names
from zhiyin.serving.columns import iso
from zhiyin.serving.gorse import asked
from zhiyin.serving.gorse.shapes import Feedback, FeedbackIterator, StoredFeedback, Success
from zhiyin.serving.operation import answered
from zhiyin.serving.schemas import MOST_EVENTS
from zhiyin.serving.service import Service

SEVERAL = msgspec.json.Decoder(list[Feedback])
KNOWN = names(Feedback)

MOST_ROWS = 10_000
"""Rows of an answer without a cursor, the newest."""


async def insert(service: Service, request: Request) -> Response:
    """Add events; POST and PUT alike, because what is read is the newest."""
    rows = decoded(await body(request, service.body_limit), SEVERAL, KNOWN)
    if len(rows) > MOST_EVENTS:
        raise RequestError(400, f"at most {MOST_EVENTS:,} feedbacks are taken at once, got {len(rows):,}: split them")
    now = service.clock()
    await service.store.append([_event(service, row, now) for row in rows])
    return answered(Success(len(rows)))


async def several(service: Service, request: Request) -> Response:
    """Feedback of all people, the newest first."""
    return await _page(service, request)


async def of_type(service: Service, request: Request) -> Response:
    """Feedback of one type, the newest first."""
    return await _page(service, request, event_type=asked.id_of(request, "feedback_type"))


async def of_user(service: Service, request: Request) -> Response:
    """What a person did, of one type if the path names it."""
    user_id = asked.id_of(request, "user_id")
    given = _typed(request) | {"user_id": service.served.person(user_id)}
    return answered(await _rows(service, given, user_id))


async def of_item(service: Service, request: Request) -> Response:
    """What people did with an item, of one type if the path names it; reads the whole log."""
    return answered(await _rows(service, _typed(request) | {"item_id": asked.id_of(request, "item_id")}))


async def between(service: Service, request: Request) -> Response:
    """What a person did with an item."""
    user_id = asked.id_of(request, "user_id")
    return answered(await _rows(service, _both(service, request), user_id))


async def between_of_type(service: Service, request: Request) -> Response:
    """The one row of a type, a person and an item; an empty object if there is none."""
    user_id = asked.id_of(request, "user_id")
    found = await _rows(service, _typed(request) | _both(service, request), user_id)
    return answered(found[0] if found else {})


async def remove(service: Service, request: Request) -> Response:
    """Delete what a person did with an item, of one type if the path names it."""
    given = _typed(request) | _both(service, request)
    return answered(Success(await service.store.writing(lambda connection: feedback.remove(connection, **given))))


def _typed(request: Request) -> dict[str, str]:
    return {"event_type": asked.id_of(request, "feedback_type")} if "feedback_type" in request.path_params else {}


def _both(service: Service, request: Request) -> dict[str, str]:
    person = service.served.person(asked.id_of(request, "user_id"))
    return {"user_id": person, "item_id": asked.id_of(request, "item_id")}


async def _page(service: Service, request: Request, **given: str) -> Response:
    n, before, now = asked.amount(request), asked.before(request), service.clock()
    found = await service.store.reading(
        lambda connection: feedback.page(connection, now=now, before=before, most=n + 1, **given)
    )
    cursor = str(found[n - 1][0]) if len(found) > n else ""
    return answered(FeedbackIterator(cursor, [_shape(event, event.user_id) for _, event in found[:n]]))


async def _rows(service: Service, given: dict[str, str], user_id: str | None = None) -> list[StoredFeedback]:
    now = service.clock()
    found = await service.store.reading(
        lambda connection: feedback.page(connection, now=now, before=asked.LARGEST, most=MOST_ROWS, **given)
    )
    return [_shape(event, user_id or event.user_id) for _, event in found]


def _event(service: Service, row: Feedback, now: int) -> Event:
    time = asked.time_of(row.timestamp, "Timestamp")
    if time is not None and time > now + asked.LONGEST_DELAY:
        raise RequestError(400, f"Timestamp is more than a year in the future, got {row.timestamp!r}")
    return Event(
        user_id=service.served.person(asked.text(row.user_id, "UserId")),
        item_id=asked.text(row.item_id, "ItemId"),
        event_type=asked.text(row.feedback_type, "FeedbackType"),
        timestamp=now if time is None else time,
        received=now,
        value=row.value or None,  # Go's zero says that there is none
        context=msgspec.json.encode({"comment": row.comment}).decode() if row.comment else None,
    )


def _shape(event: Event, user_id: str | None) -> StoredFeedback:
    context = msgspec.json.decode(event.context) if event.context else {}
    return StoredFeedback(
        event.event_type,
        user_id or "",
        event.item_id,
        event.value or 0.0,
        iso(event.timestamp),
        iso(event.received),
        str(context.get("comment", "")),
    )
