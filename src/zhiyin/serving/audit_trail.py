"""Reading what was audited: the newest entries, and whether anything was changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from zhiyin.errors import ArtifactError
from zhiyin.serving.audit import FIRST, LONGEST_LINE, Entry, hash_of

BLOCK = 2 * LONGEST_LINE  # bytes
MOST_LOOKED = 100_000
"""Lines that one page reads; a second."""
READER = msgspec.json.Decoder(Entry)


@dataclass(frozen=True)
class Page:
    """Some entries, newest first."""

    entries: list[Entry]
    cursor: int | None
    """Where older ones end in the file; None if there are none."""


@dataclass(frozen=True)
class Chain:
    """What a look at every line found."""

    entries: int
    head: str
    """The hash of the last line: noted elsewhere, it proves later that nothing was cut off."""
    fault: str | None
    """What was changed, as a sentence; None if nothing was."""


def newest(path: Path, most: int, before: int | None = None, wanted: Callable[[Entry], bool] | None = None) -> Page:
    """The newest entries, or those that end before a cursor; a line that is no entry is left out.

    Parameters
    ----------
    wanted
        Which entries count; after 100,000 lines the page ends, and its cursor goes on from there.

    Raises
    ------
    ArtifactError
        If the file cannot be read.
    """
    found: list[Entry] = []
    for looked, (start, line) in enumerate(_backwards(path, before), 1):
        try:
            entry = READER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if wanted is None or wanted(entry):
            found.append(entry)
        if len(found) == most or looked == MOST_LOOKED:
            return Page(found, start or None)
    return Page(found, None)


def verified(path: Path, head: str | None = None) -> Chain:
    """Whether every line holds the hash of the one before it, and, if a hash is given, one line has this.

    Raises
    ------
    ArtifactError
        If the file cannot be read.
    """
    previous, count, seen = FIRST, 0, head in (None, FIRST)
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE + 1):
                if not line.endswith(b"\n"):
                    return Chain(count, previous, f"line {count + 1} of {path} is cut off or too long")
                try:
                    entry = READER.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    return Chain(count, previous, f"line {count + 1} of {path} is no entry of an audit")
                if entry.previous != previous:
                    return Chain(count, previous, _broken(path, count))
                previous, count = hash_of(line[:-1]), count + 1
                seen = seen or previous == head
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    fault = (
        None if seen else f"{path} has no line with the hash {head}: lines were cut off its end, or all was replaced"
    )
    return Chain(count, previous, fault)


def _broken(path: Path, count: int) -> str:
    if not count:
        return f"the first lines of {path} are missing: it does not begin as a chain does"
    return f"line {count} of {path} was changed, or lines are missing after it: the next does not follow from it"


def _backwards(path: Path, before: int | None) -> Iterator[tuple[int, bytes]]:
    """Where each whole line begins and what it is, the last first."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            end = size if before is None else max(0, min(before, size))
            rest = b""
            while end > 0:
                start = max(0, end - BLOCK)
                file.seek(start)
                content = file.read(end - start) + rest
                if before is None and not rest:
                    content = content[: content.rfind(b"\n") + 1]  # half a line is being written
                lines = content.split(b"\n")
                rest = lines.pop(0) if start else b""
                place = start + len(content)
                for line in reversed(lines):
                    place -= len(line)
                    if line:
                        yield place, line
                    place -= 1
                end = start
                if len(rest) > LONGEST_LINE:
                    return
    except FileNotFoundError:
        return
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
