"""The sections [data] and [columns] of zhiyin.toml: where the tables come from, and what their columns are called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from zhiyin.errors import ConfigError

TableName: TypeAlias = Literal["events", "items", "users", "friends"]

TABLES: tuple[TableName, ...] = ("events", "items", "users", "friends")


@dataclass(frozen=True)
class Source:
    """Where one table lies: files (`path`), or a database (`url` and `query`)."""

    path: str | tuple[str, ...] = ()  # a file, a folder, a pattern such as "logs/*.csv.gz", or a list of these
    url: str = (
        ""  # sqlite:///shop.db (beside zhiyin.toml), sqlite:////srv/shop.db, postgresql://…; ${NAME}: environment
    )
    query: str = ""
    header: bool = True  # false: the first row is data already, and `columns` names the columns
    columns: tuple[str, ...] = ()  # names in file order; they replace a header
    separator: str = ""  # looked for in the file when empty
    encoding: str = ""  # looked for in the file when empty

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.url):
            raise ConfigError('a source needs either path or url: give one of them, as in {path = "events.csv"}')
        if bool(self.url) != bool(self.query):
            raise ConfigError(
                'a source needs url and query together, as in {url = "sqlite:///shop.db", query = "select …"}'
            )
        if not self.header and not self.columns:
            raise ConfigError('a source with header = false needs columns = ["user_id", "item_id", …] in file order')

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths as a list, however they were written; empty for a database."""
        return (self.path,) if isinstance(self.path, str) and self.path else tuple(self.path)


Where: TypeAlias = str | tuple[str, ...] | Source


@dataclass(frozen=True)
class DataSettings:
    """[data]: a source is a path, a list of paths, or a table with more to say."""

    events: Where | None = None
    items: Where | None = None
    users: Where | None = None
    friends: Where | None = None
    items_from_events: bool = True  # without an items source: titles and prices of the event lines describe the items
    order_is_time: bool = False  # for events without any time: the order of the rows is the order of what happened
    day_first: bool | None = None  # 01/02/2010 is 1 February; when not said, the column itself decides

    def source(self, table: TableName) -> Source | None:
        """The source of a table, `None` when it has none."""
        where: Where | None = getattr(self, table)
        return where if where is None or isinstance(where, Source) else Source(path=where)


@dataclass(frozen=True)
class ColumnMap:
    """[columns.*]: canonical name = the name in the source; an empty text means "do not look for it"."""

    events: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    friends: Mapping[str, str] = field(default_factory=dict)

    def of(self, table: TableName) -> Mapping[str, str]:
        """The names given for one table."""
        names: Mapping[str, str] = getattr(self, table)
        return names
