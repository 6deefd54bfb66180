"""Other sections for a zhiyin.toml that somebody wrote by hand: everything else stays as it is, comments included."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from zhiyin.errors import ConfigError

_HEADER = re.compile(r"\s*\[\[?\s*([\w-]+|\"[^\"]*\"|'[^']*')\s*[\].]")
_KEY = re.compile(r"\s*([\w-]+|\"[^\"]*\"|'[^']*')\s*[.=]")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def with_sections(text: str, sections: Mapping[str, Mapping[str, Any]], name: str = "zhiyin.toml") -> str:
    """The text with these sections in place of those of the same names, where the first of them stood.

    A comment right above a section belongs to that section's contents only if it stands inside of it.

    Raises
    ------
    ConfigError
        If the sections stand in the file in a way that cannot be replaced without touching others.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    ours = _ours(lines, set(sections))
    first = ours.index(True) if True in ours and not _before_any_header(lines, ours.index(True)) else len(lines)
    head = [line for line, mine in zip(lines[:first], ours, strict=False) if not mine]
    tail = [line for line, mine in zip(lines[first:], ours[first:], strict=True) if not mine]
    parts = [_joined(head), *(_table((key,), table) for key, table in sections.items()), _joined(tail)]
    written = newline.join("\n\n".join(part for part in parts if part).split("\n")) + newline
    _check(text, written, sections, name)
    return written


def _ours(lines: list[str], names: set[str]) -> list[bool]:
    """Which lines belong to the sections; blank lines and comments above another section belong to that one."""
    ours, inside, top = [], False, True
    for line in lines:
        header = _HEADER.match(line)
        if header:
            inside, top = _bare(header[1]) in names, False
        key = _KEY.match(line) if top else None
        ours.append(bool(key and _bare(key[1]) in names) if top else inside)
    for i in range(len(lines) - 1, 0, -1):
        blank = not lines[i - 1].strip() or lines[i - 1].lstrip().startswith("#")
        if blank and ours[i - 1] and not ours[i]:
            ours[i - 1] = False
    return ours


def _before_any_header(lines: list[str], at: int) -> bool:
    return not any(_HEADER.match(line) for line in lines[: at + 1])


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n")


def _table(path: tuple[str, ...], table: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping) and value is not None}
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    header = "[" + ".".join(key_of(name) for name in path) + "]"
    own = [header, *(f"{key_of(key)} = {value_of(value)}" for key, value in plain.items())]
    return "\n\n".join([*(["\n".join(own)] if plain or not inner else []), *_tables(path, inner)])


def _tables(path: tuple[str, ...], inner: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [_table((*path, key), value) for key, value in inner.items()]


def value_of(value: Any) -> str:
    """A value as TOML writes it, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_of(one) for one in value)}]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key_of(key)} = {value_of(one)}" for key, one in value.items() if one is not None)
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def key_of(name: str) -> str:
    """A key as TOML writes it, quoted where it must be."""
    return name if _BARE.fullmatch(name) else value_of(name)


def _bare(name: str) -> str:
    return name.strip("\"'")


def _check(before: str, after: str, sections: Mapping[str, Any], name: str) -> None:
    """What was written says what it should, and everything else as before."""
    wanted = {**tomllib.loads(before), **without_none(sections)}
    try:
        found = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        found = {}
    if found != wanted:
        raise ConfigError(
            f"{name} says {' and '.join(f'[{one}]' for one in sections)} in a way that cannot be replaced: "
            "write each as a section with a header of its own, such as [models.ease]"
        )


def without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    """What TOML can say of it."""
    return {
        key: without_none(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value
        for key, value in table.items()
        if value is not None
    }
