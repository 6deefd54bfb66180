"""/v1/users: people as the shop describes them, whether they want personal answers, and what they did."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.store import described, history
from zhiyin.data.store.records import Event, User
from zhiyin.errors import RequestError, UnknownIdError
from zhiyin.registry.release import shown
from zhiyin.serving.answers import id_in_path
from zhiyin.serving.bodies import body, decoded, names, one_or_many, text_of
from zhiyin.serving.caller import Role
from zhiyin.serving.catalogue import (
    MOST_STORED,
    EventPage,
    NewUser,
    PastEventStored,
    StoredUser,
    UserChange,
    UserPage,
    Written,
)
from zhiyin.serving.columns import iso, kept, told
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.pages import CURSOR, LIMIT, after, before, following, limit
from zhiyin.serving.service import Service

ONE = msgspec.json.Decoder(NewUser)
SEVERAL = msgspec.json.Decoder(list[NewUser])
CHANGE = msgspec.json.Decoder(UserChange)
KNOWN = names(NewUser)
KNOWN_CHANGES = names(UserChange)
ID = Parameter("id", "path", str, "the person; percent-encoded, slashes too")
LISTING = (LIMIT, CURSOR)


async def post(service: Service, request: Request) -> Response:
    """Store one person or many, whole."""
    query(request, ())
    rows, place = one_or_many(await body(request, service.body_limit), ONE, SEVERAL, KNOWN)
    if len(rows) > MOST_STORED:
        raise RequestError(422, f"at most {MOST_STORED:,} people are taken at once, got {len(rows):,}: split them")
    return answered(await put(service, [given_user(service, row, place.format(i)) for i, row in enumerate(rows)]))


async def put(service: Service, users: Sequence[described.GivenUser]) -> Written:
    """Store people whole, in place of what was there."""
    new = await service.store.writing(lambda connection: described.put_users(connection, users))
    return Written(len({user.user_id for user in users}), new)


async def change(service: Service, request: Request) -> Response:
    """Change some of what is stored of a person."""
    query(request, ())
    user_id = id_in_path(request.path_params["id"])
    given = decoded(await body(request, service.body_limit), CHANGE, KNOWN_CHANGES)
    found = await service.store.patch_user(
        service.served.person(user_id),
        kept(given.attributes, "attributes"),
        personalised=given.personalised,
        consent=given.consent,
    )
    return answered(stored(found, user_id))


async def one(service: Service, request: Request) -> Response:
    """What is stored of a person."""
    query(request, ())
    user_id = id_in_path(request.path_params["id"])
    found = await service.store.user(service.served.person(user_id))
    if found is None:
        raise UnknownIdError(f"person {shown(user_id)} is not stored: check the id, or store it with POST /v1/users")
    return answered(stored(found, user_id))


async def page(service: Service, request: Request) -> Response:
    """Stored people in the order of their ids."""
    given = query(request, LISTING)
    most = limit(given)
    found = [stored(user) for user in await service.store.users(after(given), most)]
    return answered(UserPage(found, following([user.user_id for user in found], most)))


async def events(service: Service, request: Request) -> Response:
    """What a person did, newest first."""
    given = query(request, LISTING)
    most, person = limit(given), service.served.person(id_in_path(request.path_params["id"]))
    start = before(given)
    found = await service.store.reading(lambda connection: history.page(connection, person, start, most))
    cursor = following([str(number) for number, _ in found], most)
    return answered(EventPage([_event(event) for _, event in found], cursor))


def stored(user: User, user_id: str | None = None) -> StoredUser:
    """A person as a caller reads it, under the id that the caller knows."""
    return StoredUser(user_id or user.user_id, told(user.attributes), user.personalised, user.consent)


def given_user(service: Service, row: NewUser, prefix: str) -> described.GivenUser:
    """A person as the store takes it; RequestError 422 for what it cannot hold, `prefix` says where it stands."""
    user_id = service.served.person(text_of(row.user_id, f"{prefix}user_id"))
    attributes = service.store.vault.seal(kept(row.attributes, f"{prefix}attributes"), user_id)
    return described.GivenUser(user_id, attributes, row.personalised, row.consent)


def _event(event: Event) -> PastEventStored:
    given = {
        name: value
        for name in ("value", "price", "quantity", "event_id", "request_id", "session_id")
        if (value := getattr(event, name)) is not None
    }
    return PastEventStored(
        event.item_id,
        event.event_type,
        iso(event.timestamp),
        context=UNSET if event.context is None else msgspec.json.decode(event.context),
        impressions=UNSET if event.impressions is None else msgspec.json.decode(event.impressions),
        **given,
    )


OPERATIONS = (
    Operation(
        "POST",
        "/v1/users",
        post,
        "Store people. One object or a list, at most 10,000 at once; who is stored already is replaced. "
        "If one of a list is wrong, nothing is stored.",
        answers={200: Written},
        refusals=(400, 413, 415, 422),
        body=NewUser | list[NewUser],
        role=Role.WRITER,
    ),
    Operation(
        "GET",
        "/v1/users",
        page,
        "Stored people in the order of their ids, page by page.",
        answers={200: UserPage},
        refusals=(422,),
        parameters=LISTING,
        role=Role.WRITER,
    ),
    Operation(
        "GET",
        "/v1/users/{id:path}/events",
        events,
        "What a person did, newest first, page by page; what linked sessions did is among it.",
        answers={200: EventPage},
        refusals=(422,),
        parameters=(ID, *LISTING),
        role=Role.WRITER,
    ),
    Operation(
        "GET",
        "/v1/users/{id:path}",
        one,
        "What is stored of a person.",
        answers={200: StoredUser},
        refusals=(404, 422),
        parameters=(ID,),
        role=Role.WRITER,
    ),
    Operation(
        "PATCH",
        "/v1/users/{id:path}",
        change,
        "Change some attributes of a person, or what they agree to; the rest stays. An attribute that is null is "
        "removed. Who is not stored yet is from now on.",
        answers={200: StoredUser},
        refusals=(400, 413, 415, 422),
        body=UserChange,
        parameters=(ID,),
        role=Role.WRITER,
    ),
)
