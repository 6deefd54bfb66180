"""What training reads from the store, in bulk and of one moment: events, items, users and friends as tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import polars as pl
from sqlalchemy import Connection, and_, func, select

from zhiyin.data.encryption import is_token
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.changes import latest
from zhiyin.data.store.connect import read_at_once
from zhiyin.data.store.forgotten import since
from zhiyin.data.store.records import SESSION, Attributes, Item
from zhiyin.data.store.tables import events, friends, items, links, users

BLOCK_ROWS = 100_000

SEPARATOR = "|"
"""Between the entries of a list, as in the files."""

COLUMNS = {
    "user_id": pl.String,
    "item_id": pl.String,
    "event_type": pl.String,
    "timestamp": pl.Int64,
    "value": pl.Float32,
    "price": pl.Float32,
    "quantity": pl.Float32,
}


@dataclass(frozen=True)
class StoredTables:
    """The canonical columns of what is stored; sessions that nobody has logged in to are people of their own."""

    events: pl.DataFrame
    items: pl.DataFrame  # item_id, available where hidden, then the attributes that any item has
    users: pl.DataFrame  # user_id, then the attributes that anybody has
    friends: pl.DataFrame  # user_id, friend_id
    without_consent: list[str]  # people whose events must not be learned from, wherever they come from
    sequence: int  # the newest event that is in here
    change: int = 0  # the newest change of an item or a person that is in here
    forgotten: dict[str, int] = field(default_factory=dict)  # digest of who was erased to when, µs UTC


def read_tables(address: StoreAddress) -> StoredTables:
    """All that is stored; a file that does not exist yet is empty.

    Raises
    ------
    DataError
        If the database is not ours, or of another version.
    StoreError
        If it cannot be read.
    """
    if address.path is not None and not address.path.exists():
        return StoredTables(
            pl.DataFrame(schema=COLUMNS),
            pl.DataFrame(schema={"item_id": pl.String}),
            pl.DataFrame(schema={"user_id": pl.String}),
            pl.DataFrame(schema={"user_id": pl.String, "friend_id": pl.String}),
            [],
            0,
        )
    return read_at_once(address, _tables)


def _tables(connection: Connection) -> StoredTables:
    sequence = connection.execute(select(func.coalesce(func.max(events.c.sequence), 0))).scalar_one()
    refused = select(users.c.user_id).where(users.c.consent.is_(False)).order_by(users.c.user_id)
    known = connection.execute(select(friends.c.user_id, friends.c.friend_id)).fetchall()
    return StoredTables(
        _events(connection),
        _items(connection),
        _users(connection),
        pl.DataFrame(
            [tuple(row) for row in known], schema={"user_id": pl.String, "friend_id": pl.String}, orient="row"
        ),
        [user_id for (user_id,) in connection.execute(refused)],
        int(sequence),
        latest(connection),
        since(connection),
    )


def _events(connection: Connection) -> pl.DataFrame:
    """In the order of commit; a session's events are those of the person who has logged in to it."""
    who = func.coalesce(events.c.user_id, links.c.user_id).label("user_id")
    wanted = [events.c[name] for name in COLUMNS if name != "user_id"]
    owned = and_(events.c.user_id.is_(None), links.c.session_id == events.c.session_id)
    query = (
        select(events.c.sequence, who, *wanted, events.c.session_id)
        .join_from(events, links, owned, isouter=True)
        .order_by(events.c.sequence)
        .limit(BLOCK_ROWS)
    )
    schema = {"sequence": pl.Int64, **COLUMNS, "session_id": pl.String}
    blocks, last = [], 0
    while rows := connection.execute(query.where(events.c.sequence > last)).fetchall():
        blocks.append(pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row"))
        last = rows[-1][0]
    found = pl.concat(blocks) if blocks else pl.DataFrame(schema=schema)
    named = pl.coalesce("user_id", pl.lit(SESSION) + pl.col("session_id"))
    return found.with_columns(named.alias("user_id")).select(*COLUMNS)


def _items(connection: Connection) -> pl.DataFrame:
    rows = connection.execute(select(items.c.item_id, items.c.attributes, items.c.hidden)).fetchall()
    return items_frame([Item(item_id, msgspec.json.decode(kept), bool(hidden)) for item_id, kept, hidden in rows])


def _users(connection: Connection) -> pl.DataFrame:
    rows = connection.execute(select(users.c.user_id, users.c.attributes)).fetchall()
    described = ((user_id, msgspec.json.decode(kept)) for user_id, kept in rows)
    plain = [
        (user_id, {name: value for name, value in kept.items() if not is_token(value)}) for user_id, kept in described
    ]  # what is encrypted is nothing to learn from
    return _described("user_id", plain)


def items_frame(given: Sequence[Item]) -> pl.DataFrame:
    """item_id, and each attribute in a column of the type of its values; what is hidden is not available."""
    described = _described("item_id", [(item.item_id, item.attributes) for item in given])
    hidden = pl.Series([item.hidden for item in given], dtype=pl.Boolean)
    if not hidden.any():
        return described
    available = described["available"] if "available" in described.columns else pl.Series([None], dtype=pl.Boolean)
    shown = pl.select(pl.when(hidden).then(False).otherwise(available)).to_series()
    return described.with_columns(shown.alias("available"))


def _described(name: str, rows: Sequence[tuple[str, Attributes]]) -> pl.DataFrame:
    """Ids and their attributes, each in a column of the type of its values."""
    found = [attributes for _, attributes in rows]
    names = dict.fromkeys(key for attributes in found for key in attributes if key != name)
    columns = {name: pl.Series([row[0] for row in rows], dtype=pl.String)}
    return pl.DataFrame({**columns, **{key: _column([one.get(key) for one in found]) for key in names}})


def _column(values: list[Any]) -> pl.Series:
    """Of one type; what is of several becomes text."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int, float}:
        return pl.Series([None if value is None else float(value) for value in values], dtype=pl.Float64)
    if len(kinds) == 1 and kinds <= {str, int, float, bool}:
        return pl.Series(values, strict=False)
    return pl.Series([_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return SEPARATOR.join(str(one) for one in value)
    return msgspec.json.encode(value).decode()
