"""Tables in files: which files a path means, and what is in each."""

import difflib
import glob
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import polars as pl

from zhiyin.data.settings import Source
from zhiyin.data.sources import delimited
from zhiyin.data.sources.canonical import NUMERIC
from zhiyin.data.sources.delimited import Raw, numbered
from zhiyin.data.sources.environment import with_environment
from zhiyin.data.sources.reading import Recognised
from zhiyin.data.sources.sniff import Shape, sniffed
from zhiyin.errors import DataError

SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".data", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
PACKED = (".gz", ".zst")

Recogniser: TypeAlias = Callable[[Sequence[str], str], Recognised]
"""From the columns found and the place to name, to which of them is what."""


@dataclass(frozen=True)
class Found:
    """One file's columns under canonical names, and how they were recognised."""

    raw: Raw
    recognised: Recognised


def expanded(paths: Sequence[str], root: Path) -> list[Path]:
    """The files that paths, folders and patterns mean, in a stable order.

    Raises
    ------
    DataError
        When there is no such file, naming the nearest one.
    """
    files: list[Path] = []
    for path in map(with_environment, paths):
        place = root / Path(path).expanduser()
        if place.is_dir():
            files += _in_folder(place, path)
        elif place.exists():
            files.append(place)
        else:
            matched = sorted(Path(name) for name in glob.glob(str(place), recursive=True) if Path(name).is_file())
            if not matched:
                raise DataError(_absent(place, path))
            files += matched
    return files


def read_file(path: Path, source: Source, recognise: Recogniser) -> Found:
    """The needed columns of one file, under canonical names."""
    try:
        shape = sniffed(path, source)
        if shape.format == "delimited":
            recognised = _from_header(shape, recognise)
            raw = delimited.read(shape, wanted(recognised), _numbers(recognised))
        else:
            whole = _whole(shape)
            recognised = recognise(whole.frame.columns, shape.place)
            raw = Raw(whole.frame.select(wanted(recognised)), whole.rows, whole.refused, whole.notes)
    except PermissionError as error:
        raise DataError(f"{path.name} may not be read: give this user the permission to read it") from error
    return Found(renamed(raw, recognised), recognised)


def peeked(path: Path, source: Source, rows: int = 1000) -> tuple[Shape, pl.DataFrame]:
    """What a file is, and its first rows as they are written, at most those of its first 64 KiB where it is a text."""
    shape = sniffed(path, source)
    if shape.format == "parquet":
        return shape, pl.read_parquet(path, n_rows=rows, glob=False)
    if shape.format == "jsonl" and shape.encoding == "utf-8":
        try:
            return shape, pl.read_ndjson(path, n_rows=rows, infer_schema_length=None)
        except (pl.exceptions.PolarsError, OSError):  # a bad line among the first: reading says which
            return shape, _whole(shape).frame.head(rows)
    if shape.format != "delimited":
        return shape, _whole(shape).frame.head(rows)
    return shape, delimited.beginning(shape, rows)


def headless(names: Sequence[str]) -> bool:
    """Whether a header is really a row of numbers."""
    return all(name.replace(".", "").replace("_", "").isdigit() for name in names)


def digest(path: Path) -> str:
    """sha256 of the file's bytes as they lie on disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def wanted(recognised: Recognised) -> list[str]:
    """The source's columns that are needed."""
    return [*dict.fromkeys([match.theirs for match in recognised.matches]), *recognised.kept]


def _numbers(recognised: Recognised) -> dict[str, pl.DataType]:
    """The source's columns that should hold numbers and nothing else."""
    theirs = [match.theirs for match in recognised.matches]
    alone = [match for match in recognised.matches if theirs.count(match.theirs) == 1]
    return {match.theirs: NUMERIC[match.canonical] for match in alone if match.canonical in NUMERIC}


def renamed(raw: Raw, recognised: Recognised) -> Raw:
    """The same rows under canonical names."""
    canonical = [pl.col(match.theirs).alias(match.canonical) for match in recognised.matches]
    return Raw(raw.frame.select(*canonical, *recognised.kept), raw.rows, raw.refused, raw.notes)


def _from_header(shape: Shape, recognise: Recogniser) -> Recognised:
    try:
        return recognise(shape.columns, shape.place)
    except DataError as error:
        if shape.header and headless(shape.columns):
            example = f'{{path = "{shape.place}", header = false, columns = ["user_id", "item_id", …]}}'
            raise DataError(
                f"{shape.place} seems to have no header, its first row is {', '.join(shape.columns[:6])}: "
                f"name the columns in zhiyin.toml, as in {example}"
            ) from error
        raise


def _whole(shape: Shape) -> Raw:
    try:
        if shape.format == "parquet":
            frame = pl.read_parquet(shape.path, glob=False)
        elif shape.format == "json":
            frame = pl.read_json(io.StringIO(delimited.decoded(shape)[0]), infer_schema_length=None)
        else:
            return _json_lines(shape)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0][:120]
        raise DataError(f"{shape.place} cannot be read as {shape.format} ({reason}): write the file again") from error
    return Raw(frame, numbered(frame.height), notes=shape.notes)


def _json_lines(shape: Shape) -> Raw:
    if shape.encoding == "utf-8":
        try:
            frame = pl.read_ndjson(shape.path, infer_schema_length=None)
            return Raw(frame, numbered(frame.height), notes=shape.notes)
        except (pl.exceptions.PolarsError, OSError):  # line by line: a bad line is refused, the others are read
            pass
    text, notes = delimited.decoded(shape)
    decoder = msgspec.json.Decoder(dict[str, Any])
    objects, rows, refused = [], [], []
    for number, line in enumerate((line for line in text.splitlines() if line.strip()), 1):
        try:
            objects.append(decoder.decode(line))
            rows.append(number)
        except msgspec.DecodeError:
            refused.append((number, line))
    if not objects:
        raise DataError(f"{shape.place} has no line that is a JSON object: write one object per line")
    frame = pl.DataFrame([_flat(row) for row in objects], infer_schema_length=None, strict=False)
    return Raw(frame, pl.Series("row", rows, dtype=pl.UInt32), tuple(refused), notes)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Whole numbers as text too, so that "17" and 17 in one column stay what they are."""
    return {
        key: str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for key, value in row.items()
    }


def _in_folder(folder: Path, path: str) -> list[Path]:
    def known(file: Path) -> bool:
        name = file.name.lower()
        for packed in PACKED:
            name = name.removesuffix(packed)
        return file.is_file() and not file.name.startswith((".", "_")) and name.endswith(SUFFIXES)

    files = sorted(file for file in folder.rglob("*") if known(file))
    if not files:
        raise DataError(
            f"the folder {path} holds no tables: put files there that end in {', '.join(SUFFIXES)}, or these with .gz"
        )
    return files


def _absent(place: Path, path: str) -> str:
    folder = place.parent
    if not folder.is_dir():
        return (
            f"there is no file {path}, nor its folder {folder.name}: correct the path (it is relative to zhiyin.toml)"
        )
    names = sorted(entry.name for entry in folder.iterdir())
    near = difflib.get_close_matches(place.name, names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"its folder holds {', '.join(names[:8]) or 'nothing'}"
    return f"there is no file {path}: {hint}"
