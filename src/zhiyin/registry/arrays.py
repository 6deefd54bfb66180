"""Models and arrays as files of data: safetensors, Parquet and JSON, so that loading can not run anything.

`model.json` says what a model is: its class by name, and each field as a node. A node is a plain JSON value or a table
with its `kind`: float (not finite), tuple, dict, array, scalar, csr, csc, series, frame or object (another dataclass).
Every array lies in `arrays.safetensors`, every frame in a Parquet file of its own.
"""

import io
import json
import math
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.sparse import csc_array, csr_array

from zhiyin.errors import ArtifactError, ZhiyinError

FORMAT = 1
ARRAYS, MODEL = "arrays.safetensors", "model.json"
LARGEST_OUTLINE = 256 * 2**20  # bytes of a model.json
DTYPES = frozenset(
    ["bool", "float16", "float32", "float64", "complex64"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)
SPARSE_PARTS = ("data", "indices", "indptr")
SPARSE = {"csr": csr_array, "csc": csc_array}
MALFORMED = (
    OSError, SafetensorError, pl.exceptions.PolarsError, pl.exceptions.PanicException, ZhiyinError,
    KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, ArithmeticError, MemoryError,
)  # fmt: skip
"""What reading a file that something else wrote can raise."""


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays of numbers or truths as one safetensors file.

    Raises
    ------
    ArtifactError
        For an array of another type.
    OSError
        If the file cannot be written.
    """
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise ArtifactError(
                f"{name} has the type {array.dtype}, which cannot be saved: use numbers or truth values"
            )
    # safetensors writes the memory as it lies, so what is not contiguous would come back scrambled
    flat = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    try:
        save_file(flat, path)
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written: {error}") from error


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Named arrays, in memory of their own and writable: a file that changes later can not change or stop its reader.

    Raises
    ------
    ArtifactError
        If the file is missing or is no safetensors file.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error


def save_model(model: Any, directory: Path) -> None:
    """Write a fitted model: a dataclass whose fields hold values, arrays, sparse arrays, frames, or more dataclasses.

    Raises
    ------
    ArtifactError
        If a field was never learned or holds something that is not data.
    OSError
        If a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    writer = _Writer(directory)
    outline = {"format": FORMAT, "model": writer.node(model, "")}
    save_arrays(directory / ARRAYS, writer.arrays)
    text = json.dumps(outline, ensure_ascii=False, allow_nan=False, indent=1)
    (directory / MODEL).write_bytes(text.encode("utf-8", "surrogatepass"))


def load_model(directory: Path, classes: Mapping[str, type]) -> Any:
    """The model that `save_model` wrote. Only the dataclasses given, and those their fields declare, are ever built.

    Raises
    ------
    ArtifactError
        If a file is missing or malformed, a class or field is unknown, or an array is not what model.json says.
    """
    arrays = load_arrays(directory / ARRAYS)
    path = directory / MODEL
    try:
        if path.stat().st_size > LARGEST_OUTLINE:
            raise ArtifactError(f"it has more than {LARGEST_OUTLINE:,} bytes")
        outline = json.loads(path.read_bytes())
        if outline["format"] != FORMAT:
            raise ArtifactError(f"it has the format {outline['format']!r}, and this zhiyin reads {FORMAT}")
        reader = _Reader(directory, {cls.__name__: cls for cls in classes.values()}, arrays)
        model = reader.value(outline["model"])
        if arrays:
            raise ArtifactError(f"no field names the array {min(arrays)}")
        if not isinstance(model, tuple(classes.values())):
            raise ArtifactError(f"it holds a {type(model).__name__} in place of a model")
    except MALFORMED as error:
        raise _unreadable(path, error) from error
    return model


class _Writer:
    """Turns values into nodes; collects arrays, and writes each frame at once."""

    def __init__(self, directory: Path) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self._directory = directory
        self._tables = 0

    def node(self, value: Any, place: str) -> Any:
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"kind": "float", "value": str(value)}
        if type(value) in (list, tuple):
            nodes = [self.node(inner, f"{place}[{i}]") for i, inner in enumerate(value)]
            return nodes if type(value) is list else {"kind": "tuple", "items": nodes}
        if isinstance(value, Mapping):
            return {"kind": "dict", "items": [self._pair(key, inner, place) for key, inner in value.items()]}
        return self._stored(value, place)

    def _stored(self, value: Any, place: str) -> dict[str, Any]:
        if isinstance(value, (np.ndarray, np.generic)):
            return self._array(np.asarray(value), place, "array" if isinstance(value, np.ndarray) else "scalar")
        if isinstance(value, (pl.Series, pl.DataFrame)):
            return self._table(value, place)
        if isinstance(value, (csr_array, csc_array)) and value.ndim == 2:
            parts = {part: self._array(getattr(value, part), f"{place}.{part}") for part in SPARSE_PARTS}
            return {"kind": value.format, "shape": list(value.shape), **parts}
        if is_dataclass(value) and not isinstance(value, type):
            return self._object(value, place)
        raise ArtifactError(
            f"{place} holds a {type(value).__name__}, which cannot be saved: keep numbers, texts or arrays"
        )

    def _pair(self, key: Any, value: Any, place: str) -> list[Any]:
        if type(key) not in (str, int):
            raise ArtifactError(f"{place} has the key {key!r}, which cannot be saved: use texts or whole numbers")
        return [key, self.node(value, f"{place}.{key}")]

    def _array(self, array: NDArray[Any], place: str, kind: str = "array") -> dict[str, Any]:
        name = place
        while name in self.arrays:
            name += "'"
        turned = array.flags.f_contiguous and not array.flags.c_contiguous  # kept: sums in another order differ
        self.arrays[name] = array.T if turned else array
        return {"kind": kind, "name": name, "dtype": array.dtype.name, "shape": list(array.shape), "turned": turned}

    def _table(self, table: pl.Series | pl.DataFrame, place: str) -> dict[str, Any]:
        self._tables += 1
        file = f"table-{self._tables}.parquet"
        frame = table.to_frame() if isinstance(table, pl.Series) else table
        memory = io.BytesIO()  # so that a full disk is Python's OSError
        try:
            frame.write_parquet(memory)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise ArtifactError(f"{place} holds a column that Parquet cannot: {error}") from error
        (self._directory / file).write_bytes(memory.getbuffer())
        kind = "series" if isinstance(table, pl.Series) else "frame"
        return {"kind": kind, "file": file, "rows": frame.height, "columns": _columns(frame)}

    def _object(self, instance: Any, place: str) -> dict[str, Any]:
        nodes = {}
        for field in fields(instance):
            inner = f"{place}.{field.name}" if place else field.name
            if not hasattr(instance, field.name):
                raise ArtifactError(f"{type(instance).__name__}.{field.name} is not known yet: fit the model first")
            nodes[field.name] = self.node(getattr(instance, field.name), inner)
        return {"kind": "object", "class": type(instance).__name__, "fields": nodes}


class _Reader:
    """Turns nodes back into values; an array that is read is taken out of `arrays`."""

    def __init__(self, directory: Path, classes: Mapping[str, type], arrays: dict[str, NDArray[Any]]) -> None:
        self._arrays = arrays
        self._directory = directory
        self._classes = classes

    def value(self, node: Any, declared: Mapping[str, type] | None = None) -> Any:
        if isinstance(node, list):
            return [self.value(inner, declared) for inner in node]
        if not isinstance(node, dict):
            return node
        kind = node["kind"]
        if kind == "object":
            return self._object(node, {**(declared or {}), **self._classes})
        if kind == "tuple":
            return tuple(self.value(inner, declared) for inner in node["items"])
        if kind == "dict":
            return {key: self.value(inner, declared) for key, inner in node["items"]}
        return self._stored(kind, node)

    def _stored(self, kind: str, node: Mapping[str, Any]) -> Any:
        if kind in ("array", "scalar"):
            array = self._array(node)
            return array if kind == "array" else array[()]
        if kind in SPARSE:
            sparse = SPARSE[kind](tuple(self._array(node[part]) for part in SPARSE_PARTS), shape=tuple(node["shape"]))
            sparse.check_format(full_check=True)
            return sparse
        if kind in ("series", "frame"):
            return self._table(node)
        if kind == "float":
            return float(node["value"])
        raise ArtifactError(f"it names the unknown kind {kind!r}")

    def _array(self, node: Mapping[str, Any]) -> NDArray[Any]:
        name = node["name"]
        if name not in self._arrays:
            raise ArtifactError(f"the array {name} is missing")
        stored = self._arrays.pop(name)
        array = stored.T if node["turned"] else stored
        if array.dtype.name != node["dtype"] or list(array.shape) != node["shape"]:
            given, said = f"{array.dtype}{list(array.shape)}", f"{node['dtype']}{node['shape']}"
            raise ArtifactError(f"the array {name} is {given} where {said} was expected")
        return array

    def _table(self, node: Mapping[str, Any]) -> pl.Series | pl.DataFrame:
        file = node["file"]
        if Path(file).name != file:
            raise ArtifactError(f"the table {file!r} lies elsewhere")
        frame = pl.read_parquet(io.BytesIO((self._directory / file).read_bytes()))
        if frame.height != node["rows"] or _columns(frame) != node["columns"]:
            raise ArtifactError(f"the table {file} has other columns or rows than expected")
        return frame.to_series() if node["kind"] == "series" else frame

    def _object(self, node: Mapping[str, Any], classes: Mapping[str, type]) -> Any:
        name, nodes = node["class"], node["fields"]
        if name not in classes:
            raise ArtifactError(f"the class {name!r} is not known: known here are {', '.join(sorted(self._classes))}")
        cls = classes[name]
        expected = {field.name: field.init for field in fields(cls)}
        if surprising := sorted(expected.keys() ^ nodes.keys()):
            raise ArtifactError(f"{name}.{surprising[0]} is {'unknown' if surprising[0] in nodes else 'missing'}")
        values = {field: self.value(inner, _declared(cls)) for field, inner in nodes.items()}
        instance = cls(**{field: value for field, value in values.items() if expected[field]})
        for field, value in values.items():
            if not expected[field]:
                object.__setattr__(instance, field, value)  # frozen dataclasses too
        return instance


@cache
def _declared(cls: type) -> Mapping[str, type]:
    """The dataclasses that the fields of a class are declared to hold, by name."""
    found = {}
    hints = typing.get_type_hints(cls)
    waiting = [hints[field.name] for field in fields(cls)]
    while waiting:
        hint = waiting.pop()
        if isinstance(hint, type) and is_dataclass(hint):
            found[hint.__name__] = hint
        waiting.extend(typing.get_args(hint))
    return found


def _columns(frame: pl.DataFrame) -> list[list[str]]:
    return [[name, str(dtype)] for name, dtype in frame.schema.items()]


def _unreadable(path: Path, error: BaseException) -> ArtifactError:
    reason = str(error) if isinstance(error, ZhiyinError) else f"{type(error).__name__}: {error}"
    reason = " ".join(reason.split())[:300]
    return ArtifactError(f"{path} cannot be read ({reason}): train again, or roll back to another release")
