"""/api/user and /api/users."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.store import described, feedback
from zhiyin.data.store import people as stored_people
from zhiyin.data.store.records import User as Stored
from zhiyin.errors import UnknownIdError
from zhiyin.serving.bodies import body, decoded, names
from zhiyin.serving.caller import caller_of
from zhiyin.serving.erasure import erased
from zhiyin.serving.gorse import asked
from zhiyin.serving.gorse.inserting import of_one, of_several
from zhiyin.serving.gorse.labels import COLUMN, PREFIX, columns, labels
from zhiyin.serving.gorse.shapes import Success, User, UserIterator, UserPatch
from zhiyin.serving.operation import answered
from zhiyin.serving.service import Service, new_request_id

PATCH = msgspec.json.Decoder(UserPatch)
KNOWN = names(User)


async def modify(service: Service, request: Request) -> Response:
    """Change what is given, keep the rest."""
    user_id = asked.id_of(request, "user_id")
    patch = decoded(await body(request, service.body_limit), PATCH, KNOWN)
    person = service.served.person(user_id)
    found = await service.store.user(person)
    changed: dict[str, Any] = {}
    if patch.labels is not None:
        changed = dict.fromkeys(label_names(found.attributes if found else {})) | columns(patch.labels)
    if patch.subscribe is not None:
        changed["subscribe"] = patch.subscribe
    if patch.comment is not None:
        changed["comment"] = patch.comment
    await service.store.patch_user(person, changed)
    return answered(Success(1))


async def one(service: Service, request: Request) -> Response:
    """A person; who has only feedback is an empty one, as with Gorse's `auto_insert_user`."""
    user_id = asked.id_of(request, "user_id")
    person = service.served.person(user_id)
    found = await service.store.user(person)
    if found is None:
        if not await service.store.reading(lambda connection: feedback.knows(connection, person)):
            raise UnknownIdError(f"user {user_id[:80]!r} not found")
        found = Stored(person)
    return answered(shape(found, user_id))


async def several(service: Service, request: Request) -> Response:
    """Stored people in the order of their ids."""
    n, after = asked.amount(request), asked.after(request)
    found = await service.store.reading(lambda connection: stored_people.page(connection, after, n + 1))
    cursor = found[n - 1].user_id if len(found) > n else ""
    return answered(UserIterator(cursor, [shape(user, user.user_id) for user in found[:n]]))


async def remove(service: Service, request: Request) -> Response:
    """Delete all that is stored of a person, feedback too."""
    await erased(service, asked.id_of(request, "user_id"), caller_of(request), new_request_id())
    return answered(Success(1))


def shape(user: Stored, user_id: str) -> User:
    """A person as Gorse shows it."""
    attributes = user.attributes
    return User(user_id, labels(attributes), texts(attributes.get("subscribe")), str(attributes.get("comment") or ""))


def texts(value: Any) -> list[str]:
    """A column as a list of texts."""
    if isinstance(value, list):
        return [str(one) for one in value]
    return [] if value is None else [str(value)]


def label_names(attributes: Mapping[str, Any]) -> list[str]:
    """The columns that hold labels."""
    return [name for name in attributes if name == COLUMN or name.startswith(PREFIX)]


async def _put(service: Service, rows: list[User]) -> None:
    person = service.served.person
    seal = service.store.vault.seal
    given = [_given(row, person(asked.text(row.user_id, "UserId"))) for row in rows]
    given = [one._replace(attributes=seal(one.attributes, one.user_id)) for one in given]
    await service.store.writing(lambda connection: described.put_users(connection, given))


def _given(row: User, person: str) -> described.GivenUser:
    attributes = columns(row.labels)
    if row.subscribe:
        attributes["subscribe"] = row.subscribe
    if row.comment:
        attributes["comment"] = row.comment
    return described.GivenUser(person, attributes)


insert = of_one(User, _put)
insert_many = of_several(User, "users", _put)
