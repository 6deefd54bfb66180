"""The log as Gorse sees it: of each event type, person and item one row, the event that was stored last.

What was stored before of the same three stays in the log, and counts for training; a later moment than now is not
seen yet. Only events that name a person are seen.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Select, bindparam, delete, exists, func, select

from zhiyin.data.store import changes as log
from zhiyin.data.store.records import Event, Stored
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import TEXT, events

FIELDS = [events.c[name] for name in Event._fields]
TYPE, USER, ITEM = (bindparam(name, type_=TEXT) for name in ("event_type", "user_id", "item_id"))
KEYS = {
    "event_type": events.c.event_type == TYPE,
    "user_id": events.c.user_id == USER,
    "item_id": events.c.item_id == ITEM,
}


def _last(*names: str) -> Select[Any]:
    """The event stored last of each type, person and item, where these columns are given."""
    later = events.alias("later")
    repeated = exists().where(
        later.c.user_id == events.c.user_id,  # first, because of its index
        later.c.sequence > events.c.sequence,
        later.c.item_id == events.c.item_id,
        later.c.event_type == events.c.event_type,
    )
    return select(events.c.sequence, *FIELDS).where(
        events.c.user_id.is_not(None),
        events.c.timestamp <= bindparam("now"),
        *(KEYS[name] for name in names),
        ~repeated,
    )


def _page(*names: str) -> Statement:
    return Statement(
        _last(*names)
        .where(events.c.sequence < bindparam("before"))
        .order_by(events.c.sequence.desc())
        .limit(bindparam("most"))
    )


def _keys(*names: str) -> Statement:
    found = select(events.c.event_type, events.c.user_id, events.c.item_id).distinct()
    return Statement(found.where(events.c.user_id.is_not(None), *(KEYS[name] for name in names)))


def _delete(*names: str) -> Delete:
    return delete(events).where(events.c.user_id.is_not(None), *(KEYS[name] for name in names))


SHAPES = (
    (), ("event_type",), ("user_id",), ("event_type", "user_id"), ("item_id",), ("event_type", "item_id"),
    ("user_id", "item_id"), ("event_type", "user_id", "item_id"),
)  # fmt: skip
PAGES = {frozenset(names): _page(*names) for names in SHAPES}
BOTH = [names for names in SHAPES if {"user_id", "item_id"} <= {*names}]
FOUND = {frozenset(names): _keys(*names) for names in BOTH}
GONE = {frozenset(names): Statement(_delete(*names)) for names in BOTH}
READERS = Statement(
    select(events.c.user_id).where(KEYS["item_id"], events.c.user_id.is_not(None)).distinct().order_by(events.c.user_id)
)
GONE_OF_EACH = Statement(_delete("user_id", "item_id"), ("user_id", "item_id"))
KNOWN = Statement(
    select(func.count()).select_from(select(events.c.sequence).where(events.c.user_id == USER).limit(1).subquery())
)


def page(connection: Connection, *, now: int, before: int, most: int, **given: str) -> list[Stored]:
    """At most so many rows stored before a sequence number, newest first.

    Parameters
    ----------
    now
        µs UTC; what happened later is not seen.
    given
        Any of event_type, user_id and item_id. Without user_id the whole log may be read.
    """
    rows = PAGES[frozenset(given)].rows(connection, now=now, before=before, most=most, **given)
    return [(number, Event(*event)) for number, *event in rows]


def remove(connection: Connection, **given: str) -> int:
    """Delete all events of a person and an item, of a type where it is given; how many of Gorse's rows went."""
    found = FOUND[frozenset(given)].rows(connection, **given)
    if found:
        GONE[frozenset(given)].run(connection, **given)
        log.record(connection, "person", [user_id for _, user_id, _ in found])
    return len(found)


def readers(connection: Connection, item_id: str) -> list[str]:
    """Who did something with an item, in the order of ids; reads the whole log."""
    return [user_id for (user_id,) in READERS.rows(connection, item_id=item_id)]


def remove_of_each(connection: Connection, item_id: str, user_ids: Sequence[str]) -> None:
    """Delete what these people did with an item; each is found by an index."""
    GONE_OF_EACH.many(connection, ((user_id, item_id) for user_id in user_ids))
    log.record(connection, "person", user_ids)


def knows(connection: Connection, user_id: str) -> bool:
    """Whether a person did anything."""
    return bool(KNOWN.rows(connection, user_id=user_id)[0][0])
