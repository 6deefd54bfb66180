"""Whatever a zhiyin.toml can name is trained, compared and told about, on a sample shop."""

import dataclasses
import math
from collections.abc import Iterator

import pytest

from cli.terminal import Outcome, run_in
from zhiyin.cli.sample_project import made
from zhiyin.models.known import MODELS
from zhiyin.models.next_item import NextItem
from zhiyin.models.recommender import Rates

NOW = 1_790_000_000_000_000
BRIEF = {
    "epochs": 5, "samples": 2, "dimensions": 8, "window": 5, "negatives": 1, "batch_size": 4096, "validation_people": 0,
}  # fmt: skip
NAMES = [*MODELS]
BLENDED = [name for name, model in MODELS.items() if not issubclass(model, NextItem)]
"""Each of the others would be written as a graph into the release, which takes seconds and has tests of its own."""


def table(name: str) -> str:
    """A model in zhiyin.toml, trained briefly."""
    fields = {field.name for field in dataclasses.fields(MODELS[name]) if field.init}  # type: ignore[arg-type]
    return "\n".join([f"[models.{name}]", *(f"{key} = {value}" for key, value in BRIEF.items() if key in fields), ""])


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """For networks this small a second one only waits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZHIYIN_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    shop = tmp_path_factory.mktemp("shop")
    made(shop, (120, 50, 3_000), NOW)
    config = shop / "zhiyin.toml"
    recipe = f"[recipe]\nretrievers = {BLENDED}\n"
    config.write_text("\n".join([config.read_text(), recipe, *map(table, NAMES)]))
    return run_in(shop, "train", "--json")


def test_every_model_stands_in_the_comparison(trained: Outcome) -> None:
    assert trained.code == 0, trained.err
    rows = {row["name"]: row for row in trained.json["report"]["rows"]}
    assert {*NAMES, "blend"} <= {*rows}
    for name in NAMES:
        assert math.isfinite(rows[name]["metrics"]["ndcg"]["mean"]), name


def test_models_of_ratings_say_that_there_are_none(trained: Outcome) -> None:
    (sentence,) = [one for one in trained.json["note"].split("; ") if "can only learn from ratings" in one]
    assert "[columns.events]" in sentence
    assert {name for name in NAMES if name in sentence.replace(",", "").split()} == {
        name for name in NAMES if issubclass(MODELS[name], Rates)
    }
