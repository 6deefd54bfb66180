"""Items as the shop describes them: stored, changed, hidden, listed in the order of ids."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, literal_column, select, update

from zhiyin.data.store import changes as log
from zhiyin.data.store.events import LISTED
from zhiyin.data.store.records import Attributes, Item
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import TEXT, changes, items

FIELDS = ("item_id", "attributes", "hidden", "created", "updated")
ROW = [items.c[name] for name in FIELDS]
ID = bindparam("item_id", type_=TEXT)
INSERT = Statement(insert(items).inline(), FIELDS)
ONE = Statement(select(*ROW).where(items.c.item_id == ID))
SEVERAL = {
    name: Statement(select(*ROW).where(items.c.item_id.in_(select(each.table_valued("value").c.value))))
    for name, each in LISTED.items()
}
PAGE = Statement(
    select(*ROW).where(items.c.item_id > bindparam("after")).order_by(items.c.item_id).limit(bindparam("most"))
)
DELETE = Statement(delete(items).where(items.c.item_id == ID), ("item_id",))
HIDE = Statement(update(items).where(items.c.item_id == ID).values(hidden=bindparam("hide"), updated=bindparam("now")))
SINCE = Statement(
    select(changes.c.number, changes.c.id, *ROW)
    .join_from(changes, items, items.c.item_id == changes.c.id, isouter=True)
    .where(changes.c.kind == literal_column("'item'"), changes.c.number > bindparam("after"))
    .order_by(changes.c.number)
    .limit(bindparam("most"))
)
COUNT = Statement(select(func.count()).select_from(items))


def put(connection: Connection, given: Sequence[Item], now: int) -> int:
    """Store items whole, in place of what was there; how many are new. A later one of the same id wins."""
    chosen = {item.item_id: item for item in given}
    created = {item.item_id: item.created for item in several(connection, list(chosen))}
    rows = [
        (item_id, msgspec.json.encode(item.attributes).decode(), item.hidden, created.get(item_id, now), now)
        for item_id, item in chosen.items()
    ]
    DELETE.many(connection, ((item_id,) for item_id in created))
    INSERT.many(connection, rows)
    log.record(connection, "item", list(chosen))
    return len(chosen) - len(created)


def patch(connection: Connection, item_id: str, attributes: Attributes, hidden: bool | None, now: int) -> Item | None:
    """Change some attributes, `None` removes one; the item as it is then, or `None` if there is none."""
    found = one(connection, item_id)
    if found is None:
        return None
    kept = {name: value for name, value in {**found.attributes, **attributes}.items() if value is not None}
    changed = Item(item_id, kept, found.hidden if hidden is None else hidden)
    put(connection, [changed], now)
    return one(connection, item_id)


def hide(connection: Connection, item_id: str, hidden: bool, now: int) -> None:
    """Show an item to nobody, or again; one that only the files describe is stored without attributes."""
    if HIDE.run(connection, item_id=item_id, hide=hidden, now=now):
        log.record(connection, "item", [item_id])
    else:
        put(connection, [Item(item_id, hidden=hidden)], now)


def remove(connection: Connection, item_id: str) -> bool:
    """Whether there was such an item. Its events stay."""
    if not DELETE.run(connection, item_id=item_id):
        return False
    log.record(connection, "item", [item_id])
    return True


def one(connection: Connection, item_id: str) -> Item | None:
    """An item."""
    rows = ONE.rows(connection, item_id=item_id)
    return _item(rows[0]) if rows else None


def several(connection: Connection, item_ids: Sequence[str]) -> list[Item]:
    """Those of these that there are, in any order."""
    listed = msgspec.json.encode(list(item_ids)).decode()
    return [_item(row) for row in SEVERAL[connection.dialect.name].rows(connection, ids=listed)]


def page(connection: Connection, after: str, most: int) -> list[Item]:
    """The next items in the order of ids."""
    return [_item(row) for row in PAGE.rows(connection, after=after, most=most)]


def since(connection: Connection, change: int, most: int) -> tuple[list[tuple[str, Item | None]], int]:
    """Items changed after a change, oldest change first, `None` where deleted; and the number to go on from."""
    rows = SINCE.rows(connection, after=change, most=most)
    found = [(row[1], None if row[2] is None else _item(row[2:])) for row in rows]
    return found, rows[-1][0] if rows else change


def _item(row: tuple[Any, ...]) -> Item:
    item_id, attributes, hidden, created, updated = row
    return Item(item_id, msgspec.json.decode(attributes), bool(hidden), created, updated)
