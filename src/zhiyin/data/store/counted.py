"""New events counted by day and kind, and how many items and people are described."""

from sqlalchemy import Connection, bindparam, func, literal_column, select

from zhiyin.data.store.shown import DAY_OF
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import events, items, users

NEW = Statement(
    select(DAY_OF.label("day"), events.c.event_type, func.count())
    .where(events.c.sequence > bindparam("after"), events.c.timestamp >= bindparam("since"))
    .group_by(literal_column("day"), events.c.event_type)
)
ROWS = {
    "items": Statement(select(func.count()).select_from(items)),
    "users": Statement(select(func.count()).select_from(users)),
}


def new_by_day_and_kind(connection: Connection, after: int, since: int) -> dict[tuple[int, str], int]:
    """(day since 1970 in UTC, event type) to the events of then that were stored after a sequence number."""
    return {(int(day), kind): count for day, kind, count in NEW.rows(connection, after=after, since=since)}


def rows(connection: Connection) -> dict[str, int]:
    """How many items and users are described in the store."""
    return {table: int(statement.rows(connection)[0][0]) for table, statement in ROWS.items()}
