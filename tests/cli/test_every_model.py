"""Whatever a zhiyin.toml can name is trained, compared and told about, on a sample shop."""

import dataclasses
import math

import pytest

from cli.terminal import Outcome, run_in
from zhiyin.cli.sample_project import made
from zhiyin.models.click_model import ClickModel
from zhiyin.models.known import MODELS
from zhiyin.models.light_gcn import LightGCN
from zhiyin.models.next_item import NextItem
from zhiyin.models.recommender import Rates

NOW = 1_790_000_000_000_000
BRIEF = {"epochs": 5, "samples": 2}
NAMES = [name for name, model in MODELS.items() if not issubclass(model, NextItem | ClickModel | LightGCN)]
"""The others need the extra `neural`, train for long, and are trained by the tests of their own."""


def table(name: str) -> str:
    """A model in zhiyin.toml, trained briefly."""
    fields = {field.name for field in dataclasses.fields(MODELS[name])}  # type: ignore[arg-type]
    return "\n".join([f"[models.{name}]", *(f"{key} = {value}" for key, value in BRIEF.items() if key in fields), ""])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    shop = tmp_path_factory.mktemp("shop")
    made(shop, (200, 60, 6_000), NOW)
    config = shop / "zhiyin.toml"
    config.write_text(config.read_text() + "\n" + "\n".join(map(table, NAMES)))
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
