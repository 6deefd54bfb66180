"""Tables from databases: SQLite by the standard library, PostgreSQL by ADBC (the extra `postgres`).

No secret of a URL appears in an error, a name or a fingerprint. A query is run as it is written, on a connection that
may only read.
"""

import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import polars as pl

from zhiyin.data.settings import Source
from zhiyin.data.sources.environment import with_environment
from zhiyin.data.sources.files import expanded
from zhiyin.errors import ConfigError, DataError, MissingExtraError

SQLITE = "sqlite:///"
POSTGRES = ("postgresql", "postgres")


def query(source: Source, root: Path) -> pl.DataFrame:
    """The rows that a query answers.

    Raises
    ------
    DataError
        When the database cannot be reached or refuses the query.
    MissingExtraError
        For PostgreSQL without its driver.
    """
    url = with_environment(source.url)
    if url.startswith(SQLITE):
        return _sqlite(url.removeprefix(SQLITE), source.query, root)
    if urlsplit(url).scheme.partition("+")[0] in POSTGRES:
        return _postgres(url, source.query)
    raise ConfigError(
        f"{redacted(source.url)} is no database that can be read: use sqlite:///FILE or postgresql://HOST/NAME"
    )


def redacted(url: str) -> str:
    """A URL without user, password and parameters."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", "")) if parts.netloc else url.partition("?")[0]


def _sqlite(path: str, text: str, root: Path) -> pl.DataFrame:
    (file,) = expanded([unquote(path.partition("?")[0])], root)[:1]
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
        try:
            cursor = connection.execute(text)
            names = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchall()
        finally:
            connection.close()
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise DataError(f"{file.name} refused the query ({error}): correct url or query in zhiyin.toml") from error
    return _frame(rows, names)


def _frame(rows: list[tuple[object, ...]], names: list[str]) -> pl.DataFrame:
    """Columns of one type each, whatever SQLite holds in them: a column of mixed types becomes text."""
    columns = {}
    for position, name in enumerate(names):
        values = [row[position] for row in rows]
        kinds = {type(value) for value in values} - {type(None)}
        if kinds == {int, float}:
            values = [None if value is None else float(value) for value in values]  # type: ignore[arg-type]  # int or float
        elif len(kinds) > 1:
            values = [None if value is None else str(value) for value in values]
        columns[name] = pl.Series(name, values, dtype=None if kinds else pl.String)
    return pl.DataFrame(columns)


def _postgres(url: str, text: str) -> pl.DataFrame:
    try:
        from adbc_driver_manager import Error  # noqa: PLC0415 - optional, heavy
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415 - optional, heavy
    except ImportError as error:
        raise MissingExtraError("adbc-driver-postgresql", "postgres") from error
    scheme, rest = url.split("://", 1)
    try:
        with dbapi.connect(f"{scheme.partition('+')[0]}://{rest}") as connection, connection.cursor() as cursor:
            cursor.execute("set transaction read only")
            cursor.execute(text)
            table = cursor.fetch_arrow_table()
    except Error as error:
        reason = _safe(str(error), url)
        raise DataError(f"{redacted(url)} refused the query ({reason}): correct url or query in zhiyin.toml") from None
    for position, field in enumerate(table.schema):
        storage = getattr(field.type, "storage_type", None)  # numeric, uuid and the like come as named texts
        if storage is not None:
            table = table.set_column(position, field.name, table.column(position).cast(storage))
    return pl.DataFrame(pl.from_arrow(table))


def _safe(message: str, url: str) -> str:
    """The reason that a driver gives, on one line and without anything that the URL keeps secret."""
    parts = urlsplit(url)
    secrets = {url, parts.netloc, parts.query, parts.password or "", unquote(parts.password or "")}
    for secret in sorted(secrets - {""}, key=len, reverse=True):
        message = message.replace(secret, "…")
    return " ".join(message.split())[:200]
