"""What one person did, newest first, a page at a time."""

from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, union_all

from zhiyin.data.store.records import Event, Stored
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import NUMBER, TEXT, events, links, of_nobody

FIELDS = [events.c[name] for name in Event._fields]
USER, BEFORE, MOST = (
    bindparam("user_id", type_=TEXT),
    bindparam("before", type_=NUMBER),
    bindparam("most", type_=NUMBER),
)


def _newest(found: Select[Any]) -> Select[Any]:
    page = found.where(events.c.sequence < BEFORE).order_by(events.c.sequence.desc()).limit(MOST)
    return select(page.subquery())


def _page() -> Statement:
    """Each part by its own index; of a linked session, the events that name nobody."""
    own = select(events.c.sequence, *FIELDS).where(events.c.user_id == USER)
    linked = (
        select(events.c.sequence, *FIELDS)
        .join_from(links, events, events.c.session_id == links.c.session_id)
        .where(links.c.user_id == USER, of_nobody(events))
    )
    both = union_all(_newest(own), _newest(linked)).subquery()
    return Statement(select(both).order_by(both.c.sequence.desc()).limit(MOST))


PAGE = _page()


def page(connection: Connection, user_id: str, before: int, most: int) -> list[Stored]:
    """At most so many events that were stored before a sequence number, those of linked sessions included."""
    rows = PAGE.rows(connection, user_id=user_id, before=before, most=most)
    return [(number, Event(*event)) for number, *event in rows]
