"""`zhiyin tune` writes a configuration that trains, and leaves the old one as it was unless told otherwise."""

import json
import re
from pathlib import Path

import pytest

from cli.terminal import Run, run_in
from zhiyin.registry.config import read_config

MODELS = """
# the models of this shop
[models.popularity]  # everybody's
half_life_days = 365.0

[models."item knn"]
type = "ItemKNN"
neighbours = 1
half_life_days = 0.5

[recipe]
retrievers = ["item knn"]  # alone
"""


@pytest.fixture
def modest(own_shop: Path) -> Path:
    """The shop with two quick models that are badly set, measured on all that people did."""
    config = own_shop / "zhiyin.toml"
    text = config.read_text().replace('test = "14d"', 'test = "40d"').replace('target = ["purchase"]', "")
    config.write_text(text + MODELS)
    return own_shop


def test_what_is_found_is_written_beside_the_configuration_and_trains(modest: Path) -> None:
    before = (modest / "zhiyin.toml").read_bytes()
    found = run_in(modest, "tune", "--budget", "2s", "--html", "tuning.html")
    assert found.code == 0, found.err
    assert (modest / "zhiyin.toml").read_bytes() == before
    tuned = read_config(modest / "zhiyin.tuned.toml")
    assert set(tuned.models) == {"popularity", "item knn"}
    assert "+++ zhiyin.tuned.toml" in found.out
    assert re.search(r"(?m)^\+neighbours = \d+$", found.out)
    assert "NDCG@10 in the newest validation window" in found.out
    assert "next: `zhiyin train --config zhiyin.tuned.toml`" in found.out
    trained = run_in(modest, "train", "--config", "zhiyin.tuned.toml", "--json")
    assert trained.code == 0, trained.err
    assert {"popularity", "item knn"} <= {row["name"] for row in trained.json["report"]["rows"]}
    page = (modest / "tuning.html").read_text()
    assert "<script" not in page
    assert all(words in page for words in ("zhiyin tune", "The best so far", "item knn: neighbours", "The best trials"))


def test_write_changes_the_models_alone_and_keeps_a_copy(modest: Path) -> None:
    config = modest / "zhiyin.toml"
    before = config.read_text()
    found = run_in(modest, "tune", "--budget", "2s", "--write", "--also", "EASE")
    assert found.code == 0, found.err
    assert (modest / "zhiyin.toml.1.bak").read_text() == before
    assert "as it was, it is kept in zhiyin.toml.1.bak" in found.out
    after = config.read_text()
    assert after.startswith(before.partition("\n[models")[0])
    assert "# the models of this shop" in after
    assert read_config(config).models["item knn"]["neighbours"] > 1
    again = run_in(modest, "tune", "--budget", "1s", "--write", "--seed", 5)
    assert again.code == 0, again.err
    assert (modest / "zhiyin.toml.1.bak").read_text() == before, "a copy replaces no earlier one"


def test_a_later_search_goes_on_and_says_so(modest: Path) -> None:
    first = run_in(modest, "tune", "--budget", "1s", "--json").json
    second = run_in(modest, "tune", "--budget", "1s", "--json", "--out", "other.toml").json
    assert second["written"] == "other.toml"
    known = len(first["trials"])
    assert second["trials"][:known] == first["trials"]
    assert f"{known} trials of an earlier search are known" in second["notes"][0]
    assert (modest / "tuning").is_dir()
    assert {"written", "improved", "sentence", "models", "recipe", "notes", "trials"} == set(first)
    assert json.dumps(first["trials"][0]["settings"]) == '{"half_life_days": 365.0}'


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--budget", "soon"], "'soon' is not a duration: write a number and s, m, h, d or w, such as '14d'"),
        (["--also", "EASY"], "models.easy.type 'EASY' is not known: did you mean 'EASE'?"),
        (
            ["--out", "x.toml", "--write"],
            "--out and --write exclude each other: --write changes the zhiyin.toml itself",
        ),
        (
            ["--out", "zhiyin.toml"],
            "zhiyin.toml is the file that is read: use --write to change it, which keeps a copy",
        ),
        (["--config", "none.toml"], "none.toml does not exist: run `zhiyin init EVENTS` to write one from your files"),
    ],
)
def test_a_mistake_gets_one_sentence(ask: Run, words: list[str], sentence: str) -> None:
    assert ask("tune", *words).sentence == sentence


def test_a_file_in_another_folder_is_refused_because_paths_are_relative(ask: Run, tmp_path: Path) -> None:
    assert "would lie in another folder than zhiyin.toml" in ask("tune", "--out", tmp_path / "x.toml").sentence
