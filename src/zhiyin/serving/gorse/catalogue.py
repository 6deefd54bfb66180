"""/api/item and /api/items."""

from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.store import described, feedback
from zhiyin.data.store import items as stored_items
from zhiyin.data.store.records import Item as Stored
from zhiyin.errors import RequestError, UnknownIdError
from zhiyin.serving.bodies import body, decoded, names
from zhiyin.serving.gorse import asked
from zhiyin.serving.gorse.inserting import of_one, of_several
from zhiyin.serving.gorse.labels import columns, labels
from zhiyin.serving.gorse.people import label_names, texts
from zhiyin.serving.gorse.shapes import Item, ItemIterator, ItemPatch, Success
from zhiyin.serving.operation import answered
from zhiyin.serving.service import Service

PATCH = msgspec.json.Decoder(ItemPatch)
KNOWN = names(Item)

AT_ONCE = 1_000
"""Items that a search reads before it goes on, and people whose feedback goes in one transaction."""

LONGEST_QUERY = 200


async def modify(service: Service, request: Request) -> Response:
    """Change what is given, keep the rest; Gorse says that one row was changed even where there is none."""
    item_id = asked.id_of(request, "item_id")
    patch = decoded(await body(request, service.body_limit), PATCH, KNOWN)
    found = await service.store.item(item_id)
    changed: dict[str, Any] = {}
    if patch.labels is not None:
        changed = dict.fromkeys(label_names(found.attributes if found else {})) | columns(patch.labels)
    given = {
        "categories": patch.categories,
        "title": patch.comment,
        "created_at": asked.time_of(patch.timestamp, "Timestamp"),
    }
    changed |= {name: value for name, value in given.items() if value is not None}
    await service.store.patch_item(item_id, changed, hidden=patch.is_hidden)
    return answered(Success(1))


async def one(service: Service, request: Request) -> Response:
    """A stored item."""
    item_id = asked.id_of(request, "item_id")
    found = await service.store.item(item_id)
    if found is None:
        raise UnknownIdError(f"item {item_id[:80]!r} not found")
    return answered(shape(found))


async def several(service: Service, request: Request) -> Response:
    """Stored items in the order of their ids, or those in which every word of `q` occurs."""
    n, after = asked.amount(request), asked.after(request)
    query = request.query_params.get("q", "")
    if len(query) > LONGEST_QUERY:
        raise RequestError(400, f"q must have at most {LONGEST_QUERY} characters, got {len(query):,}")
    if words := query.casefold().split():
        found = await service.store.reading(lambda connection: _search(connection, words, n))
        return answered(ItemIterator("", [shape(item) for item in found]))
    found = await service.store.reading(lambda connection: stored_items.page(connection, after, n + 1))
    cursor = found[n - 1].item_id if len(found) > n else ""
    return answered(ItemIterator(cursor, [shape(item) for item in found[:n]]))


async def remove(service: Service, request: Request) -> Response:
    """Delete an item and its feedback."""
    item_id = asked.id_of(request, "item_id")
    await service.store.delete_item(item_id)
    readers = await service.store.reading(lambda connection: feedback.readers(connection, item_id))
    for start in range(0, len(readers), AT_ONCE):  # in parts, so that events can be stored meanwhile
        some = readers[start : start + AT_ONCE]
        await service.store.writing(partial(feedback.remove_of_each, item_id=item_id, user_ids=some))
    return answered(Success(1))


async def add_category(service: Service, request: Request) -> Response:
    """Let an item belong to a category."""
    return await _categorised(service, request, present=True)


async def remove_category(service: Service, request: Request) -> Response:
    """Let an item no longer belong to a category."""
    return await _categorised(service, request, present=False)


def shape(item: Stored) -> Item:
    """An item as Gorse shows it."""
    attributes = item.attributes
    created = attributes.get("created_at")
    return Item(
        item.item_id,
        item.hidden,
        texts(attributes.get("categories")),
        asked.written_time(created if isinstance(created, int) else None),
        labels(attributes),
        str(attributes.get("title") or ""),
    )


async def _categorised(service: Service, request: Request, *, present: bool) -> Response:
    item_id, category = asked.id_of(request, "item_id"), asked.id_of(request, "category")
    found = await service.store.item(item_id)
    if found is None:
        raise UnknownIdError(f"item {item_id[:80]!r} not found")
    others = [one for one in texts(found.attributes.get("categories")) if one != category]
    await service.store.patch_item(item_id, {"categories": [*others, category] if present else others})
    return answered(Success(1))


async def _put(service: Service, rows: list[Item]) -> None:
    given, now = [_given(row) for row in rows], service.clock()
    await service.store.writing(lambda connection: described.put_items(connection, given, now))


def _given(row: Item) -> described.GivenItem:
    attributes = columns(row.labels)
    time = asked.time_of(row.timestamp, "Timestamp")
    told = {"categories": row.categories or None, "title": row.comment or None, "created_at": time}
    attributes |= {name: value for name, value in told.items() if value is not None}
    return described.GivenItem(asked.text(row.item_id, "ItemId"), attributes, bool(row.is_hidden))


def _search(connection: Connection, words: list[str], n: int) -> list[Stored]:
    """Items in whose id or texts every word occurs; reads all items until there are enough."""
    found: list[Stored] = []
    after = ""
    while len(found) < n:
        page = stored_items.page(connection, after, AT_ONCE)
        found += [item for item in page if all(word in _text(item) for word in words)]
        if len(page) < AT_ONCE:
            break
        after = page[-1].item_id
    return found[:n]


def _text(item: Stored) -> str:
    parts = [item.item_id]
    for value in item.attributes.values():
        parts += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
    return "\n".join(parts).casefold()


insert = of_one(Item, _put)
insert_many = of_several(Item, "items", _put)
