"""What was shown of late, and what came of it; and how much there is to learn from."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, bindparam, cast, func, literal_column, select

from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import events, impressions

DAY = 86_400_000_000  # µs
LISTS = Statement(
    select(*(impressions.c[name] for name in ("request_id", "scenario", "variant", "time", "items")))
    .where(impressions.c.time >= bindparam("since"))
    .order_by(impressions.c.time.desc())
    .limit(bindparam("most"))
)
ANSWERS = Statement(
    select(events.c.request_id, events.c.event_type, events.c.item_id)
    .where(events.c.received >= bindparam("since"), events.c.request_id.is_not(None))
    .order_by(events.c.received.desc())
    .limit(bindparam("most"))
)
DAY_OF = cast(events.c.timestamp / literal_column(str(DAY)), BigInteger)
NEW = Statement(
    select(DAY_OF.label("day"), func.count())
    .where(events.c.sequence > bindparam("after"), events.c.timestamp >= bindparam("since"))
    .group_by(literal_column("day"))
)
NEWEST = Statement(select(func.max(events.c.received)))


def lists(connection: Connection, since: int, most: int) -> Sequence[tuple[str, str | None, str | None, int, str]]:
    """Request, scenario, variant, time (µs UTC) and items (JSON) of what was shown since, newest first."""
    return LISTS.rows(connection, since=since, most=most)


def answers(connection: Connection, since: int, most: int) -> Sequence[tuple[str, str, str]]:
    """Request, event type and item of the events since that name the list they came from, newest first."""
    return ANSWERS.rows(connection, since=since, most=most)


def new_by_day(connection: Connection, after: int, since: int) -> dict[int, int]:
    """Days since 1970 (UTC) to the events of that day that were stored after a sequence number."""
    return {int(day): count for day, count in NEW.rows(connection, after=after, since=since)}


def newest(connection: Connection) -> int | None:
    """When the last event came in, µs UTC; None before the first."""
    ((time,),) = NEWEST.rows(connection)
    return time
