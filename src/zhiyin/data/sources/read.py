"""From settings, or from frames in memory, to the four canonical tables."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

import narwhals as nw
import polars as pl
from polars import selectors

from zhiyin.data.settings import TABLES, ColumnMap, DataSettings, Source, TableName
from zhiyin.data.sources import columns as known
from zhiyin.data.sources import sql
from zhiyin.data.sources.aliases import ITEM_ATTRIBUTES
from zhiyin.data.sources.canonical import EXAMPLES, LONGEST_EXAMPLE, Canonical, canonical, order_as_time
from zhiyin.data.sources.delimited import Raw, numbered
from zhiyin.data.sources.derived import items_of
from zhiyin.data.sources.files import Found, digest, expanded, read_file, renamed, wanted
from zhiyin.data.sources.reading import Reading, Recognised, SourceFile, Unreadable
from zhiyin.data.tables import Tables
from zhiyin.errors import ConfigError, DataError


@dataclass(frozen=True)
class _Part:
    """A table as it was found: raw columns under canonical names, from one or several sources."""

    raw: Raw
    recognised: Recognised
    sources: tuple[SourceFile, ...]


def read_tables(settings: DataSettings, columns: ColumnMap, root: Path) -> Reading:
    """The tables that zhiyin.toml names; `root` is the folder that its paths are relative to.

    Raises
    ------
    ConfigError
        When no events are named.
    DataError
        When a source is missing, empty, or lacks a column that is needed.
    """
    parts: dict[TableName, _Part] = {}
    for table in TABLES:
        source = settings.source(table)
        if source is not None:
            recogniser = _Recogniser(table, columns, settings)
            parts[table] = (
                _from_files(source, root, recogniser) if source.paths else _from_query(source, root, recogniser)
            )
    if "events" not in parts:
        raise ConfigError('data.events is missing: name the file of events in zhiyin.toml, as in events = "events.csv"')
    return _assembled(parts, settings)


def read_frames(
    events: Any,
    items: Any = None,
    users: Any = None,
    friends: Any = None,
    columns: ColumnMap | None = None,
    settings: DataSettings | None = None,
) -> Reading:
    """The tables of frames in memory: pandas, Polars, Arrow, whatever narwhals knows.

    Raises
    ------
    DataError
        When something is no frame, or lacks a column that is needed.
    """
    columns, settings = columns or ColumnMap(), settings or DataSettings()
    given = {"items": items is not None}
    parts: dict[TableName, _Part] = {}
    for table, frame in zip(TABLES, (events, items, users, friends), strict=True):
        if frame is not None:
            recogniser = _Recogniser(table, columns, settings, items_given=given["items"])
            parts[table] = _from_frame(_polars(frame, table), f"the {table} frame", recogniser)
    return _assembled(parts, settings)


@dataclass(frozen=True)
class _Recogniser:
    """Recognises the columns of one table under given settings."""

    table: TableName
    columns: ColumnMap
    settings: DataSettings
    items_given: bool = False

    def __call__(self, found: Sequence[str], place: str) -> Recognised:
        attributes = self.table == "events" and self.derives
        recognised = known.recognise(self.table, found, self.columns.of(self.table), place, attributes=attributes)
        timed = recognised.theirs("timestamp") is not None or self.settings.order_is_time
        if self.table == "events" and not timed:
            also = ", or set data.order_is_time = true where the order of the rows is all the time there is"
            raise known.missing("events", "timestamp", found, place, also)
        return recognised

    @property
    def derives(self) -> bool:
        """Whether the event lines describe the items."""
        return self.settings.items_from_events and self.settings.items is None and not self.items_given


def _from_files(source: Source, root: Path, recogniser: _Recogniser) -> _Part:
    paths = expanded(source.paths, root)
    with ThreadPoolExecutor(1) as hashing:  # hashes go on while the parser works
        digests = [hashing.submit(digest, path) for path in paths]
        found = [read_file(path, source, recogniser) for path in paths]
        files = tuple(
            _file(recogniser.table, path, root, one, future)
            for path, one, future in zip(paths, found, digests, strict=True)
        )
    recognised = [_with_notes(one.recognised, one.raw.notes) for one in found]
    return _Part(_stacked([one.raw for one in found], files), _agreed(recognised, paths), files)


def _file(table: TableName, path: Path, root: Path, found: Found, future: "Future[str]") -> SourceFile:
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    rows = max(int(found.raw.rows[-1]) if len(found.raw.rows) else 0, *(row for row, _ in found.raw.refused), 0)
    return SourceFile(table, name, rows, path.stat().st_size, future.result())


def _from_query(source: Source, root: Path, recogniser: _Recogniser) -> _Part:
    return _from_frame(sql.query(source, root), sql.redacted(source.url), recogniser)


def _from_frame(frame: pl.DataFrame, place: str, recogniser: _Recogniser) -> _Part:
    recognised = recogniser(frame.columns, place)
    raw = Raw(frame.select(wanted(recognised)), numbered(frame.height))
    hashed = _Hashed()
    texts = raw.frame.with_columns(selectors.categorical().cast(pl.String))  # codes differ from process to process
    texts.rechunk().write_ipc(cast(IO[bytes], hashed))
    source = SourceFile(recogniser.table, place, frame.height, hashed.size, hashed.sha.hexdigest())
    return _Part(renamed(raw, recognised), recognised, (source,))


class _Hashed(io.RawIOBase):
    """A file that remembers only the hash and the size of what was written."""

    def __init__(self) -> None:
        self.sha, self.size = hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.sha.update(data)
        self.size += len(data)
        return len(data)


def _polars(frame: Any, table: TableName) -> pl.DataFrame:
    try:
        native = nw.from_native(frame)
        eager = native.collect() if isinstance(native, nw.LazyFrame) else native
        return eager.to_polars()
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0][:160]
        raise DataError(
            f"the {table} are not a frame that can be read ({reason}): give pandas, Polars or Arrow"
        ) from error


def _stacked(parts: list[Raw], files: tuple[SourceFile, ...]) -> Raw:
    """Several files as one; their rows are counted on from one to the next."""
    if len(parts) == 1:
        return parts[0]
    try:
        frame = pl.concat([part.frame for part in parts], how="diagonal_relaxed")
    except pl.exceptions.PolarsError:
        texts = [part.frame.with_columns(pl.all().cast(pl.String)) for part in parts]
        frame = pl.concat(texts, how="diagonal_relaxed")
    rows, refused, before = [], [], 0
    for part, file in zip(parts, files, strict=True):
        rows.append(part.rows + before)
        refused += [(row + before, text) for row, text in part.refused]
        before += file.rows
    return Raw(frame, pl.concat([row.cast(pl.UInt32) for row in rows]), tuple(refused))


def _with_notes(recognised: Recognised, notes: Sequence[str]) -> Recognised:
    return replace(recognised, notes=(*recognised.notes, *notes))


def _agreed(several: list[Recognised], paths: list[Path]) -> Recognised:
    """How several files were recognised: as the first was, and what any other did otherwise."""
    first, notes = several[0], list(several[0].notes)
    for path, other in zip(paths[1:], several[1:], strict=True):
        if other.matches != first.matches:
            notes.append(f"{path.name} has other columns than {paths[0].name}; each was recognised by itself")
        notes += [f"{path.name}: {note}" for note in other.notes if note not in notes]
    matches = {match.canonical: match for one in reversed(several) for match in one.matches}
    kept = dict.fromkeys(name for one in several for name in one.kept)
    return replace(first, matches=tuple(matches.values()), kept=tuple(kept), notes=tuple(notes))


def _assembled(parts: Mapping[TableName, _Part], settings: DataSettings) -> Reading:
    frames: dict[TableName, pl.DataFrame] = {}
    recognised: list[Recognised] = []
    unreadable: list[Unreadable] = []
    for table, part in parts.items():
        if part.raw.frame.is_empty():
            names = ", ".join(source.name for source in part.sources)
            raise DataError(f"{names} has columns but no rows: give a file with at least one row of {table}")
        read = _canonical(table, part, settings)
        frames[table] = read.frame
        recognised.append(_with_notes(part.recognised, read.notes))
        unreadable += [*_refused(table, part.raw), *read.unreadable]
    if "items" not in frames and settings.items_from_events:
        items, account = items_of(frames["events"], parts["events"].recognised)
        if items is not None and account is not None:
            frames["items"] = items
            frames["events"] = frames["events"].drop([name for name in ITEM_ATTRIBUTES if name in items.columns])
            recognised.append(account)
    tables = Tables(frames["events"], frames.get("items"), frames.get("users"), frames.get("friends"))
    sources = tuple(source for part in parts.values() for source in part.sources)
    return Reading(tables, tuple(recognised), tuple(unreadable), sources)


def _canonical(table: TableName, part: _Part, settings: DataSettings) -> Canonical:
    matched = frozenset(match.canonical for match in part.recognised.matches)
    read = canonical(table, part.raw.frame, part.raw.rows, settings.day_first, matched)
    if table == "events" and "timestamp" not in matched:
        frame = read.frame.with_columns(order_as_time(part.raw.rows))
        note = "timestamp: the order of the rows, one second apart from 2000-01-01, because data.order_is_time is set"
        return replace(read, frame=frame, notes=(*read.notes, note))
    return read


def _refused(table: TableName, raw: Raw) -> list[Unreadable]:
    if not raw.refused:
        return []
    examples = tuple((row, text[:LONGEST_EXAMPLE]) for row, text in raw.refused[:EXAMPLES])
    return [Unreadable(table, "", len(raw.refused), examples)]
