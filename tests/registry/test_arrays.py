"""Models and arrays as files: what goes in comes out, and nothing else gets in."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import coo_array, csc_array, csr_array

from zhiyin.errors import ArtifactError, ConfigError
from zhiyin.registry.arrays import load_arrays, load_model, save_arrays, save_model


@dataclass(frozen=True)
class Tastes:
    """Declared by a field of Model, so no list has to name it."""

    offsets: np.ndarray
    names: tuple[str, ...] = ()


@dataclass
class Model:
    l2: float = 100.0
    kinds: tuple[str, ...] = ("view",)
    half_life_days: float | None = 30.0
    learned_: Any = field(init=False, repr=False, compare=False)
    tastes_: Tastes | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if not self.l2 > 0:
            raise ConfigError("Model.l2 must be > 0")


@dataclass(frozen=True)
class Team:
    members: dict[str, Any]
    best_: Any = field(init=False)


CLASSES = {"model": Model, "team": Team}


def model(learned: Any, **hyper: Any) -> Model:
    made = Model(**hyper)
    made.learned_ = learned
    return made


def returned(value: Any, classes: Any = CLASSES) -> Any:
    with TemporaryDirectory() as directory:
        save_model(value, Path(directory) / "a" / "b")
        return load_model(Path(directory) / "a" / "b", classes)


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, (np.ndarray, np.generic)):
        return one.dtype == other.dtype and one.shape == other.shape and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, (csr_array, csc_array)):
        return one.shape == other.shape and all(same(getattr(one, p), getattr(other, p)) for p in ("data", "indices"))
    if isinstance(one, (pl.Series, pl.DataFrame)):
        schema = one.dtype == other.dtype if isinstance(one, pl.Series) else one.schema == other.schema
        return schema and one.equals(other, null_equal=True)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return bool(one == other) or one != one


dtypes = st.sampled_from(
    ["?", "i1", "i2", "<i4", ">i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", ">f8", "f8", "c8"]
)  # fmt: skip
arrays = dtypes.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=4)))
native = arrays.map(lambda array: array.astype(array.dtype.newbyteorder("=")))
sparse = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.sampled_from([0.0, 1.5, -2.0]))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
series = st.lists(st.none() | st.text(max_size=5)).map(lambda rows: pl.Series("ids", rows, dtype=pl.String))
leaves = scalars | native | sparse.map(csr_array) | sparse.map(csc_array) | series
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=50)
@given(values)
def test_what_a_model_learned_comes_back(learned: Any) -> None:
    assert same(returned(model(learned)).learned_, learned)


@pytest.mark.parametrize(
    "hyper", [{"l2": math.inf}, {"half_life_days": None}, {"kinds": ()}, {"kinds": ("购买", "'\n")}]
)
def test_hyper_parameters_come_back(hyper: dict[str, Any]) -> None:
    assert returned(model(None, **hyper)) == Model(**hyper)


def test_models_within_models_come_back() -> None:
    inner = model(np.arange(3))
    inner.tastes_ = Tastes(np.array([0, 2]), ("a", "b"))
    team = Team({"ease/1": inner, "ease": model({"1": np.float32(0.5)})})
    object.__setattr__(team, "best_", inner)
    found = returned(team)
    assert list(found.members) == ["ease/1", "ease"]
    assert found.members["ease/1"].tastes_.offsets.tolist() == [0, 2]
    assert found.best_.tastes_.names == ("a", "b")
    assert same(found.members["ease"].learned_, {"1": np.float32(0.5)})


def test_frames_come_back_with_their_types() -> None:
    frame = pl.DataFrame(
        {
            "id": ["a", "b"],
            "kind": pl.Series(["x", None], dtype=pl.Categorical),
            "size": pl.Series(["s", "m"], dtype=pl.Enum(["s", "m"])),
            "blank": [None, None],
            "tags": [["a"], []],
            "when": pl.Series([0, 1], dtype=pl.Datetime("us", "UTC")),
            "price": pl.Series([1.5, math.nan], dtype=pl.Float32),
        }
    )
    found = returned(model([frame, frame["kind"], frame.clear(), pl.DataFrame()])).learned_
    assert same(found, [frame, frame["kind"], frame.clear(), pl.DataFrame()])


def test_arrays_keep_their_order_in_memory() -> None:
    turned = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    every_other = np.arange(10)[::2]
    found = returned(model([turned, every_other])).learned_
    assert found[0].flags.f_contiguous
    assert same(found, [turned, every_other])


def test_loaded_arrays_are_memory_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_arrays(path, {"a": np.arange(100_000), "empty": np.empty((0, 3), np.int8)})
    found = load_arrays(path)
    path.write_bytes(b"")
    found["a"][0] = 7
    assert found["a"].sum() == 7 + sum(range(100_000))
    assert found["empty"].shape == (0, 3)


def test_two_arrays_of_one_path_are_kept_apart() -> None:
    learned = {"a.b": np.zeros(1), "a": {"b": np.ones(1)}}
    assert same(returned(model(learned)).learned_, learned)


@pytest.mark.parametrize(
    ("learned", "sentence"),
    [
        (object(), "learned_ holds a object, which cannot be saved"),
        ([{1, 2}], r"learned_\[0\] holds a set"),
        (Model, "holds a type"),
        (coo_array(np.eye(2)), "holds a coo_array"),
        (np.array(["a"]), "learned_ has the type <U1"),
        (np.array([None]), "learned_ has the type object"),
        (np.zeros(2, "c16"), "learned_ has the type complex128"),
        (np.zeros(2, "M8[us]"), "learned_ has the type datetime64"),
        ({(1, 2): 3}, r"has the key \(1, 2\)"),
        (pl.Series([object()], dtype=pl.Object), "learned_ holds a column that Parquet cannot"),
    ],
)
def test_what_is_no_data_is_refused(learned: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=sentence):
        save_model(model(learned), tmp_path)


def test_a_model_that_was_not_fitted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"Model\.learned_ is not known yet: fit the model first"):
        save_model(Model(), tmp_path)


def saved(directory: Path, learned: Any) -> Any:
    save_model(model(learned), directory)
    return json.loads((directory / "model.json").read_text())


def refused(directory: Path, outline: Any, sentence: str) -> None:
    (directory / "model.json").write_text(json.dumps(outline))
    with pytest.raises(ArtifactError, match=sentence) as refusal:
        load_model(directory, CLASSES)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 2}, "it has the format 2, and this zhiyin reads 1"),
        ({"format": None}, "it has the format None"),
        ({"model": {"kind": "object", "class": "Popen", "fields": {}}}, "the class 'Popen' is not known"),
        ({"model": {"kind": "object", "class": "Tastes", "fields": {}}}, "the class 'Tastes' is not known"),
        ({"model": {"kind": "object", "class": "Model", "fields": {}}}, r"Model\.half_life_days is missing"),
        ({"model": {"kind": "pickle"}}, "the unknown kind 'pickle'"),
        ({"model": {"kind": ["array"]}}, "cannot be read"),
        ({"model": {}}, "KeyError"),
        ({"model": [[]]}, "no field names the array"),
        ({"model": {"kind": "dict", "items": [[[], 1]]}}, "TypeError"),
        ({"model": {"kind": "series", "file": "../x.parquet"}}, "lies elsewhere"),
        ({"model": {"kind": "frame", "file": "absent.parquet"}}, "FileNotFoundError"),
    ],
)
def test_a_foreign_outline_is_refused(change: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    refused(tmp_path, saved(tmp_path, np.arange(3)) | change, sentence)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "other"}, "the array other is missing"),
        ({"dtype": "float32"}, r"the array learned_ is int64\[3\] where float32\[3\] was expected"),
        ({"shape": [4]}, r"int64\[3\] where int64\[4\] was expected"),
    ],
)
def test_an_array_that_is_not_what_was_said_is_refused(change: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    outline = saved(tmp_path, np.arange(3))
    outline["model"]["fields"]["learned_"].update(change)
    refused(tmp_path, outline, sentence)


def test_a_field_of_another_version_is_refused(tmp_path: Path) -> None:
    outline = saved(tmp_path, None)
    outline["model"]["fields"]["alpha"] = 1
    refused(tmp_path, outline, r"Model\.alpha is unknown")


def test_a_hyper_parameter_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    outline = saved(tmp_path, None)
    outline["model"]["fields"]["l2"] = -1.0
    refused(tmp_path, outline, r"Model\.l2 must be > 0")


def test_sparse_indexes_beyond_the_shape_are_refused(tmp_path: Path) -> None:
    outline = saved(tmp_path, csr_array(np.eye(3)))
    outline["model"]["fields"]["learned_"]["shape"] = [3, 2]
    refused(tmp_path, outline, "cannot be read")


def test_a_frame_of_other_columns_is_refused(tmp_path: Path) -> None:
    outline = saved(tmp_path, pl.DataFrame({"a": [1]}))
    outline["model"]["fields"]["learned_"]["rows"] = 2
    refused(tmp_path, outline, "has other columns or rows than expected")


def test_an_outline_of_many_brackets_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, None)
    (tmp_path / "model.json").write_text('{"format": 1, "model": ' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_model(tmp_path, CLASSES)


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors", "table-1.parquet"])
@pytest.mark.parametrize("content", [None, b"", b"\x00" * 8, b"{", b"\xff" * 100, b"PAR1PAR1"])
def test_a_broken_file_is_refused_in_a_sentence(name: str, content: bytes | None, tmp_path: Path) -> None:
    saved(tmp_path, [np.arange(3), pl.Series([1])])
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ArtifactError, match="train again, or roll back") as refusal:
        load_model(tmp_path, CLASSES)
    assert "\n" not in str(refusal.value)
