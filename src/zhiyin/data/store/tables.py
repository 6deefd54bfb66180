"""The schema, once for SQLite and PostgreSQL. A change here needs a step in `migrations/versions`.

Times are µs UTC. Texts are compared byte by byte on both, so that the order of ids is the same everywhere.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Double,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    text,
)

METADATA = MetaData()

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""Ascending and never given twice, not even when the newest row is gone: readers remember how far they have read."""

OF_SESSION = text("session_id IS NOT NULL")


def of_nobody(table: Table) -> ColumnElement[bool]:
    """Rows without a person, where another column finds them.

    Written as the length that nobody has: of `IS NULL` SQLite makes a search through all rows of nobody, of which there
    may be millions.
    """
    return func.length(table.c.user_id).is_(None)


def _numbered(name: str) -> Column[int]:
    return Column(name, NUMBER, Identity(), primary_key=True)


events = Table(
    "events",
    METADATA,
    _numbered("sequence"),  # ascending in the order of commit
    Column("user_id", TEXT),
    Column("item_id", TEXT, nullable=False),
    Column("event_type", TEXT, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("event_id", TEXT, unique=True),  # the caller's own id, so that an event sent twice is stored once
    Column("value", Double),
    Column("price", Double),
    Column("quantity", Double),
    Column("request_id", TEXT),  # the answer that led to it
    Column("session_id", TEXT),
    Column("context", TEXT),
    Column("impressions", TEXT),
    CheckConstraint("user_id IS NOT NULL OR session_id IS NOT NULL", name="events_of_somebody"),
    Index("events_of_user", "user_id", "sequence"),
    Index("events_of_session", "session_id", "sequence", sqlite_where=OF_SESSION, postgresql_where=OF_SESSION),
    Index("events_received", "received"),
    sqlite_autoincrement=True,
)

items = Table(
    "items",
    METADATA,
    Column("item_id", TEXT, primary_key=True),
    Column("attributes", TEXT, nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
)

users = Table(
    "users",
    METADATA,
    Column("user_id", TEXT, primary_key=True),
    Column("attributes", TEXT, nullable=False),
    Column("personalised", Boolean, nullable=False),
    Column("consent", Boolean, nullable=False),
)

friends = Table(
    "friends",
    METADATA,
    Column("user_id", TEXT, primary_key=True),
    Column("friend_id", TEXT, primary_key=True),
    Column("weight", Double, nullable=False),
    Index("friends_of_friend", "friend_id"),
)

links = Table(
    "links",  # an anonymous session and the person who logged in
    METADATA,
    Column("session_id", TEXT, primary_key=True),
    Column("user_id", TEXT, nullable=False),
    Column("time", BigInteger, nullable=False),
    Index("links_of_user", "user_id", "time"),
)

impressions = Table(
    "impressions",
    METADATA,
    _numbered("number"),
    Column("request_id", TEXT, nullable=False),  # a caller may choose it, so that it may come twice
    Column("user_id", TEXT),
    Column("session_id", TEXT),
    Column("scenario", TEXT),
    Column("variant", TEXT),
    Column("version", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("items", TEXT, nullable=False),
    Column("context", TEXT),
    Index("impressions_of_request", "request_id"),
    Index("impressions_of_user", "user_id"),
    Index("impressions_of_session", "session_id"),
    Index("impressions_time", "time"),
    sqlite_autoincrement=True,
)

forgotten = Table(
    "forgotten",  # who was erased, as a digest that only the shop can make
    METADATA,
    Column("digest", TEXT, primary_key=True),
    Column("time", BigInteger, nullable=False),
)

changes = Table(
    "changes",  # at most one of a kind and id, the newest, so that the log is no longer than what it speaks of
    METADATA,
    _numbered("number"),
    Column("kind", TEXT, nullable=False),
    Column("id", TEXT, nullable=False),
    Index("changes_of_kind", "kind", "number"),
    Index("changes_of_id", "kind", "id", unique=True),
    sqlite_autoincrement=True,
)
