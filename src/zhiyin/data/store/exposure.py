"""How often one item was shown of late, and what came of it."""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, literal_column, select

from zhiyin.data.store.finding import ESCAPE, like
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import NUMBER, TEXT, events, impressions

MOST_LISTS, MOST_EVENTS = 50_000, 200_000
"""The newest are looked at."""
LIST = msgspec.json.Decoder(list[tuple[str, float]])
SINCE = bindparam("since", type_=NUMBER)

_recent = (
    select(impressions.c.request_id, impressions.c.time, impressions.c["items"])
    .where(impressions.c.time >= SINCE)
    .order_by(impressions.c.time.desc())
    .limit(literal_column(str(MOST_LISTS)))
    .subquery()
)
LISTS = Statement(select(_recent).where(_recent.c["items"].like(bindparam("part", type_=TEXT), escape=ESCAPE)))
_answers = (
    select(events.c.request_id, events.c.event_type, events.c.item_id)
    .where(events.c.received >= SINCE)
    .order_by(events.c.received.desc())
    .limit(literal_column(str(MOST_EVENTS)))
    .subquery()
)
ANSWERS = Statement(
    select(_answers.c.request_id, _answers.c.event_type).where(
        _answers.c.item_id == bindparam("item_id", type_=TEXT), _answers.c.request_id.is_not(None)
    )
)


class Shown(NamedTuple):
    """One list with the item on it."""

    time: int  # µs UTC
    place: int  # from 1
    followed: tuple[str, ...]  # types of the events on this item that name the list


def shown(connection: Connection, item_id: str, since: int) -> list[Shown]:
    """The lists since a moment (µs UTC) that had the item, in any order."""
    answers: dict[str, list[str]] = {}
    for request_id, event_type in ANSWERS.rows(connection, item_id=item_id, since=since):
        answers.setdefault(request_id, []).append(event_type)
    found = []
    part = like(msgspec.json.encode(item_id).decode())
    for request_id, time, written in LISTS.rows(connection, part=part, since=since):
        items = [one for one, _ in LIST.decode(written)]
        if item_id in items:
            found.append(Shown(time, items.index(item_id) + 1, tuple(answers.get(request_id, ()))))
    return found
