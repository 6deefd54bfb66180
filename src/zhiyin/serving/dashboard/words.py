"""All texts of the dashboard, by language and key; they stand in words/*.toml, and nowhere else."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

from zhiyin.ranking.wording import Language

LANGUAGES: tuple[Language, ...] = ("en", "zh")
Text: TypeAlias = str | dict[str, str]
"""A sentence, or one for `one` and one for `other` where `count` decides."""


@dataclass(frozen=True)
class Said:
    """A sentence before anybody has chosen a language."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, key: str, **values: Any) -> "Said":
        """`Said.of("attention.quiet", count=3)`."""
        return cls(key, values)


@dataclass(frozen=True)
class Words:
    """The texts of one language: `words("overview.title")`."""

    language: Language
    texts: Mapping[str, Text] = field(repr=False)

    def __call__(self, key: str, **values: Any) -> str:
        """A text with its values filled in; whole numbers get separators.

        Raises
        ------
        KeyError
            If there is no such key, or a value is missing.
        """
        found = self.texts[key]
        if isinstance(found, dict):
            found = found["one" if values["count"] == 1 else "other"]
        return found.format_map({name: _written(value) for name, value in values.items()}) if values else found

    def say(self, said: Said) -> str:
        """The sentence in this language; a value that is itself a sentence is said first."""
        values = {name: self.say(one) if isinstance(one, Said) else one for name, one in said.values.items()}
        return self(said.key, **values)


@cache
def words(language: Language) -> Words:
    """The texts of a language, read once."""
    content = files(__package__).joinpath(f"words/{language}.toml").read_text(encoding="utf-8")
    return Words(language, flattened(tomllib.loads(content)))


def flattened(table: Mapping[str, Any], before: str = "") -> dict[str, Text]:
    """`{"overview.title": …}` of nested tables."""
    found: dict[str, Text] = {}
    for name, value in table.items():
        if isinstance(value, dict) and "other" not in value:
            found |= flattened(value, f"{before}{name}.")
        else:
            found[before + name] = value
    return found


def _written(value: Any) -> Any:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
