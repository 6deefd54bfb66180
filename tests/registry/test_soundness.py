"""A release whose parts do not belong together is refused when it is read, and the sentence says what does not fit."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from worlds import two_tastes
from zhiyin.errors import ArtifactError
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry.arrays import load_arrays, save_arrays
from zhiyin.registry.release import Release

Arrays = dict[str, np.ndarray]
DETAILS = {"k": 5, "store_sequence": 7, "weights": {"view": 0.2}, "pseudonymised": False, "key_env": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = two_tastes()
    model = Popularity().fit(data)
    Release.of(Pipeline({"popularity": model}, data.catalog, model), data, DETAILS).write(tmp_path)
    return tmp_path


def refused(folder: Path, sentence: str) -> None:
    with pytest.raises(
        ArtifactError, match=rf"the release in .* cannot be read \(.*{sentence}.*\): train again"
    ) as found:
        Release.read(folder)
    assert "\n" not in str(found.value)


def test_a_whole_release_is_read(folder: Path) -> None:
    assert Release.read(folder).details == DETAILS


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda past: past | {"offsets": past["offsets"][:-1]}, "not those of 60 people"),
        (lambda past: past | {"offsets": past["offsets"][:0]}, "not those of 60 people"),
        (lambda past: past | {"offsets": past["offsets"] + 1}, "not those of 60 people"),
        (
            lambda past: past | {"offsets": np.r_[0, past["offsets"][2], past["offsets"][1], past["offsets"][3:]]},
            "60 people",
        ),
        (lambda past: past | {"times": past["times"][:-1]}, "not those of 60 people"),
        (lambda past: past | {"items": past["items"] + 1}, "not those of 12 items"),
        (lambda past: past | {"items": past["items"] - 2}, "not those of 12 items"),
        (lambda past: past | {"items": past["items"].astype(np.int64)}, "of another type"),
        (lambda past: past | {"items": past["items"][None]}, "of another type"),
        (lambda past: past | {"kinds": past["kinds"] + np.uint8(1)}, "has no name"),
        (lambda past: {"items": past["items"]}, "KeyError"),
    ],
)
def test_histories_of_something_else_are_refused(
    change: Callable[[Arrays], Arrays], sentence: str, folder: Path
) -> None:
    path = folder / "histories.safetensors"
    save_arrays(path, change(load_arrays(path)))
    refused(folder, sentence)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind_names": ["view", "view"]}, "no distinct names"),
        ({"kind_names": [None]}, "no distinct names"),
        ({"details": []}, "no table"),
        ({"details": {"k": "5"}}, "k is a str"),
        ({"details": {"k": True}}, "k is a bool"),
        ({"details": {"k": 10**9}}, "out of bounds"),
        ({"details": {"store_sequence": -1}}, "out of bounds"),
        ({"details": {"weights": {"view": "much"}}}, "a weight is no number"),
        ({"details": {"weights": {"view": 1e39}}}, "a weight is no number"),
        ({"pool": float("inf")}, "OverflowError"),
        ({"pool": 0}, "pool is out of bounds"),
        ({"retrievers": []}, "no model of it proposes anything"),
        ({"retrievers": 5}, "TypeError"),
    ],
)
def test_an_outline_that_answering_could_not_use_is_refused(
    change: dict[str, Any], sentence: str, folder: Path
) -> None:
    path = folder / "release.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    refused(folder, sentence)


@pytest.mark.parametrize("ids", [pl.Series("user_id", [1, 2]), pl.Series("user_id", ["a", None])])
def test_ids_that_are_none_are_refused(ids: pl.Series, folder: Path) -> None:
    ids.to_frame().write_parquet(folder / "users.parquet")
    refused(folder, "the ids of its people are none")


def test_a_table_on_which_the_reader_panics_is_refused(folder: Path) -> None:
    path = folder / "users.parquet"
    content = bytearray(path.read_bytes())
    for place in range(0, len(content) - 4, 7):  # most of these are errors, and some are panics
        path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
        with contextlib.suppress(ArtifactError):
            Release.read(folder)


def test_what_is_no_model_is_refused(folder: Path) -> None:
    path = folder / "combine" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model": None}))
    with pytest.raises(
        ArtifactError, match=r"combine/model\.json cannot be read \(it holds a NoneType in place of a model"
    ):
        Release.read(folder)
