"""One scenario of a zhiyin.toml written anew: all other lines stay, and so do remarks and keys that did not change."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zhiyin.errors import ConfigError
from zhiyin.registry.rewrite import key_of, value_of, with_sections, without_none

SECTION = "scenarios"
_HEADER = re.compile(r"\s*\[")
_KEY = re.compile(r"(\s*([\w-]+|\"[^\"]*\"|'[^']*')\s*=\s*)(.*?)(\s+#[^\"']*)?")


@dataclass
class _Block:
    """A header with the lines below it; the first block of a file has none."""

    path: tuple[str, ...]
    above: list[str] = field(default_factory=list)
    """Blank lines and comments right above the header."""
    lines: list[str] = field(default_factory=list)


def with_scenario(text: str, name: str, table: Mapping[str, Any] | None, file: str = "zhiyin.toml") -> str:
    """The text with this table as `[scenarios.NAME]`, or without it where there is none.

    Where the scenario stands in another form than under a header of its own, all scenarios are written anew, and the
    comments among them are lost.

    Raises
    ------
    ConfigError
        If the scenarios stand in the file in a way that cannot be replaced without touching others.
    """
    before = tomllib.loads(text)
    scenarios = {**before.get(SECTION, {}), name: table}
    wanted = without_none({**before, SECTION: without_none(scenarios)})
    written = _rewritten(text, name, None if table is None else without_none(table))
    if _says(written, wanted):
        return written
    written = with_sections(text, {SECTION: {key: one for key, one in scenarios.items() if one is not None}}, file)
    if not _says(written, wanted):
        raise ConfigError(f"{file} says [scenarios] in a way that cannot be replaced: write each under its own header")
    return written


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return {SECTION: {}, **found} == {SECTION: {}, **wanted}


def _rewritten(text: str, name: str, table: Mapping[str, Any] | None) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    blocks = _blocks(text.splitlines())
    places = [i for i, block in enumerate(blocks) if block.path[:2] == (SECTION, name)]
    ours = [blocks[i] for i in places]
    made = [] if table is None else _made(ours, name, table)
    others = [(i, block) for i, block in enumerate(blocks) if i not in places]
    last = max((i for i, block in others if block.path[:1] == (SECTION,)), default=len(blocks) - 1)
    place = places[0] if places else last + 1
    if ours and not made:
        others = [(i, _below(ours[0], block) if i == places[-1] + 1 else block) for i, block in others]
    kept = [*(one for i, one in others if i < place), *made, *(one for i, one in others if i >= place)]
    return newline.join(_lines(kept)).strip("\r\n") + newline


def _below(gone: _Block, block: _Block) -> _Block:
    """A block with the remarks that stood above another before it."""
    remarks = gone.above if any(line.strip() for line in gone.above) else []
    return _Block(block.path, [*remarks, *block.above], block.lines)


def _blocks(lines: Sequence[str]) -> list[_Block]:
    found = [_Block(())]
    for line in lines:
        path = _path(line) if _HEADER.match(line) else None
        if path is not None:
            found.append(_Block(path, _taken_off(found[-1].lines)))
        found[-1].lines.append(line)
    return found


def _lines(blocks: Sequence[_Block]) -> list[str]:
    """All of them, with a blank line before a header that has nothing above it."""
    found: list[str] = []
    for block in blocks:
        found += [*(block.above or [""]), *block.lines]
    return found


def _taken_off(lines: list[str]) -> list[str]:
    """The blank lines and comments at the end, removed from there."""
    place = len(lines)
    while place and (not lines[place - 1].strip() or lines[place - 1].lstrip().startswith("#")):
        place -= 1
    above = lines[place:]
    del lines[place:]
    return above


def _path(header: str) -> tuple[str, ...] | None:
    """Of `[scenarios.home.variants.b]`, the four names; None for a line that is no header."""
    try:
        table: Any = tomllib.loads(header)
    except tomllib.TOMLDecodeError:
        return None
    path: list[str] = []
    while table:
        table = table[0] if isinstance(table, list) else table
        if not table:
            break
        (key,) = table
        path.append(key)
        table = table[key]
    return tuple(path)


def _made(ours: Sequence[_Block], name: str, table: Mapping[str, Any]) -> list[_Block]:
    """The blocks of the scenario: those that say what they said stay, the rest goes into the first."""
    depth = 3
    inner = [block for block in ours if len(block.path) >= depth]
    keys = dict.fromkeys(block.path[2] for block in inner)
    held = {key: _content([one for one in inner if one.path[2] == key], name).get(key) for key in keys}
    same = {key for key in keys if key in table and held[key] == table[key]}
    own = next((block for block in ours if len(block.path) == depth - 1), None)
    first = own or _Block((SECTION, name), [], [f"[{SECTION}.{key_of(name)}]"])
    lines = _changed(first.lines, {key: value for key, value in table.items() if key not in same})
    return [_Block(first.path, first.above, lines), *(block for block in inner if block.path[2] in same)]


def _content(blocks: Sequence[_Block], name: str) -> dict[str, Any]:
    try:
        table = tomllib.loads("\n".join(line for block in blocks for line in block.lines))
    except tomllib.TOMLDecodeError:
        return {}
    found: dict[str, Any] = table.get(SECTION, {}).get(name, {})
    return found


def _changed(block: Sequence[str], table: Mapping[str, Any]) -> list[str]:
    """Keys that are the same keep their line; others get a new value there, or are written at the end."""
    lines, left = [block[0]], dict(table)
    for line in block[1:]:
        if not line.strip() or line.lstrip().startswith("#"):
            lines.append(line)
            continue
        match, said = _KEY.fullmatch(line), _said(line)
        if match is None or said is None:  # part of a value of several lines
            return [block[0], *(_line(key, value) for key, value in table.items())]
        ((key, value),) = said.items()
        if key in left:
            new = left.pop(key)
            lines.append(line if new == value else f"{match[1]}{value_of(new)}{match[4] or ''}")
    end = _taken_off(lines)
    return [*lines, *(_line(key, value) for key, value in left.items()), *end]


def _said(line: str) -> dict[str, Any] | None:
    try:
        found = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    return found if len(found) == 1 else None


def _line(key: str, value: Any) -> str:
    return f"{key_of(key)} = {value_of(value)}"
