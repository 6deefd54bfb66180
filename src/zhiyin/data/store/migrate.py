"""Bring a database to the schema of this zhiyin: one transaction, however many processes try at once."""

import logging

from sqlalchemy import Connection, inspect, text

NEWEST = "0002"
"""The last of the steps in `migrations/versions`."""

VERSIONS = "alembic_version"
LOCK = 7_348_001
"""Of pg_advisory_xact_lock: who holds it may add events and changes, or change the schema."""


def missing(connection: Connection, name: str) -> list[str]:
    """The steps that this database lacks, oldest first; an empty database lacks all.

    Raises
    ------
    DataError
        If the database is not ours, or of a newer zhiyin; `name` says in the sentence which.
    """
    if _is_of_today(connection):
        return []
    logging.getLogger("alembic").setLevel(logging.WARNING)  # what it says at info helps nobody, and it begins at once
    from zhiyin.data.store import steps  # noqa: PLC0415 - Alembic loads for longer than this takes, and is hardly ever needed

    return steps.missing(connection, name)


def migrate(connection: Connection, name: str) -> list[str]:
    """Take the missing steps, and say which; the transaction is the caller's, and must keep others from writing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    lacking = missing(connection, name)
    if lacking:
        from zhiyin.data.store import steps  # noqa: PLC0415 - as above

        steps.take(connection)
    return lacking


def _is_of_today(connection: Connection) -> bool:
    if not inspect(connection).has_table(VERSIONS):
        return False
    return connection.execute(text(f"SELECT version_num FROM {VERSIONS}")).scalars().all() == [NEWEST]  # noqa: S608 - a name of ours
