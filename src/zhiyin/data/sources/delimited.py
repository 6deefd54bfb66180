"""Delimited text: quickly when the file is clean, carefully when it is not.

The quick way is one pass of Polars over the columns that are needed: numbers as numbers where the first rows are such,
all else as text, and all as text where a later row is no number. Only what it stumbles over then (another encoding,
lines with too many fields, stray quotes) goes the careful way: the text is decoded whole, cut into records
one by one, and the records whose number of fields is wrong are left out and named. Short lines are found in both ways;
an empty line counts as a row and holds nothing.
"""

import csv
import gzip
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from zhiyin.compute.threads import over_blocks
from zhiyin.data.sources.sniff import Shape, guessed_encoding, records
from zhiyin.data.sources.sniff import beginning as head
from zhiyin.errors import DataError

BATCH = 200_000  # records that become a frame at once in the careful way
BLOCK = 2**20  # bytes that are counted at once
UNSURE = -(2**62)  # a count that no number of separators makes good
PLAIN_NUMBERS: dict[pl.DataType, str] = {pl.Float32(): r"^-?\d+(\.\d+)?$", pl.Int64(): r"^-?\d{1,18}$"}


@dataclass(frozen=True)
class Raw:
    """Columns as they were written, the 1-based number of each row, and the rows that were refused."""

    frame: pl.DataFrame
    rows: pl.Series  # UInt32
    refused: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()


def numbered(height: int) -> pl.Series:
    """UInt32: 1, 2, 3 and so on."""
    return pl.int_range(1, height + 1, dtype=pl.UInt32, eager=True).alias("row")


def read(shape: Shape, wanted: Sequence[str], numbers: Mapping[str, pl.DataType] | None = None) -> Raw:
    """The wanted columns of a delimited file as text; those of `numbers` as such, if all of their values are plain."""
    plain = _plain(shape, numbers or {}) if shape.quick else {}
    for kinds in (plain, {}) if plain else ({},) if shape.quick else ():
        try:
            return _quick(shape, wanted, kinds)
        except (pl.exceptions.PolarsError, OSError):  # the next way finds out what is wrong, or reads it
            pass
    return _careful(shape, wanted)


def _plain(shape: Shape, numbers: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
    """Those of the columns whose first values are all plain numbers or empty."""
    first = beginning(shape, 1_000)
    fits = {name: (first[name] == "") | first[name].str.contains(PLAIN_NUMBERS[kind]) for name, kind in numbers.items()}
    return {name: numbers[name] for name, plain in fits.items() if plain.all() and not (first[name] == "").all()}


def beginning(shape: Shape, rows: int) -> pl.DataFrame:
    """The first whole records of a file, all columns, as text."""
    text = head(shape.path)[0].decode(shape.encoding, errors="replace").removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    cut = text.rfind("\n")
    found = [record for record in records(text[:cut] if cut > 0 else text, shape.separator) if record]
    width = len(shape.columns)
    whole = [record for record in found[int(shape.header) :] if len(record) == width][:rows]
    return pl.DataFrame(whole, schema=dict.fromkeys(shape.columns, pl.String()), orient="row")


def unpacked(path: Path) -> bytes:
    """The whole content of a file, without its gzip."""
    raw = path.read_bytes()
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path.name} is a damaged gzip file ({error}): copy it again") from error


def decoded(shape: Shape) -> tuple[str, tuple[str, ...]]:
    """The whole text of a file, and a note where its encoding had to be guessed anew."""
    raw = unpacked(shape.path)
    if raw.startswith(b"\x28\xb5\x2f\xfd"):
        raise DataError(f"{shape.place} is compressed by zstd and not clean UTF-8 text: unpack it first")
    try:
        return raw.decode(shape.encoding).removeprefix("\ufeff"), shape.notes
    except UnicodeDecodeError:
        encoding, notes = guessed_encoding(raw, cut=False)
    try:
        return raw.decode(encoding).removeprefix("\ufeff"), notes
    except UnicodeDecodeError as error:
        raise DataError(
            f"{shape.place} cannot be decoded as {encoding} (byte {error.start}): "
            f'name its encoding in zhiyin.toml, as in {{path = "{shape.place}", encoding = "gb18030"}}'
        ) from error


def _quick(shape: Shape, wanted: Sequence[str], numbers: Mapping[str, pl.DataType]) -> Raw:
    scan = pl.scan_csv(
        shape.path,
        has_header=False,
        skip_rows=int(shape.header),
        separator=shape.separator,
        schema={name: numbers.get(name, pl.String()) for name in shape.columns},
        glob=False,
    )
    last = pl.col(shape.columns[-1])
    frame = scan.select(*wanted, last.is_null().alias("\0short")).collect()
    rows, empty = numbered(frame.height), frame["\0short"]
    frame = frame.drop("\0short")
    if not empty.any() or _is_whole(shape, frame.height):
        return Raw(frame, rows, notes=shape.notes)
    return _without_short(shape, frame, rows, empty)


def _is_whole(shape: Shape, height: int) -> bool:
    """Whether no line is short, by counting separators; false where quotes or compression make that unsure."""
    if shape.compressed:
        return False
    content, separator, found = np.memmap(shape.path, np.uint8, mode="r"), ord(shape.separator), []

    def count(first: int, last: int) -> None:
        for start in range(first, last, BLOCK):
            block = content[start : min(start + BLOCK, last)]
            found.append(UNSURE if (block == ord('"')).any() else np.count_nonzero(block == separator))

    over_blocks(len(content), count, serial_below=BLOCK)
    return sum(found) == (height + shape.header) * (len(shape.columns) - 1)


def _without_short(shape: Shape, frame: pl.DataFrame, rows: pl.Series, empty: pl.Series) -> Raw:
    """Polars fills a short line with nulls; the lines themselves tell it from one whose last field is empty."""
    lines = pl.read_lines(shape.path, glob=False)["line"].slice(int(shape.header))
    odd_quotes = bool((lines.str.count_matches('"', literal=True) % 2 == 1).any())
    if odd_quotes or lines.len() != frame.height:  # a field runs over several lines, so that lines are not rows
        raise pl.exceptions.ComputeError("rows are not lines")
    suspects = empty.arg_true()
    width = len(shape.columns)
    fields = lines.gather(suspects).str.count_matches(shape.separator, literal=True) + 1
    quoted = lines.gather(suspects).str.contains('"', literal=True)
    for position in quoted.arg_true():
        line = lines[int(suspects[int(position)])]
        fields[int(position)] = len(records(line, shape.separator)[0])
    short = suspects.filter(fields < width)
    if short.is_empty():
        return Raw(frame, rows, notes=shape.notes)
    refused = tuple((int(i) + 1, lines[int(i)]) for i in short if lines[int(i)].strip())
    whole = ~rows.is_in((short + 1).cast(pl.UInt32).implode())
    return Raw(frame.filter(whole), rows.filter(whole), refused, shape.notes)


def _careful(shape: Shape, wanted: Sequence[str]) -> Raw:
    text, notes = decoded(shape)
    found = _records(text, shape)
    if shape.header:
        found = found[next((i for i, record in enumerate(found) if record), 0) + 1 :]
    width = len(shape.columns)
    refused = tuple((i, shape.separator.join(r)) for i, r in enumerate(found, 1) if r and len(r) != width)
    rows = [i for i, record in enumerate(found, 1) if len(record) == width]
    if refused and not rows:
        row = refused[0][0]
        raise DataError(
            f"{shape.place} has {len(found[row - 1])} fields in row {row} but {width} columns in its header: "
            "correct the header, or name the separator or the columns in zhiyin.toml"
        )
    places = [shape.columns.index(name) for name in wanted]
    schema = dict.fromkeys(wanted, pl.String())
    frames = [pl.DataFrame(schema=schema)]
    for start in range(0, len(rows), BATCH):
        batch = [found[row - 1] for row in rows[start : start + BATCH]]
        cells = {name: [record[place] for record in batch] for name, place in zip(wanted, places, strict=True)}
        frames.append(pl.DataFrame(cells, schema=schema))
    return Raw(pl.concat(frames), pl.Series("row", rows, dtype=pl.UInt32), refused, notes)


def _records(text: str, shape: Shape) -> list[list[str]]:
    """Records with quotes understood; without, where that leaves more of them whole (a stray quote swallows lines)."""
    width = len(shape.columns)
    try:
        quoted = records(text.replace("\r\n", "\n").replace("\r", "\n"), shape.separator)
    except csv.Error:
        quoted = []
    whole = sum(len(record) == width for record in quoted)
    if '"' not in text or (quoted and whole == len(quoted) and not _swallowed(quoted)):
        return quoted
    plain = records(text.replace("\r\n", "\n").replace("\r", "\n"), shape.separator, quoted=False)
    return plain if sum(len(record) == width for record in plain) > whole else quoted


def _swallowed(found: list[list[str]]) -> bool:
    return any("\n" in cell for record in found for cell in record)
