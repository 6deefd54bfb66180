"""Who is stored: people by a part of their id, who was active of late, and the sessions that are theirs."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Select, Subquery, bindparam, func, literal_column, or_, select
from sqlalchemy.sql.elements import ColumnElement

from zhiyin.data.store.events import LISTED
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import NUMBER, TEXT, events, links, users

NEWEST_EVENTS = 50_000
"""Of so many at most it is looked up who did them."""
ESCAPE = "/"
AFTER_ID, SINCE = bindparam("after", type_=TEXT), bindparam("since", type_=NUMBER)
MOST = bindparam("most", type_=NUMBER)


class Activity(NamedTuple):
    """What somebody did since a release was trained."""

    user_id: str
    events: int
    last: int  # µs UTC, when the newest of them happened


def _holds(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether an id holds a part, in any case of its letters; databases know those of ASCII."""
    part, lower = bindparam("part", type_=TEXT), bindparam("lower", type_=TEXT)
    return or_(column.like(part, escape=ESCAPE), func.lower(column).like(lower, escape=ESCAPE))


def _newest() -> Subquery:
    fresh = select(events.c.user_id, events.c.timestamp).where(events.c.sequence > SINCE, events.c.user_id.is_not(None))
    return fresh.order_by(events.c.sequence.desc()).limit(literal_column(str(NEWEST_EVENTS))).subquery()


def _by_person(found: Subquery) -> Select[tuple[str, int, int]]:
    count, last = func.count().label("events"), func.max(found.c.timestamp).label("last")
    return select(found.c.user_id, count, last).group_by(found.c.user_id)


def _page(column: ColumnElement[str]) -> Statement:
    return Statement(select(column).distinct().where(column > AFTER_ID, _holds(column)).order_by(column).limit(MOST))


DESCRIBED, NEW = _page(users.c.user_id), _page(_newest().c.user_id)
LATELY = Statement(_by_person(_newest()).order_by(literal_column("last").desc(), literal_column("user_id")).limit(MOST))
OF_PEOPLE = {
    name: Statement(
        _by_person(
            select(events.c.user_id, events.c.timestamp)
            .where(events.c.sequence > SINCE, events.c.user_id.in_(select(each.table_valued("value").c.value)))
            .subquery()
        )
    )
    for name, each in LISTED.items()
}
SESSIONS = Statement(
    select(links.c.session_id, links.c.time)
    .where(links.c.user_id == bindparam("user_id", type_=TEXT))
    .order_by(links.c.time.desc(), links.c.session_id)
    .limit(MOST)
)


def people(connection: Connection, part: str, since: int, after: str, most: int) -> list[str]:
    """The next people whose id holds a part, in the order of ids: described ones, and those of the newest events.

    Parameters
    ----------
    since
        Only events with a higher sequence number.
    """
    values = {"part": like(part), "lower": like(part.lower()), "after": after, "most": most}
    rows = [*DESCRIBED.rows(connection, **values), *NEW.rows(connection, since=since, **values)]
    return sorted({user_id for (user_id,) in rows})[:most]


def lately(connection: Connection, since: int, most: int) -> list[Activity]:
    """Who did something since a sequence number, who did so last first."""
    return [Activity(*row) for row in LATELY.rows(connection, since=since, most=most)]


def activity(connection: Connection, user_ids: Sequence[str], since: int) -> list[Activity]:
    """Of these people, those who did something since a sequence number."""
    ids = msgspec.json.encode(list(user_ids)).decode()
    return [Activity(*row) for row in OF_PEOPLE[connection.dialect.name].rows(connection, ids=ids, since=since)]


def sessions(connection: Connection, user_id: str, most: int) -> list[tuple[str, int]]:
    """The sessions that were linked to a person, and when (µs UTC), the newest link first."""
    return [(session_id, time) for session_id, time in SESSIONS.rows(connection, user_id=user_id, most=most)]


def like(part: str) -> str:
    """A pattern for what holds this part."""
    for sign in (ESCAPE, "%", "_"):
        part = part.replace(sign, ESCAPE + sign)
    return f"%{part}%"
