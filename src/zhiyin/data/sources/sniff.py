"""What a file is, from its first 64 KiB and never from its name: format, encoding, separator, columns."""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from zhiyin.data.settings import Source
from zhiyin.errors import DataError

HEAD = 65_536  # bytes
Format: TypeAlias = Literal["delimited", "jsonl", "json", "parquet"]
SEPARATORS = ("::", ",", "\t", ";", "|", " ")  # a space only where nothing else separates

FOREIGN = (
    (b"PK\x03\x04", "is a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "is an old Office document: save the sheet as CSV"),
    (b"SQLite format 3\0", 'is an SQLite database: read it with {url = "sqlite:///FILE", query = "select …"}'),
    (b"BZh", "is compressed by bzip2: unpack it, or compress it by gzip"),
    (b"\xfd7zXZ", "is compressed by xz: unpack it, or compress it by gzip"),
    (b"%PDF", "is a PDF document: export the table as CSV"),
)


@dataclass(frozen=True)
class Shape:
    """How to read one file."""

    path: Path
    format: Format
    compressed: bool
    encoding: str = "utf-8"
    separator: str = ","
    columns: tuple[str, ...] = ()  # unique names in file order; of delimited files only
    header: bool = True
    quick: bool = True  # the fast parser may try: UTF-8, a separator of one byte, no lone carriage returns
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The file's name for a sentence."""
        return self.path.name


def sniffed(path: Path, source: Source) -> Shape:
    """Look at the beginning of a file.

    Raises
    ------
    DataError
        When it is empty, damaged, or no table at all.
    """
    head, compressed = beginning(path)
    if head.startswith(b"PAR1"):
        return Shape(path, "parquet", compressed)
    if not head.strip():
        raise DataError(f"{path.name} is empty: give a file with a header and at least one row")
    for magic, advice in FOREIGN:
        if head.startswith(magic):
            raise DataError(f"{path.name} {advice}")
    encoding, notes = (source.encoding, ()) if source.encoding else guessed_encoding(head, len(head) >= HEAD)
    text = _decoded(head, encoding, path)
    if _is_binary(text):
        raise DataError(f"{path.name} is not a table but binary data: give CSV, TSV, JSON Lines or Parquet")
    start = text.lstrip()[:1]
    if start in ("{", "[") and not source.separator:
        return Shape(path, "jsonl" if start == "{" else "json", compressed, encoding, notes=notes)
    return _delimited(path, source, compressed, encoding, text, notes)


def guessed_encoding(raw: bytes, cut: bool) -> tuple[str, tuple[str, ...]]:
    """The encoding of a text, and a note unless it is UTF-8; `cut` when its last character may be torn."""
    if raw.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig", ()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", ("decoded as UTF-16",)
    if _decodes(raw, "utf-8", cut):
        return "utf-8", ()
    if _decodes(raw, "gb18030", cut) and _in_pairs(raw):
        return "gb18030", ("not UTF-8: decoded as GB18030 (Chinese)",)
    if _decodes(raw, "cp1252", cut):
        return "cp1252", ("not UTF-8: decoded as Windows-1252 (Western European)",)
    return "latin-1", ("not UTF-8: decoded as Latin-1 (Western European)",)


def beginning(path: Path) -> tuple[bytes, bool]:
    """The first 64 KiB of a file's content, and whether it is compressed."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path) as unpacked:
                return unpacked.read(HEAD), True
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path.name} is a damaged gzip file ({error}): copy it again") from error
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        try:
            lines = pl.scan_lines(path).head(200).collect()["line"]
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(f"{path.name} is a damaged zstd file, or its text is not UTF-8: copy it again") from error
        return "\n".join(lines.to_list()).encode()[:HEAD], True
    return head, False


def _decodes(raw: bytes, encoding: str, cut: bool) -> bool:
    for end in range(4 if cut else 1):  # a character of up to four bytes may be torn at the end
        try:
            raw[: len(raw) - end].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _in_pairs(raw: bytes) -> bool:
    """Whether bytes above 127 come mostly in runs of even length: as in Chinese, unlike accents in Western words."""
    high = np.frombuffer(raw, dtype=np.uint8) >= 0x80
    edges = np.flatnonzero(np.diff(np.concatenate(([False], high, [False])).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return bool(2 * lengths[lengths % 2 == 0].sum() > lengths.sum())


def _decoded(head: bytes, encoding: str, path: Path) -> str:
    try:
        return head.decode(encoding, errors="replace").removeprefix("\ufeff")
    except LookupError:
        raise DataError(
            f'{path.name}: encoding {encoding!r} is not known: try "utf-8", "gb18030" or "latin-1"'
        ) from None


def _is_binary(text: str) -> bool:
    strange = sum(letter < " " and letter not in "\t\n\r\f" for letter in text)
    return "\0" in text or 20 * strange > len(text)


def _delimited(path: Path, source: Source, compressed: bool, encoding: str, text: str, notes: tuple[str, ...]) -> Shape:
    lone_returns = re.search(r"\r(?!\n)", text[:-1]) is not None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    whole = text[: text.rfind("\n") + 1] if len(text) >= HEAD // 4 and "\n" in text else text  # no torn last line
    separator = source.separator or _separator(whole)
    first = next((record for record in records(whole, separator) if record), [])
    names = list(source.columns) if source.columns else [cell.strip() for cell in first]
    names += [f"column_{i + 1}" for i in range(len(names), len(first))]
    quick = encoding in ("utf-8", "utf-8-sig") and len(separator.encode()) == 1 and not lone_returns
    starts_at_first_line = not whole.startswith("\n")
    return Shape(
        path=path,
        format="delimited",
        compressed=compressed,
        encoding=encoding,
        separator=separator,
        columns=tuple(_unique(names)),
        header=source.header,
        quick=quick and starts_at_first_line,
        notes=notes,
    )


def records(text: str, separator: str, *, quoted: bool = True) -> list[list[str]]:
    """The records of a delimited text; an empty line is an empty record."""
    if len(separator) > 1:
        text, separator = text.replace(separator, "\x1f"), "\x1f"
    csv.field_size_limit(2**27)  # an id may have 10,000 characters, a description more
    lines = io.StringIO(text, newline="")
    if quoted:
        return list(csv.reader(lines, delimiter=separator))
    return list(csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE))


def _separator(text: str) -> str:
    """The separator that cuts the first lines into the same number of fields, more than one, most often."""
    lines = text.split("\n")[:100]
    lines = [line for line in lines if line]
    best, found = (0.0, 0), ","
    for separator in SEPARATORS[:-1]:
        widths = Counter(len(record) for record in records("\n".join(lines), separator) if record)
        width, count = max(widths.items(), key=lambda pair: (pair[0] > 1, pair[1]), default=(1, 0))
        header = len(records(lines[0], separator)[0]) if lines else 1
        score = (count / len(lines) + (header == width), width)
        if width > 1 and score > best:
            best, found = score, separator
    if best == (0.0, 0) and lines and {len(line.split(" ")) for line in lines} == {len(lines[0].split(" "))} != {1}:
        return " "
    return found


def _unique(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    unique = []
    for position, name in enumerate(names):
        plain = name or f"column_{position + 1}"
        seen[plain] += 1
        unique.append(plain if seen[plain] == 1 else f"{plain}_{seen[plain]}")
    return unique
