"""The attributes of an item as fields of a form, and what a form has changed of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import msgspec

from zhiyin.errors import RequestError
from zhiyin.serving.bodies import decoded, names
from zhiyin.serving.catalogue import ItemChange
from zhiyin.serving.columns import told

Kind: TypeAlias = Literal["text", "number", "truth", "texts", "moment"]
KINDS: tuple[Kind, ...] = ("text", "number", "truth", "texts")
"""What somebody may add; a moment is known by its name."""
MOST = 150
"""Attributes of one form."""
LONG = 80
"""Characters; a text that is longer is written over several lines."""
LARGEST_WHOLE = 2**53
CHANGE = msgspec.json.Decoder(ItemChange)
KNOWN = names(ItemChange)


@dataclass(frozen=True)
class Field:
    """One attribute."""

    name: str
    kind: Kind
    written: str
    moment: int | None  # µs UTC, of a moment
    is_stored: bool
    """It can be removed; what only the files say comes again with them."""

    @property
    def is_long(self) -> bool:
        """Whether it takes several lines."""
        return self.kind == "texts" or (self.kind == "text" and (len(self.written) > LONG or "\n" in self.written))


def fields_of(stored: Mapping[str, Any], catalogue: Mapping[str, Any]) -> list[Field]:
    """What is known of an item, in the order of the catalogue; what is stored counts first."""
    values = {name: _plain(value) for name, value in catalogue.items() if name != "item_id" and value is not None}
    values |= stored
    return [
        Field(name, _kind(name, value), _written(value), _moment(name, values[name]), name in stored)
        for name, value in told(values).items()
    ]


def change_of(sent: Mapping[str, str]) -> ItemChange:
    """What a form has changed: fields whose text is another than it was, those to remove, and a new one.

    Raises
    ------
    RequestError
        422 for a value that its kind cannot have, with the name of the attribute.
    """
    changed: dict[str, Any] = {}
    for place in range(MOST):
        name = sent.get(f"name-{place}")
        if name is None:
            continue
        value, before = _lines(sent.get(f"value-{place}", "")), _lines(sent.get(f"was-{place}", ""))
        if sent.get(f"remove-{place}") == "yes":
            changed[name] = None
        elif value != before:
            changed[name] = _read(name, sent.get(f"kind-{place}", "text"), value)
    if name := sent.get("new-name", "").strip():
        changed[name] = _read(name, sent.get("new-kind", "text"), _lines(sent.get("new-value", "")))
    return decoded(msgspec.json.encode({"attributes": changed}), CHANGE, KNOWN)


def _kind(name: str, value: Any) -> Kind:
    if name == "created_at":
        return "moment"
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    return "texts" if isinstance(value, Sequence) and not isinstance(value, str) else "text"


def _moment(name: str, value: Any) -> int | None:
    return value if name == "created_at" and isinstance(value, int) else None


def _plain(value: Any) -> Any:
    """The catalogue of a release has prices in 32 bits: their digits beyond the seventh were never said."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, str | int):
        return str(value)
    return "\n".join(map(str, value))


def _read(name: str, kind: str, text: str) -> Any:
    match cast("Kind", kind):
        case "number":
            return _number(name, text)
        case "truth":
            return text == "yes"
        case "texts":
            return [line.strip() for line in text.split("\n") if line.strip()]
        case _:
            return text


def _number(name: str, text: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):  # JSON would make null of it, which removes the attribute
        raise RequestError(422, f"attributes.{name[:100]} must be a number, got {text[:40]!r}")
    return int(number) if number.is_integer() and abs(number) < LARGEST_WHOLE and "." not in text else number


def _lines(text: str) -> str:
    """Browsers send line breaks as two characters."""
    return text.replace("\r\n", "\n").strip()
