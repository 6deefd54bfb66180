"""Everything that the live service keeps; a file of before keeps its events and their sequence numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OLD = "sequence, event_id, user_id, item_id, event_type, timestamp, value, price, quantity, request_id, received"


def upgrade() -> None:
    """Make the tables."""
    on_sqlite = op.get_context().dialect.name == "sqlite"
    old = on_sqlite and "events" in sa.inspect(op.get_bind()).get_table_names()
    if old:
        op.execute("DROP INDEX IF EXISTS events_of_user")
        op.rename_table("events", "events_before")
    _events()
    _described()
    _shown()
    op.create_table(
        "forgotten",
        sa.Column("digest", TEXT, primary_key=True),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "changes",
        sa.Column("number", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("changes_of_kind", "changes", ["kind", "number"])
    op.create_index("changes_of_id", "changes", ["kind", "id"], unique=True)
    if old:
        op.execute(f"INSERT INTO events ({OLD}) SELECT {OLD} FROM events_before ORDER BY sequence")  # noqa: S608 - our own names
        op.drop_table("events_before")
    if on_sqlite:
        op.execute("PRAGMA user_version = 2")  # so that an older zhiyin refuses the file


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("user_id", TEXT),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("event_type", TEXT, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("event_id", TEXT, unique=True),
        sa.Column("value", sa.Double),
        sa.Column("price", sa.Double),
        sa.Column("quantity", sa.Double),
        sa.Column("request_id", TEXT),
        sa.Column("session_id", TEXT),
        sa.Column("context", TEXT),
        sa.Column("impressions", TEXT),
        sa.CheckConstraint("user_id IS NOT NULL OR session_id IS NOT NULL", name="events_of_somebody"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_of_user", "events", ["user_id", "sequence"])
    some = sa.text("session_id IS NOT NULL")
    columns = ["session_id", "sequence"]
    op.create_index("events_of_session", "events", columns, sqlite_where=some, postgresql_where=some)
    op.create_index("events_received", "events", ["received"])


def _described() -> None:
    op.create_table(
        "items",
        sa.Column("item_id", TEXT, primary_key=True),
        sa.Column("attributes", TEXT, nullable=False),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("updated", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "users",
        sa.Column("user_id", TEXT, primary_key=True),
        sa.Column("attributes", TEXT, nullable=False),
        sa.Column("personalised", sa.Boolean, nullable=False),
        sa.Column("consent", sa.Boolean, nullable=False),
    )
    op.create_table(
        "friends",
        sa.Column("user_id", TEXT, primary_key=True),
        sa.Column("friend_id", TEXT, primary_key=True),
        sa.Column("weight", sa.Double, nullable=False),
    )
    op.create_index("friends_of_friend", "friends", ["friend_id"])
    op.create_table(
        "links",
        sa.Column("session_id", TEXT, primary_key=True),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    op.create_index("links_of_user", "links", ["user_id", "time"])


def _shown() -> None:
    op.create_table(
        "impressions",
        sa.Column("number", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("user_id", TEXT),
        sa.Column("session_id", TEXT),
        sa.Column("scenario", TEXT),
        sa.Column("variant", TEXT),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("items", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    for name in ("request", "user", "session"):
        op.create_index(f"impressions_of_{name}", "impressions", [f"{name}_id"])
    op.create_index("impressions_time", "impressions", ["time"])
