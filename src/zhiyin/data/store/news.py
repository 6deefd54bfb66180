"""What happened around one person or session since somebody looked, in one cheap reading: one statement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql import CompoundSelect

from zhiyin.data.store.records import Change, Event, News, Stored
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import NUMBER, TEXT, changes, events, links, of_nobody, users

MOST_CHANGES = 1_000
"""Changes of people that one reading tells; who has missed more must forget everybody."""

MOST_SESSIONS = 100
"""Linked sessions of a person whose events count at once, those linked last; training counts all of them."""

EVENT, CHANGE, LATEST, LINK, PERSON = range(5)
FIELDS = [events.c[name] for name in Event._fields]
USER, SESSION = bindparam("user_id", type_=TEXT), bindparam("session_id", type_=TEXT)
AFTER, MOST = bindparam("after", type_=NUMBER), bindparam("most", type_=NUMBER)


def _row(what: int, number: ColumnElement[Any], **values: ColumnElement[Any]) -> Select[Any]:
    """A row of the one shape that all parts of the answer have."""
    blank = {field.name: cast(null(), field.type) for field in FIELDS}
    columns = {**blank, **values}
    return select(
        literal_column(str(what)).label("what"),
        cast(number, NUMBER).label("number"),
        *(columns[field.name].label(field.name) for field in FIELDS),
    )


def _newest(found: Select[Any]) -> Select[Any]:
    newest = found.where(events.c.sequence > AFTER).order_by(events.c.sequence.desc()).limit(MOST)
    return select(newest.subquery())


def _events(found: Select[Any] | CompoundSelect[Any]) -> Select[Any]:
    """Rows of events; the newest of all parts."""
    inner = found.subquery()
    newest = select(inner).order_by(inner.c.sequence.desc()).limit(MOST).subquery()
    return _row(EVENT, newest.c.sequence, **{field.name: newest.c[field.name] for field in FIELDS}).select_from(newest)


def _told() -> list[Select[Any]]:
    """Changes of people, and the number of the latest change."""
    of_people = changes.c.kind.in_([literal_column("'person'"), literal_column("'all'")])
    recent = (
        select(changes)
        .where(of_people, changes.c.number > bindparam("changes_after"))
        .order_by(changes.c.number)
        .limit(literal_column(str(MOST_CHANGES + 1)))
        .subquery()
    )
    return [
        _row(CHANGE, recent.c.number, user_id=recent.c.kind, item_id=recent.c.id).select_from(recent),
        _row(LATEST, select(func.coalesce(func.max(changes.c.number), literal_column("0"))).scalar_subquery()),
    ]


def _of_person() -> Statement:
    mine = (
        select(links.c.session_id, links.c.time)
        .where(links.c.user_id == USER)
        .order_by(links.c.time.desc(), links.c.session_id)
        .limit(literal_column(str(MOST_SESSIONS)))
        .subquery()
    )
    own = select(events.c.sequence, *FIELDS).where(events.c.user_id == USER)
    linked = (
        select(events.c.sequence, *FIELDS)
        .where(events.c.user_id.is_(None))
        .join_from(mine, events, events.c.session_id == mine.c.session_id)
    )
    person = select(users.c.user_id, users.c.personalised).where(users.c.user_id == USER).subquery()
    flag = case((person.c.personalised, literal_column("1")), else_=literal_column("0"))
    parts = [
        _events(union_all(_newest(own), _newest(linked))),
        *_told(),
        _row(LINK, mine.c.time, session_id=mine.c.session_id).select_from(mine),
        _row(PERSON, flag).select_from(person),
    ]
    return Statement(union_all(*parts))


def _of_session() -> Statement:
    own = select(events.c.sequence, *FIELDS).where(events.c.session_id == SESSION, events.c.user_id.is_(None))
    return Statement(union_all(_events(_newest(own)), *_told()))


def _since() -> tuple[Statement, Statement, Statement]:
    """The number of the latest change, and whether a person or a session has done something since.

    The last one is of a person of whom nothing is held: whether there is a linked session or a wish, too.
    """
    latest = select(func.coalesce(func.max(changes.c.number), literal_column("0"))).scalar_subquery()
    newer, nobody = events.c.sequence > AFTER, of_nobody(events)
    own = exists().where(events.c.user_id == USER, newer)
    linked = exists().where(links.c.user_id == USER, events.c.session_id == links.c.session_id, nobody, newer)
    alone = exists().where(events.c.session_id == SESSION, nobody, newer)
    link = exists().where(links.c.user_id == USER)
    wish = exists().where(users.c.user_id == USER, users.c.personalised.is_(False))
    of_person, of_session, said = (
        Statement(select(latest, one)) for one in (or_(own, linked), alone, or_(own, link, wish))
    )
    return of_person, of_session, said


OF_PERSON, OF_SESSION = _of_person(), _of_session()
SINCE_OF_PERSON, SINCE_OF_SESSION, SAID_OF_PERSON = _since()
PEOPLE = Statement(select(events.c.user_id).distinct().where(events.c.sequence > AFTER, events.c.user_id.is_not(None)))
UNPERSONALISED = Statement(select(users.c.user_id).where(users.c.personalised.is_(False)))
LINKED = Statement(
    select(links.c.user_id)
    .distinct()
    .join_from(links, events, events.c.session_id == links.c.session_id)
    .where(events.c.sequence > AFTER, events.c.user_id.is_(None))
)


def news(
    connection: Connection,
    user_id: str | None,
    session_id: str | None,
    *,
    after: int,
    most: int,
    changes_after: int | None = None,
) -> News:
    """Events of a person, those of linked sessions included; without a person, those of a session.

    Parameters
    ----------
    after
        Only events with a higher sequence number.
    most
        Only so many, the newest.
    changes_after
        Only changes with a higher number; `None` tells none, for who holds nothing yet.
    """
    values = {"after": after, "most": most, "changes_after": LARGEST if changes_after is None else changes_after}
    if user_id is not None:
        rows = OF_PERSON.rows(connection, user_id=user_id, **values)
    else:
        rows = OF_SESSION.rows(connection, session_id=session_id, **values)
    return _news(rows)


LARGEST = 2**63 - 1


def quiet(
    connection: Connection, user_id: str | None, session_id: str | None, *, after: int, change: int, held: bool = True
) -> bool:
    """Whether `news` would tell nothing to who knows all events up to one and all changes up to one.

    A fraction of what `news` takes, and the answer to most questions. Who holds nothing of somebody yet knows of no
    linked sessions and wishes either: there must be none.
    """
    if user_id is not None:
        rows = (SINCE_OF_PERSON if held else SAID_OF_PERSON).rows(connection, user_id=user_id, after=after)
    else:
        rows = SINCE_OF_SESSION.rows(connection, session_id=session_id, after=after)
    ((latest, said),) = rows
    return latest == change and not said


def active(connection: Connection, after: int) -> list[str]:
    """Of whom the store says what a release cannot know that was trained up to a sequence number, sorted."""
    did = [*PEOPLE.rows(connection, after=after), *LINKED.rows(connection, after=after)]
    rows = [*did, *UNPERSONALISED.rows(connection)]
    return sorted({user_id for (user_id,) in rows})


def _news(rows: Sequence[tuple[Any, ...]]) -> News:
    found: list[Stored] = []
    told: list[Change] = []
    sessions: list[tuple[int, str]] = []
    change, personalised = 0, True
    for what, number, *values in rows:
        if what == EVENT:
            found.append((number, Event(*values)))
        elif what == CHANGE:
            told.append(Change(number, values[0], values[1]))
        elif what == LATEST:
            change = number
        elif what == LINK:
            sessions.append((number, values[SESSION_AT]))
        else:
            personalised = bool(number)
    found.sort()
    told.sort()
    if len(told) > MOST_CHANGES:
        told = [Change(change, "all", "")]
    return News(found, told, change, [one for _, one in sorted(sessions, reverse=True)], personalised)


SESSION_AT = Event._fields.index("session_id")
