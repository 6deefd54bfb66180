"""All that is held on one person: to show it, and to delete it."""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, bindparam, delete, or_, select

from zhiyin.data.store import changes as log
from zhiyin.data.store.forgotten import forget
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import TEXT, events, friends, impressions, links, of_nobody, users

USER = bindparam("user_id", type_=TEXT)
DOCUMENTS = {"users": {"attributes"}, "events": {"context", "impressions"}, "impressions": {"items", "context"}}


def _of(table: Table) -> ColumnElement[bool]:
    """Rows with the person's id, and those without any of a session that is linked to the person."""
    mine: Select[Any] = select(links.c.session_id).where(links.c.user_id == USER)
    return or_(table.c.user_id == USER, and_(of_nobody(table), table.c.session_id.in_(mine)))


HELD: dict[Table, ColumnElement[bool]] = {
    events: _of(events),
    impressions: _of(impressions),
    users: users.c.user_id == USER,
    friends: or_(friends.c.user_id == USER, friends.c.friend_id == USER),
    links: links.c.user_id == USER,  # last: the others are found by them
}
EXPORT = {table.name: Statement(select(table).where(held)) for table, held in HELD.items()}
ERASE = {table.name: Statement(delete(table).where(held)) for table, held in HELD.items()}
SHOWN_UNTIL = Statement(
    delete(impressions).where(impressions.c.user_id == USER, impressions.c.time <= bindparam("until"))
)
COLUMNS = {table.name: [column.name for column in table.columns] for table in HELD}


def export(connection: Connection, user_id: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that is held on a person, as plain data: rows by table."""
    return {
        name: [_plain(name, row) for row in statement.rows(connection, user_id=user_id)]
        for name, statement in EXPORT.items()
    }


def erase(connection: Connection, user_id: str, digest: str, time: int) -> dict[str, int]:
    """Delete everything that is held on a person, and note the digest of whom and when; rows per table.

    The change that tells the workers is of "all", so that not even the log keeps the id.
    """
    done = {name: statement.run(connection, user_id=user_id) for name, statement in ERASE.items()}
    forget(connection, digest, time)
    log.forget(connection, "person", user_id)
    log.record(connection, "all", [""])
    return done


def erase_shown(connection: Connection, user_id: str, until: int) -> int:
    """Delete lists that were shown to a person up to a moment (µs UTC); how many."""
    return SHOWN_UNTIL.run(connection, user_id=user_id, until=until)


def _plain(table: str, row: Any) -> dict[str, Any]:
    documents = DOCUMENTS.get(table, set())
    found = dict(zip(COLUMNS[table], row, strict=True))
    read = {name: msgspec.json.decode(found[name]) for name in documents if found[name] is not None}
    agreed: dict[str, Any] = {
        name: bool(found[name]) for name in ("personalised", "consent") if name in found
    }  # SQLite has 0 and 1
    return {**found, **read, **agreed}
