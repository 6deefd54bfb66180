"""A first zhiyin.toml: look at the beginning of some files and write down, with comments, what was understood."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from zhiyin.data.sensitive import guess
from zhiyin.data.settings import Source, TableName
from zhiyin.data.sources.columns import REQUIRED, recognise
from zhiyin.data.sources.files import expanded, headless, peeked
from zhiyin.data.sources.reading import Recognised
from zhiyin.data.sources.sniff import Shape
from zhiyin.data.sources.times import parsed

YEARS = (631_152_000_000_000, 4_102_444_800_000_000)  # 1990 to 2100 in µs: numbers that may be times
WEIGHTS = {"view": 0.2, "click": 0.3, "cart": 0.5, "add_to_cart": 0.5, "addtocart": 0.5}  # a purchase weighs 1


@dataclass(frozen=True)
class Proposal:
    """The text of a zhiyin.toml, and how the columns of each file were recognised in its first rows."""

    text: str
    recognised: tuple[Recognised, ...]


@dataclass(frozen=True)
class _Look:
    """The beginning of one file, understood."""

    path: str
    shape: Shape
    frame: pl.DataFrame
    recognised: Recognised
    guessed: tuple[str, ...] = ()  # names for the columns of a file without a header


def propose(
    events: Path, items: Path | None = None, users: Path | None = None, friends: Path | None = None
) -> Proposal:
    """A zhiyin.toml for these files, whose paths are written as they are given.

    Raises
    ------
    DataError
        When a file is missing, no table, or has no column that can be a user or an item.
    """
    looks: dict[TableName, _Look | None] = {
        "events": _look("events", events, attributes=items is None),
        "items": _look("items", items),
        "users": _look("users", users),
        "friends": _look("friends", friends),
    }
    lines = ["# What zhiyin reads, learns and serves. Paths are relative to this file.", "", "[data]"]
    for table, look in looks.items():
        lines += _data_lines(table, look)
    seen = {table: look for table, look in looks.items() if look is not None}
    if not seen["events"].recognised.theirs("timestamp"):
        lines.append("order_is_time = true  # no column of times was found: the order of the rows is taken for it")
    for table, look in seen.items():
        lines += ["", *_column_lines(table, look)]
    lines += ["", *_privacy_lines(seen), "", *_weight_lines(seen["events"])]
    return Proposal("\n".join(lines) + "\n", tuple(look.recognised for look in seen.values()))


def _look(table: TableName, path: Path | None, *, attributes: bool = False) -> _Look | None:
    if path is None:
        return None
    file = expanded([str(path)], Path())[0]
    shape, frame = peeked(file, Source(path=str(path)))
    guessed: tuple[str, ...] = ()
    if shape.format == "delimited" and headless(shape.columns):
        whole = pl.concat([pl.DataFrame([shape.columns], schema=frame.schema, orient="row"), frame])
        guessed = _guessed(table, whole)
        frame = whole.rename(dict(zip(whole.columns, guessed, strict=True)))
    recognised = recognise(table, frame.columns, {}, shape.place, attributes=attributes)
    return _Look(path.as_posix(), shape, frame, recognised, guessed)


def _guessed(table: TableName, frame: pl.DataFrame) -> tuple[str, ...]:
    """Names for columns that have none: ids come first, a time looks like one, the next number is a value."""
    names: list[str] = []
    left, timed = list(REQUIRED[table]), table != "events"
    for position, column in enumerate(frame, 1):
        if not timed and _is_time(column):
            names.append("timestamp")
            timed = True
        elif left:
            names.append(left.pop(0))
        elif table == "events" and "value" not in names and column.cast(pl.Float64, strict=False).null_count() == 0:
            names.append("value")
        else:
            names.append(f"column_{position}")
    return tuple(names)


def _is_time(column: pl.Series) -> bool:
    times = parsed(column).values
    return len(times) > 0 and times.null_count() == 0 and bool(times.is_between(*YEARS).all())


def _data_lines(table: TableName, look: _Look | None) -> list[str]:
    if look is None:
        hints = {
            "items": "title, category, brand, price, …",
            "users": "one row per user",
            "friends": "user_id, friend_id",
        }
        return [f'# {table} = "{table}.csv"  # {hints[table]}'] if table in hints else []
    if not look.guessed:
        return [f"{table} = {_text(look.path)}"]
    names = ", ".join(_text(name) for name in look.guessed)
    source = f"{{ path = {_text(look.path)}, header = false, columns = [{names}] }}"
    return [f"{table} = {source}  # the file has no header: these names are guessed, please check them"]


def _column_lines(table: TableName, look: _Look) -> list[str]:
    recognised = look.recognised
    lines = [f"[columns.{table}]  # canonical name = the name in {look.shape.place}"]
    lines += [f"{match.canonical} = {_text(match.theirs)}" for match in recognised.matches]
    lines += [f"# {_one_line(note)}" for note in (*look.shape.notes, *recognised.notes)]
    if recognised.kept:
        lines.append(f"# kept under their own names: {_names(recognised.kept)}")
    if recognised.ignored:
        lines.append(f"# not used: {_names(recognised.ignored)}")
    return lines


def _privacy_lines(looks: dict[TableName, _Look]) -> list[str]:
    columns = []
    for table, look in looks.items():
        found = guess(table, look.frame.select(look.recognised.kept))
        columns += [one.column for one in found]
    lines = ["[privacy]", "# Columns that say who somebody is, and never become features:"]
    return [*lines, f"sensitive = [{', '.join(_text(name) for name in dict.fromkeys(columns))}]"]


def _weight_lines(events: _Look) -> list[str]:
    column = events.recognised.theirs("event_type")
    if column is None:
        return ["# [weights]  # event type = how much it counts, once the events have types", "# purchase = 1.0"]
    kinds = events.frame[column].cast(pl.String).drop_nulls().str.strip_chars().unique().sort().head(20)
    lines = ["[weights]  # event type = how much it counts; a type not named counts 1"]
    return [*lines, *(f"{_text(kind)} = {WEIGHTS.get(kind.lower(), 1.0)}" for kind in kinds if kind)]


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(_one_line(name) for name in names[:20])
    return f"{shown}, …" if len(names) > 20 else shown


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


def _text(value: str) -> str:
    """A TOML text: JSON writes the same, but for the delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
