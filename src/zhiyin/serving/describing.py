"""What the shop says of an item, changed a little: the rest stays."""

from zhiyin.data.store.records import Item
from zhiyin.errors import UnknownIdError
from zhiyin.registry.release import shown
from zhiyin.serving.catalogue import ItemChange
from zhiyin.serving.columns import kept
from zhiyin.serving.service import Service


async def changed_item(service: Service, item_id: str, given: ItemChange) -> Item:
    """The item as it is stored then; one that only the files describe is stored with what is given.

    Raises
    ------
    RequestError
        422 for an attribute that cannot be, 503 if the store cannot be written.
    UnknownIdError
        If neither the store nor the release knows it.
    """
    changed = kept(given.attributes, "attributes")
    found = await service.store.patch_item(item_id, changed, hidden=given.hidden)
    if found is None and item_id in service.served.release.items:  # the files describe it, and the store does not yet
        attributes = {name: value for name, value in changed.items() if value is not None}
        await service.store.put_items([Item(item_id, attributes, hidden=bool(given.hidden))])
        found = await service.store.item(item_id)
    return known_item(found, item_id)


def known_item(found: Item | None, item_id: str) -> Item:
    """The item.

    Raises
    ------
    UnknownIdError
        If there is none.
    """
    if found is None:
        raise UnknownIdError(f"item {shown(item_id)} is not stored: check the id, or store it with POST /v1/items")
    return found
