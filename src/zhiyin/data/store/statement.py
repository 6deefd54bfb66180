"""A statement that is compiled once per database and then run as text: building it anew costs more than running it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, Dialect
from sqlalchemy.sql import ClauseElement


class _Compiled(NamedTuple):
    text: str
    order: tuple[str, ...]  # names of the values, as the text asks for them
    fixed: dict[str, Any]  # those that SQLAlchemy adds of itself, such as an offset of 0

    def given(self, values: dict[str, Any]) -> tuple[Any, ...]:
        """The values in their order."""
        known = {**self.fixed, **values} if self.fixed else values
        return tuple([known[name] for name in self.order])


class Statement:
    """`Statement(select(…)).rows(connection, name=value)`; every value is a bound parameter."""

    def __init__(self, clause: ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._clause = clause
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}  # by the name of the dialect

    def rows(self, connection: Connection, **values: Any) -> Sequence[tuple[Any, ...]]:
        """All rows."""
        if connection.dialect.name == "sqlite":  # past SQLAlchemy, whose accounts take longer than SQLite's answer
            compiled = self._for(connection.dialect)
            return connection.connection.cursor().execute(compiled.text, compiled.given(values)).fetchall()
        return self._run(connection, values).fetchall()

    def run(self, connection: Connection, **values: Any) -> int:
        """The number of rows that it has changed."""
        return self._run(connection, values).rowcount

    def many(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Once for each row, whose values stand in the order of `columns`."""
        if given := list(rows):
            connection.exec_driver_sql(self._for(connection.dialect).text, given)

    def _run(self, connection: Connection, values: dict[str, Any]) -> CursorResult[Any]:
        compiled = self._for(connection.dialect)
        return connection.exec_driver_sql(compiled.text, compiled.given(values))

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            compiled = self._clause.compile(dialect=dialect, column_keys=self._columns)
            order = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]  # a compiled statement of SQL has it
            if self._columns is not None and order != tuple(self._columns):
                raise AssertionError(f"{self._columns} should be in the order of {order}")
            fixed = {name: value for name, value in compiled.params.items() if name.startswith("param_")}
            found = self._compiled[dialect.name] = _Compiled(str(compiled), order, fixed)
        return found
