"""Encrypted values under another key, a block of rows at a time."""

from collections.abc import Callable

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, bindparam, func, literal_column, select, update

from zhiyin.data.encryption import PREFIX
from zhiyin.data.store.records import Attributes
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import TEXT, events, impressions, users

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


def _contexts(table: Table, number: ColumnElement[int]) -> tuple[Statement, Statement]:
    """Which contexts of a table hold something sealed, and how one of them is replaced."""
    who = func.coalesce(table.c.user_id, table.c.session_id, literal_column("''"))
    found = select(number, who, table.c.context)
    found = found.where(number > bindparam("after"), table.c.context.like(bindparam("sealed")))
    kept = update(table).where(number == bindparam("number")).values(context=bindparam("kept"))
    return Statement(found.order_by(number).limit(bindparam("most"))), Statement(kept)


EVENTS, SHOWN = _contexts(events, events.c.sequence), _contexts(impressions, impressions.c.number)

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
    return _renew_contexts(connection, EVENTS, after, renews)


def renew_shown(connection: Connection, after: int, renews: Renews) -> tuple[int, int | None]:
    """The same for lists that were shown."""
    return _renew_contexts(connection, SHOWN, after, renews)


def _renew_contexts(
    connection: Connection, of_table: tuple[Statement, Statement], after: int, renews: Renews
) -> tuple[int, int | None]:
    sealed, replace = of_table
    rows = sealed.rows(connection, after=after, sealed=SEALED, most=BLOCK_ROWS)
    count = 0
    for number, who, context in rows:
        kept = renews(msgspec.json.decode(context), "context", who)
        if kept is not None:
            replace.run(connection, number=number, kept=msgspec.json.encode(kept).decode())
            count += 1
    return count, rows[-1][0] if len(rows) == BLOCK_ROWS else None
