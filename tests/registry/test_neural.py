"""Networks in the whole loop: shown while they learn, taken up after a stop, released, and served without PyTorch."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zhiyin.data.dataset import Dataset
from zhiyin.data.sample_shop import sample_shop
from zhiyin.errors import MissingExtraError
from zhiyin.models.popularity import Popularity
from zhiyin.models.sasrec import SASRec
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry.compare import compare
from zhiyin.registry.config import Config, parsed
from zhiyin.registry.exporting import exported
from zhiyin.registry.prepare import prepare
from zhiyin.registry.release import Release
from zhiyin.registry.train import train
from zhiyin.registry.warm import Warm

NOW = 1_790_000_000_000_000
TOML = """
[data]
events = "events.csv"
items = "items.csv"
[split]
test = "30d"
[recipe]
combine = "fuse"
[models.popularity]
[models.sasrec]
dimensions = 8
window = 10
epochs = 2
"""
WITHOUT_TORCH = """
import json, sys
from pathlib import Path
for name in ("torch", "onnx", "onnxscript"):
    sys.modules[name] = None
from zhiyin.registry.release import Release
release = Release.read(Path(sys.argv[1]))
lists = release.recommend(json.loads(sys.argv[2]), 5)
print(json.dumps([lists["item_id"].to_list(), lists["score"].to_list()]))
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("shop")
    sample_shop(people=200, items=60, events=4_000, seed=1).write(directory)
    return directory


@pytest.fixture(scope="module")
def config() -> Config:
    return parsed(TOML)


@pytest.fixture(scope="module")
def data(shop: Path, config: Config) -> Dataset:
    return prepare(config, shop, now=NOW, environment={}).dataset()


@pytest.fixture(scope="module")
def model(data: Dataset) -> SASRec:
    return SASRec(dimensions=8, window=10, epochs=2).fit(data)


def release_of(model: SASRec, data: Dataset) -> Release:
    return Release.of(Pipeline({"sasrec": model}, data.catalog, Popularity().fit(data), Config().rules), data)


@pytest.fixture(scope="module")
def released(model: SASRec, data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    members, note = exported({"sasrec": model, "popularity": Popularity().fit(data)})
    assert not note
    assert isinstance(members["popularity"], Popularity)
    directory: Path = tmp_path_factory.mktemp("release")
    release_of(members["sasrec"], data).write(directory)
    return directory


def test_a_release_is_served_where_torch_is_not_installed_and_gives_the_same_lists(released, model, data):
    people = data.users.texts.head(30).to_list()
    asked = [sys.executable, "-c", WITHOUT_TORCH, str(released), json.dumps(people)]
    items, scores = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    expected = release_of(model, data).recommend(people, 5)
    assert items == expected["item_id"].to_list()
    np.testing.assert_allclose(scores, expected["score"], rtol=0, atol=1e-4 * expected["score"].abs().max())


def test_a_release_begins_a_training_where_it_has_seen_nothing_that_the_fit_may_not(released, data):
    release = Release.read(released)
    again = SASRec(dimensions=8, window=10, epochs=2)
    warm = Warm(release, data)
    assert len(warm("sasrec", again, data).curve_) == 0  # nothing is new
    middle = int(data.interactions.times[len(data.interactions) // 2])
    assert len(warm("sasrec", again, data.before(middle)).curve_) == 2  # the release knows what is hidden here
    assert len(warm("sasrec", replace(again, epochs=1), data).curve_) == 1  # other settings
    assert len(warm("another", again, data).curve_) == 2


def test_a_release_can_be_made_without_what_writes_the_graph_and_says_so(model, monkeypatch):
    def refused(_: SASRec, __: str) -> SASRec:
        raise MissingExtraError("onnxscript", "neural")

    monkeypatch.setattr(SASRec, "exported", refused)
    members, note = exported({"sasrec": model})
    assert members["sasrec"] is model
    assert "sasrec needs PyTorch where it is served" in note


def test_what_answers_in_eight_bits_is_measured_so_beside_what_it_was_before(shop, config, data):
    models = {name: {**table, "precision": "int8"} for name, table in config.models.items() if name == "sasrec"}
    found = compare(replace(config, models=models), data, shop)
    names = {row.name for row in found.report.rows}
    assert names >= {"sasrec", "sasrec (float32)", "popularity"}
    sizes = [found.report.row(name).megabytes for name in ("sasrec", "sasrec (float32)")]
    assert all(size > 0 for size in sizes)  # so small a network is mostly its outline
    exact, rounded = found.report.row("sasrec (float32)"), found.report.row("sasrec")
    assert rounded.metrics["ndcg"].mean == pytest.approx(exact.metrics["ndcg"].mean, abs=0.02)
    assert "MB" in str(found.report)
    assert found.chosen != "sasrec (float32)"


def test_a_training_that_was_stopped_goes_on_without_doing_again_what_it_had_done(shop, config):
    told: list[str] = []
    checkpoints = shop / "releases" / "checkpoints"

    def stop(doing: str, done: int, _: int) -> None:
        told.append(doing)
        if doing.startswith("training sasrec: loss") and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, shop, now=NOW, environment={}, progress=stop)
    assert sum(doing.startswith("validating sasrec: loss") for doing in told) == 2
    assert len(list(checkpoints.iterdir())) == 1
    again: list[str] = []
    found = train(config, shop, now=NOW, environment={}, progress=lambda doing, _, __: again.append(doing))
    assert not [doing for doing in again if doing.startswith("validating sasrec: loss")]
    assert sum(doing.startswith("training sasrec: loss") for doing in again) == 2
    assert found.number == 1
    assert not checkpoints.exists()
