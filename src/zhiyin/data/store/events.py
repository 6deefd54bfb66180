"""Events and shown lists: appended in the order of commit, pruned by age."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    select,
)  # fmt: skip

from zhiyin.data.store.records import Appended, Event, Impression
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import events, impressions

INSERT = Statement(insert(events).inline(), Event._fields)
SHOWN = Statement(insert(impressions).inline(), Impression._fields)
COUNT = Statement(select(func.count()).select_from(events))
LAST = Statement(select(func.coalesce(func.max(events.c.sequence), literal_column("0"))))


def _pruning(table: Table, number: ColumnElement[int], time: ColumnElement[int]) -> Statement:
    old = select(number).where(time < bindparam("before")).order_by(time).limit(bindparam("most"))
    return Statement(delete(table).where(number.in_(old)))


PRUNE = {
    "events": _pruning(events, events.c.sequence, events.c.received),
    "impressions": _pruning(impressions, impressions.c.number, impressions.c.time),
}

IDS = bindparam("ids", type_=Text)  # JSON, so that any number of them is one value
LISTED = {"sqlite": func.json_each(IDS), "postgresql": func.json_array_elements_text(cast(IDS, JSON))}
KNOWN = {
    name: Statement(select(events.c.event_id).where(events.c.event_id.in_(select(each.table_valued("value").c.value))))
    for name, each in LISTED.items()
}


def last(connection: Connection) -> int:
    """The highest sequence number, or 0."""
    ((number,),) = LAST.rows(connection)
    return int(number)


def append(connection: Connection, calls: Sequence[Sequence[Event]]) -> list[Appended]:
    """Store the events of several calls, an `event_id` only once; what became of each call."""
    known = _known(connection, (event.event_id for call in calls for event in call if event.event_id is not None))
    rows: list[Event] = []
    done = []
    for call in calls:
        before = len(rows)
        for event in call:
            if event.event_id is not None:
                if event.event_id in known:
                    continue
                known.add(event.event_id)
            rows.append(event)
        stored = len(rows) - before
        done.append(Appended(stored, len(call) - stored))
    INSERT.many(connection, rows)
    return done


def append_all(connection: Connection, calls: Sequence[Sequence[Event]], shown: Iterable[Impression]) -> list[Appended]:
    """The same, and lists that were shown."""
    SHOWN.many(connection, shown)
    return append(connection, calls)


def prune(connection: Connection, table: str, before: int, most: int) -> int:
    """Delete the oldest rows of "events" or "impressions" of before a moment (µs UTC), at most `most`; how many."""
    return PRUNE[table].run(connection, before=before, most=most)


def _known(connection: Connection, event_ids: Iterable[str]) -> set[str]:
    """Which of these are in the table."""
    asked = list(event_ids)
    if not asked:
        return set()
    rows = KNOWN[connection.dialect.name].rows(connection, ids=msgspec.json.encode(asked).decode())
    return {found for (found,) in rows}
