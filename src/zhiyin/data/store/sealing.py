"""Encrypted values under another key, a block of rows at a time."""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, bindparam, func, select, update

from zhiyin.data.encryption import PREFIX
from zhiyin.data.store.records import Attributes
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import TEXT, events, users

BLOCK_ROWS = 1_000
SEALED = f'%"{PREFIX}%'

PEOPLE = Statement(
    select(users.c.user_id, users.c.attributes)
    .where(users.c.user_id > bindparam("after", type_=TEXT), users.c.attributes.like(bindparam("sealed")))
    .order_by(users.c.user_id)
    .limit(bindparam("most"))
)
DESCRIBE = Statement(
    update(users).where(users.c.user_id == bindparam("who", type_=TEXT)).values(attributes=bindparam("kept"))
)
EVENTS = Statement(
    select(events.c.sequence, func.coalesce(events.c.user_id, events.c.session_id), events.c.context)
    .where(events.c.sequence > bindparam("after"), events.c.context.like(bindparam("sealed")))
    .order_by(events.c.sequence)
    .limit(bindparam("most"))
)
SURROUND = Statement(update(events).where(events.c.sequence == bindparam("number")).values(context=bindparam("kept")))

Renews = Callable[[Attributes, str, str], Attributes | None]
"""From values, the name of their table and whose they are to the same under the current key; `None`: they are."""


def renew_people(connection: Connection, after: str, renews: Renews) -> tuple[int, str | None]:
    """The next people; how many were changed, and whom to go on after (`None`: that was all)."""
    rows = PEOPLE.rows(connection, after=after, sealed=SEALED, most=BLOCK_ROWS)
    count = 0
    for user_id, attributes in rows:
        kept = renews(msgspec.json.decode(attributes), "users", user_id)
        if kept is not None:
            DESCRIBE.run(connection, who=user_id, kept=msgspec.json.encode(kept).decode())
            count += 1
    return count, rows[-1][0] if len(rows) == BLOCK_ROWS else None


def renew_events(connection: Connection, after: int, renews: Renews) -> tuple[int, int | None]:
    """The next events; how many were changed, and which to go on after (`None`: that was all)."""
    rows = EVENTS.rows(connection, after=after, sealed=SEALED, most=BLOCK_ROWS)
    count = 0
    for number, who, context in rows:
        kept = renews(msgspec.json.decode(context), "context", who)
        if kept is not None:
            SURROUND.run(connection, number=number, kept=msgspec.json.encode(kept).decode())
            count += 1
    return count, rows[-1][0] if len(rows) == BLOCK_ROWS else None
