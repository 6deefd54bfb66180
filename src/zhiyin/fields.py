"""Dataclasses written as tables: what TOML, JSON, the search space and `repr` share.

A hyper-parameter is a dataclass field, written once with its default. `from_table` reads a table into such a class
and refuses what does not belong, naming the nearest thing that does; `to_table` is its inverse.
"""

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from zhiyin.errors import ConfigError

T = TypeVar("T")


def from_table(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    """The dataclass that a table describes; `where` is its place in the file, for the error.

    Raises
    ------
    ConfigError
        For an unknown key (with the nearest known one), a missing required key, or a value of another type.
    """
    known = {field.name: field for field in dataclasses.fields(cls) if _is_setting(field)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise ConfigError(unknown(f"{where}.{key}" if where else key, key, known))
    hints = typing.get_type_hints(cls)
    values = {}
    for key, value in table.items():
        values[key] = _converted(value, hints[key], f"{where}.{key}" if where else key)
    for name, field in known.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise ConfigError(f"{where}.{name} is missing and has no default: add it to zhiyin.toml")
    return cls(**values)


def to_table(instance: Any) -> dict[str, Any]:
    """The settings of a dataclass as plain values; `None` is left out, because TOML cannot say it."""
    table = {}
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        if _is_setting(field) and value is not None:
            table[field.name] = _plain(value)
    return table


def unfitted(instance: T) -> T:
    """Another of the same class with the same settings, and nothing learnt."""
    settings = [field.name for field in dataclasses.fields(instance) if field.init]  # type: ignore[arg-type]
    return type(instance)(**{name: getattr(instance, name) for name in settings})


def unknown(place: str, key: str, known: typing.Iterable[str]) -> str:
    """The sentence for a key or name that is not known, with the nearest one that is."""
    names = sorted(known)
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(key.casefold(), folded, n=1, cutoff=0.5)
    advice = f"did you mean {folded[near[0]]!r}?" if near else f"known here: {', '.join(names) or 'nothing'}"
    return f"{place} is not known: {advice}"


def _is_setting(field: dataclasses.Field[Any]) -> bool:
    return field.init and not field.name.endswith("_")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_table(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(inner) for inner in value]
    return value


def _converted(value: Any, hint: Any, place: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _one_of(value, arguments, place)
    if origin is typing.Literal:
        if value not in arguments:
            allowed = ", ".join(repr(argument) for argument in arguments)
            raise ConfigError(f"{place} must be one of {allowed}, got {value!r}")
        return value
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_table(hint, _expect(value, Mapping, "a table", place), place)
    if origin in (dict, Mapping) or origin is typing.get_origin(Mapping[str, Any]):
        table = _expect(value, Mapping, "a table", place)
        return {key: _converted(inner, arguments[1], f"{place}.{key}") for key, inner in table.items()}
    if origin in (tuple, list):
        items = _expect(value, (list, tuple), "a list", place)
        converted = [_converted(inner, arguments[0], f"{place}[{i}]") for i, inner in enumerate(items)]
        return tuple(converted) if origin is tuple else converted
    return _scalar(value, hint, place)


def _one_of(value: Any, arguments: tuple[Any, ...], place: str) -> Any:
    if value is None and type(None) in arguments:
        return None
    failure: ConfigError | None = None
    for argument in arguments:
        if argument is type(None):
            continue
        try:
            return _converted(value, argument, place)
        except ConfigError as error:
            failure = error
    raise failure if failure else ConfigError(f"{place} must not be set")


def _scalar(value: Any, hint: Any, place: str) -> Any:
    if hint is Any:
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return _expect(value, hint, words.get(hint, getattr(hint, "__name__", str(hint))), place)


def _expect(value: Any, allowed: Any, words: str, place: str) -> Any:
    if not isinstance(value, allowed) or (isinstance(value, bool) and allowed is not bool):
        raise ConfigError(f"{place} must be {words}, got {value!r}")
    return value
