"""/v1/users/{id}/friends: whom a person knows."""

import math

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.store.records import Friend
from zhiyin.errors import RequestError, UnknownIdError
from zhiyin.registry.release import shown
from zhiyin.serving.answers import id_in_path
from zhiyin.serving.caller import Role
from zhiyin.serving.catalogue import FriendPage, Friendship, Removed
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.pages import CURSOR, LIMIT, after, following, limit
from zhiyin.serving.schemas import Amount
from zhiyin.serving.service import Service

ID = Parameter("id", "path", str, "the person; percent-encoded, slashes too")
FRIEND = Parameter("friend", "path", str, "whom the person knows; percent-encoded, slashes too")
WEIGHT = Parameter("weight", "query", Amount, "how well; 1 if not given")
LISTING = (LIMIT, CURSOR)
LARGEST_WEIGHT = 3.4e38


async def put(service: Service, request: Request) -> Response:
    """Store that a person knows another."""
    weight = _weight(query(request, (WEIGHT,)).get("weight", "1"))
    user_id, friend_id = _both(request)
    person = service.served.person
    await service.store.put_friends(person(user_id), [Friend(person(friend_id), weight)])
    return answered(Friendship(friend_id, weight))


async def remove(service: Service, request: Request) -> Response:
    """Forget that a person knows another."""
    query(request, ())
    user_id, friend_id = _both(request)
    person = service.served.person
    if not await service.store.delete_friend(person(user_id), person(friend_id)):
        raise UnknownIdError(f"{shown(friend_id)} is no stored friend of {shown(user_id)}: check both ids")
    return answered(Removed(1))


async def page(service: Service, request: Request) -> Response:
    """Whom a person knows, in the order of their ids."""
    given = query(request, LISTING)
    most, person = limit(given), service.served.person(id_in_path(request.path_params["id"]))
    found = [Friendship(one.friend_id, one.weight) for one in await service.store.friends(person, after(given), most)]
    return answered(FriendPage(found, following([one.friend_id for one in found], most)))


def _both(request: Request) -> tuple[str, str]:
    return id_in_path(request.path_params["id"]), id_in_path(request.path_params["friend"])


def _weight(written: str) -> float:
    try:
        weight = float(written)
    except ValueError:
        weight = math.nan
    if not abs(weight) <= LARGEST_WEIGHT:
        raise RequestError(422, f"query.weight must be a number, got {written[:40]!r}", "query.weight")
    return weight


OPERATIONS = (
    Operation(
        "GET",
        "/v1/users/{id:path}/friends",
        page,
        "Whom a person knows, in the order of their ids, page by page.",
        answers={200: FriendPage},
        refusals=(422,),
        parameters=(ID, *LISTING),
        role=Role.WRITER,
    ),
    Operation(
        "PUT",
        "/v1/users/{id:path}/friends/{friend:path}",
        put,
        "Store that a person knows another, or how well.",
        answers={200: Friendship},
        refusals=(422,),
        parameters=(ID, FRIEND, WEIGHT),
        role=Role.WRITER,
    ),
    Operation(
        "DELETE",
        "/v1/users/{id:path}/friends/{friend:path}",
        remove,
        "Forget that a person knows another.",
        answers={200: Removed},
        refusals=(404, 422),
        parameters=(ID, FRIEND),
        role=Role.WRITER,
    ),
)
