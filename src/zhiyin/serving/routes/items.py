"""/v1/items: what there is to recommend, as the shop describes it."""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.store import described
from zhiyin.data.store.records import Item
from zhiyin.errors import RequestError
from zhiyin.serving.answers import id_in_path
from zhiyin.serving.bodies import body, decoded, names, one_or_many, text_of
from zhiyin.serving.caller import Role
from zhiyin.serving.catalogue import MOST_STORED, ItemChange, ItemPage, NewItem, Removed, StoredItem, Written
from zhiyin.serving.columns import iso, kept, told
from zhiyin.serving.describing import changed_item, known_item
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.pages import CURSOR, LIMIT, after, following, limit
from zhiyin.serving.service import Service

ONE = msgspec.json.Decoder(NewItem)
SEVERAL = msgspec.json.Decoder(list[NewItem])
CHANGE = msgspec.json.Decoder(ItemChange)
KNOWN = names(NewItem)
KNOWN_CHANGES = names(ItemChange)
ID = Parameter("id", "path", str, "the item; percent-encoded, slashes too")
LISTING = (LIMIT, CURSOR)


async def post(service: Service, request: Request) -> Response:
    """Store one item or many, whole."""
    query(request, ())
    rows, place = one_or_many(await body(request, service.body_limit), ONE, SEVERAL, KNOWN)
    if len(rows) > MOST_STORED:
        raise RequestError(422, f"at most {MOST_STORED:,} items are taken at once, got {len(rows):,}: split them")
    return answered(await put(service, [given_item(row, place.format(i)) for i, row in enumerate(rows)]))


async def put(service: Service, items: Sequence[described.GivenItem]) -> Written:
    """Store items whole, in place of what was there."""
    now = service.clock()
    new = await service.store.writing(lambda connection: described.put_items(connection, items, now))
    return Written(len({item.item_id for item in items}), new)


async def change(service: Service, request: Request) -> Response:
    """Change some of what is stored of an item."""
    query(request, ())
    item_id = id_in_path(request.path_params["id"])
    given = decoded(await body(request, service.body_limit), CHANGE, KNOWN_CHANGES)
    return answered(stored(await changed_item(service, item_id, given)))


async def one(service: Service, request: Request) -> Response:
    """What is stored of an item."""
    query(request, ())
    item_id = id_in_path(request.path_params["id"])
    return answered(stored(known_item(await service.store.item(item_id), item_id)))


async def remove(service: Service, request: Request) -> Response:
    """Forget what is stored of an item."""
    query(request, ())
    item_id = id_in_path(request.path_params["id"])
    if not await service.store.delete_item(item_id):
        known_item(None, item_id)
    return answered(Removed(1))


async def page(service: Service, request: Request) -> Response:
    """Stored items in the order of their ids."""
    given = query(request, LISTING)
    most = limit(given)
    found = [stored(item) for item in await service.store.items(after(given), most)]
    return answered(ItemPage(found, following([item.item_id for item in found], most)))


def stored(item: Item) -> StoredItem:
    """An item as a caller reads it."""
    return StoredItem(item.item_id, told(item.attributes), item.hidden, iso(item.created), iso(item.updated))


def given_item(row: NewItem, prefix: str) -> described.GivenItem:
    """An item as the store takes it; RequestError 422 for what it cannot hold, `prefix` says where it stands."""
    return described.GivenItem(
        text_of(row.item_id, f"{prefix}item_id"), kept(row.attributes, f"{prefix}attributes"), row.hidden
    )


OPERATIONS = (
    Operation(
        "POST",
        "/v1/items",
        post,
        "Store items. One object or a list, at most 10,000 at once; an item that is stored already is replaced. "
        "If one of a list is wrong, nothing is stored.",
        answers={200: Written},
        refusals=(400, 413, 415, 422),
        body=NewItem | list[NewItem],
        role=Role.WRITER,
    ),
    Operation(
        "GET",
        "/v1/items",
        page,
        "Stored items in the order of their ids, page by page.",
        answers={200: ItemPage},
        refusals=(422,),
        parameters=LISTING,
    ),
    Operation(
        "GET",
        "/v1/items/{id:path}",
        one,
        "What is stored of an item.",
        answers={200: StoredItem},
        refusals=(404, 422),
        parameters=(ID,),
    ),
    Operation(
        "PATCH",
        "/v1/items/{id:path}",
        change,
        "Change some attributes of an item, or hide it; the rest stays. An attribute that is null is removed.",
        answers={200: StoredItem},
        refusals=(400, 404, 413, 415, 422),
        body=ItemChange,
        parameters=(ID,),
        role=Role.WRITER,
    ),
    Operation(
        "DELETE",
        "/v1/items/{id:path}",
        remove,
        "Forget what is stored of an item. Its events stay; to stop recommending it, hide it.",
        answers={200: Removed},
        refusals=(404, 422),
        parameters=(ID,),
        role=Role.WRITER,
    ),
)
