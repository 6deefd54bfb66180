"""The log by which every worker learns what to forget or to read anew."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, func, insert, literal_column, select

from zhiyin.data.store.records import Kind
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import changes

REPLACED = Statement(
    delete(changes).where(changes.c.kind == bindparam("kind"), changes.c.id == bindparam("id")), ("kind", "id")
)
ADDED = Statement(insert(changes).inline(), ("kind", "id"))
LATEST = Statement(select(func.coalesce(func.max(changes.c.number), literal_column("0"))))


def record(connection: Connection, kind: Kind, ids: Sequence[str]) -> None:
    """Say that these have changed; what was said of them before is no longer needed."""
    rows = [(kind, one) for one in dict.fromkeys(ids)]
    REPLACED.many(connection, rows)
    ADDED.many(connection, rows)


def forget(connection: Connection, kind: Kind, one: str) -> None:
    """Leave no trace of an id in the log."""
    REPLACED.run(connection, kind=kind, id=one)


def latest(connection: Connection) -> int:
    """The number of the newest change; 0 if there was none."""
    return int(LATEST.rows(connection)[0][0])
