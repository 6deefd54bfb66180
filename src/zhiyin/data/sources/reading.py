"""What reading gives back: the tables, and an account of how they were read."""

import hashlib
from dataclasses import dataclass
from typing import Literal, TypeAlias

from zhiyin.data.settings import TableName
from zhiyin.data.tables import Tables

How: TypeAlias = Literal["exact", "alias", "mapped"]


@dataclass(frozen=True)
class Match:
    """A column of the source that was understood; `how` says by which means."""

    canonical: str
    theirs: str
    how: How


@dataclass(frozen=True)
class Recognised:
    """How the columns of one table were understood."""

    table: TableName
    matches: tuple[Match, ...]
    kept: tuple[str, ...] = ()  # columns that keep their own names
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # sentences: encodings, units of time, choices between two columns

    def theirs(self, canonical: str) -> str | None:
        """The source's name of a canonical column."""
        return next((match.theirs for match in self.matches if match.canonical == canonical), None)


@dataclass(frozen=True)
class Unreadable:
    """Values that could not be read and became null; with an empty `column`, whole rows that were left out."""

    table: TableName
    column: str
    count: int
    examples: tuple[tuple[int, str], ...]  # (1-based data row, the text as found, at most 80 characters)


@dataclass(frozen=True)
class SourceFile:
    """One file, query or frame that was read; `digest` is the sha256 of its whole content."""

    table: TableName
    name: str  # the path, or a database's URL without its secrets
    rows: int
    bytes: int
    digest: str


@dataclass(frozen=True)
class Reading:
    """The canonical tables, and what was recognised, unreadable and read on the way to them."""

    tables: Tables
    recognised: tuple[Recognised, ...]
    unreadable: tuple[Unreadable, ...]
    sources: tuple[SourceFile, ...]

    @property
    def fingerprint(self) -> str:
        """A sha256 over the names, sizes and whole contents of everything that was read."""
        parts = [f"{source.table}\0{source.name}\0{source.bytes}\0{source.digest}\n" for source in self.sources]
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    def place(self, table: TableName, row: int) -> str:
        """Where a row stands, as "file, row n": the rows of several files are counted on from one to the next."""
        for source in (source for source in self.sources if source.table == table):
            if row <= source.rows:
                return f"{source.name}, row {row}"
            row -= source.rows
        return f"{table}, row {row}"
