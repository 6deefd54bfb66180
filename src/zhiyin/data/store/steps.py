"""The steps by which a database of any earlier schema becomes one of today; Alembic takes them."""

import threading
from pathlib import Path

from alembic.command import upgrade
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from zhiyin.errors import DataError

FOLDER = Path(__file__).parent / "migrations"
OLD_FILE = 1  # PRAGMA user_version of before there were migrations
_alone = threading.Lock()  # Alembic's context is one per process


def missing(connection: Connection, name: str) -> list[str]:
    """The steps that this database lacks, oldest first; raises as `zhiyin.data.store.migrate.missing` does."""
    script = ScriptDirectory.from_config(_config(connection))
    steps = [step.revision for step in script.walk_revisions()][::-1]
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        _check_foreign(connection, name)
        return steps
    if current not in steps:
        raise DataError(
            f"{name} has the schema {current[:20]}, this zhiyin knows none after {steps[-1]}: "
            "use the zhiyin that wrote it, or a newer one"
        )
    return steps[steps.index(current) + 1 :]


def take(connection: Connection) -> None:
    """Take all steps that are missing."""
    with _alone:
        upgrade(_config(connection), "head")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _check_foreign(connection: Connection, name: str) -> None:
    """Refuse tables that are not ours; a file of before there were migrations is."""
    tables = inspect(connection).get_table_names()
    version = 0
    if connection.dialect.name == "sqlite":
        version = int(connection.execute(text("PRAGMA user_version")).scalar_one())
        ours = {0: not tables, OLD_FILE: "events" in tables}
        if not ours.get(version):
            raise DataError(
                f"{name} has the schema version {version}, which is no store of this zhiyin: check serve.store, or "
                "use the zhiyin that wrote it"
            )
    elif {"events", "items", "users"} & set(tables):
        raise DataError(f"{name} holds tables of something else: give zhiyin a database or a schema of its own")
