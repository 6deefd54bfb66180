"""The whole loop on a small shop: what is chosen, published, promoted, compared with what serves, and read back."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from zhiyin.data.sample_shop import sample_shop
from zhiyin.data.split import split_by_time
from zhiyin.errors import ArtifactError, ConfigError, DataError, RegistryBusyError, UnknownIdError, ZhiyinError
from zhiyin.evaluation.evaluate import evaluate
from zhiyin.evaluation.gate import gate
from zhiyin.models.ease import EASE
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.low_pass import LowPass
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry import recipe
from zhiyin.registry.compare import Rival, compare
from zhiyin.registry.config import Config, parsed, read_config
from zhiyin.registry.lock import exclusive
from zhiyin.registry.prepare import held_out, prepare
from zhiyin.registry.read import read
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store
from zhiyin.registry.train import Trained, train

NOW = 1_790_000_000_000_000
TOML = """
[data]
events = "events.csv"
items = "items.csv"
users = "users.csv"
[split]
test = "30d"
target = ["purchase"]
[rules]
seen_types = ["purchase"]
[weights]
view = 0.3
[models.popularity]
[models.item_knn]
neighbours = 50
[models.content]
dimensions = 16
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("shop")
    sample_shop(people=600, items=200, events=20_000, seed=1).write(directory)
    (directory / "zhiyin.toml").write_text(TOML)
    return directory


@pytest.fixture(scope="module")
def trained(shop: Path) -> Trained:
    return train(read_config(shop / "zhiyin.toml"), shop, now=NOW, environment={})


@pytest.fixture
def copy(shop: Path, trained: Trained, tmp_path: Path) -> Path:
    shutil.copytree(shop, tmp_path / "shop", symlinks=True)
    return tmp_path / "shop"


def serving(root: Path) -> Release:
    store = Store(root / "releases")
    number = store.serving()
    assert number is not None
    return Release.read(store.verified(number), number)


def test_the_first_training_publishes_and_promotes_what_beats_popularity(shop: Path, trained: Trained) -> None:
    assert trained.number == 1
    assert trained.verdict.promote
    assert trained.chosen in {"item_knn", "content", "blend"}
    assert "popularity" in trained.verdict.sentence
    assert trained.report.row(trained.chosen).better("ndcg")
    assert {row.name for row in trained.report.rows} == {"popularity", "item_knn", "content", "blend"}
    version = Store(shop / "releases").versions()[0]
    assert version.serving
    assert version.metrics["ndcg@10"] == trained.report.row(trained.chosen).metrics["ndcg"].mean
    assert trained.as_json()["release"] == 1


def test_what_was_measured_is_what_is_served(shop: Path, trained: Trained) -> None:
    """A release read back answers exactly as the pipeline that was published."""
    config = read_config(shop / "zhiyin.toml")
    data = prepare(config, shop, now=NOW, environment={}).dataset(config.weights)
    release = serving(shop)
    who = release.users.texts.head(20).to_list()
    answer = release.recommend(who, 5)
    again = Release.of(release.pipeline, data).recommend(who, 5)
    assert answer.equals(again)
    assert answer.group_by("user_id").len()["len"].to_list() == [5] * 20
    assert release.histories.items.tolist() == data.interactions.histories.items.tolist()
    assert release.details["store_sequence"] == 0


def test_a_release_answers_strangers_conditions_and_similar_items(shop: Path, trained: Trained) -> None:
    release = serving(shop)
    assert len(release.recommend(["nobody"], 3)) == 3
    item = release.recommend(["nobody"], 1)["item_id"][0]
    assert item not in release.similar(item, 5)["item_id"]
    cheap = release.recommend(["nobody"], 5, where="price < 20").join(release.pipeline.catalog.frame, on="item_id")
    assert cheap["price"].max() < 20
    with pytest.raises(UnknownIdError, match="item 'no such thing' is not known to this release"):
        release.similar("no such thing")
    known = release.users.texts.head(3)
    assert release.queries(known, 0).histories.lengths.tolist() == [0, 0, 0]
    assert (release.queries(known, release.last_event + 1).histories.lengths > 0).any()


def test_the_same_recipe_on_the_same_data_is_not_promoted_twice(copy: Path) -> None:
    again = train(read_config(copy / "zhiyin.toml"), copy, now=NOW, environment={})
    assert again.number == 2
    assert not again.verdict.promote
    assert "does not beat serving beyond noise" in again.verdict.sentence
    assert Store(copy / "releases").serving() == 1
    assert again.report.row("serving").metrics["ndcg"].mean == pytest.approx(
        again.report.row(again.chosen).metrics["ndcg"].mean, rel=0.1
    )


def test_a_better_recipe_replaces_a_worse_one(copy: Path) -> None:
    config = read_config(copy / "zhiyin.toml")
    store = Store(copy / "releases")
    poor = replace(config, models={"popularity": {}})
    assert not train(poor, copy, now=NOW, environment={}).verdict.promote
    store.promote(2, NOW, "by hand")
    better = train(config, copy, now=NOW, environment={})
    assert better.verdict.promote
    assert "beats popularity and serving" in better.verdict.sentence
    assert store.serving() == better.number == 3


def test_a_shop_that_nothing_serves_starts_with_popularity_when_no_model_is_better(copy: Path) -> None:
    shutil.rmtree(copy / "releases")
    only = replace(read_config(copy / "zhiyin.toml"), models={"popularity": {}})
    first = train(only, copy, now=NOW, environment={})
    assert first.chosen == "popularity"
    assert first.verdict.promote
    assert "nothing served before" in first.verdict.sentence


def test_a_damaged_serving_release_does_not_stop_training(copy: Path) -> None:
    (copy / "releases" / "0001" / "catalog.parquet").write_bytes(b"not any more")
    with pytest.raises(ArtifactError, match=r"catalog\.parquet"):
        serving(copy)
    again = train(read_config(copy / "zhiyin.toml"), copy, now=NOW, environment={})
    assert "release 1 was not compared" in again.note
    assert again.verdict.promote


def test_a_rival_knows_no_more_than_the_release_that_serves() -> None:
    data = _data()
    split = split_by_time(data, "30d")
    pipeline = Pipeline.of(Popularity().fit(data), data)
    day = 86_400_000_000
    stale = Rival(pipeline, 60 * day)(split)
    fresh = Rival(pipeline, 0)(split)
    view = split.train.interactions
    old = Popularity().fit(split.train.before(int(view.times[-1]) + 1 - 60 * day))
    assert np.array_equal(stale.score_all(split.queries[:1]), old.score(split.queries[:1]), equal_nan=True)
    assert not np.array_equal(stale.score_all(split.queries[:1]), fresh.score_all(split.queries[:1]), equal_nan=True)


def test_a_gate_lets_nothing_through_that_is_only_as_good() -> None:
    split = split_by_time(_data(), "30d")
    same = {name: Pipeline.of(Popularity().fit(split.train), split.train) for name in ("popularity", "copy")}
    report = evaluate(same, split)
    assert not gate(report, "copy", ["popularity"]).promote


def test_two_trainings_at_once_are_one_too_many(copy: Path) -> None:
    with exclusive(copy / "releases"), ThreadPoolExecutor(1) as other:
        second = other.submit(train, read_config(copy / "zhiyin.toml"), copy, now=NOW, environment={})
        with pytest.raises(RegistryBusyError, match=str(os.getpid())):
            second.result()


def test_too_little_for_a_validation_window_is_said_and_the_test_window_chooses(tmp_path: Path) -> None:
    events = [("u0", "a", 1), ("u1", "a", 1), ("u0", "b", 2), ("u1", "b", 40), ("u0", "c", 40)]
    frame = pl.DataFrame(events, schema=["user_id", "item_id", "timestamp"], orient="row")
    frame.with_columns(pl.col("timestamp") * 86_400 + 1_700_000_000).write_csv(tmp_path / "events.csv")
    (tmp_path / "zhiyin.toml").write_text('[data]\nevents = "events.csv"\n[split]\ntest = "3d"\n')
    out = train(read_config(tmp_path / "zhiyin.toml"), tmp_path, now=NOW, environment={})
    assert "no validation window" in out.note
    assert out.verdict.promote


@pytest.mark.parametrize(
    ("split", "protocol"),
    [
        ('method = "leave_last_out"', "leave last out"),
        ('method = "random"\ntest = 0.2', "random 20%"),
        ('method = "files"\ntest = "test.csv"', "given files"),
        ('method = "time"\ntest = 0.1', "global time, last 10% of events"),
    ],
)
def test_every_split_of_the_configuration_can_be_compared(
    shop: Path, split: str, protocol: str, tmp_path: Path
) -> None:
    shutil.copy(shop / "items.csv", tmp_path / "items.csv")
    events = pl.read_csv(shop / "events.csv", infer_schema=False)
    events.tail(2_000).write_csv(tmp_path / "test.csv")
    events.head(len(events) - 2_000).write_csv(tmp_path / "events.csv")
    config = parsed(
        f'[data]\nevents="events.csv"\nitems="items.csv"\n[models.popularity]\n[models.item_knn]\n[split]\n{split}'
    )
    data = prepare(config, tmp_path, now=NOW, environment={}).dataset()
    found = compare(config, data, tmp_path)
    assert found.report.protocol.startswith(protocol)
    assert len(found.report.rows) == 3


def test_only_a_share_or_a_file_fits_those_splits(shop: Path) -> None:
    data = _data()
    with pytest.raises(ConfigError, match="must be a share"):
        held_out(data, parsed('[split]\nmethod = "random"\ntest = "14d"'), shop)
    with pytest.raises(ConfigError, match="must name the file"):
        held_out(data, parsed('[split]\nmethod = "files"\ntest = 0.1'), shop)


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[data]\nevents = ", "is not valid TOML"),
        ("[dta]\n", "dta is not known: did you mean 'data'"),
        ("[split]\nmethod = 'tim'", "split.method must be one of"),
        ("[models.eas]\n", "models.eas.type 'eas' is not known: did you mean 'EASE'"),
        ("[models.ease]\nl3 = 1", "models.ease.l3 is not known: did you mean 'l2'"),
        ("[models.ease]\ntype = 3", "models.ease.type 3 is not known"),
        ("[models.popularity]\n[recipe]\nretrievers = ['poplarity']", "did you mean 'popularity'"),
        ("[models.blend]\ntype = 'EASE'", "models.blend must have another name"),
        ("[models.ease]\nl2 = -1", "l2"),
    ],
)
def test_what_the_configuration_may_not_say(toml: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compare(parsed(toml), _data(), Path())
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_or_unreadable_configuration_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="zhiyin init"):
        read_config(tmp_path / "zhiyin.toml")
    (tmp_path / "zhiyin.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_config(tmp_path / "zhiyin.toml")
    with pytest.raises(ConfigError, match=r"data\.events is missing"):
        prepare(Config(), tmp_path, now=NOW, environment={})


def test_models_are_named_by_type_or_by_name() -> None:
    found = recipe.models({"ease": {"l2": 9.0}, "close": {"type": "ItemKNN", "neighbours": 3}}, _data())
    assert found == {"ease": EASE(l2=9.0), "close": ItemKNN(neighbours=3)}


def test_the_portfolio_leaves_out_what_would_not_fit() -> None:
    data = _data()
    assert list(recipe.portfolio(data)) == ["popularity", "ease", "low_pass", "content"]
    bare = replace(data, catalog=replace(data.catalog, frame=data.catalog.frame.select("item_id")))
    assert "content" not in recipe.portfolio(bare)
    many = pl.Series([str(i) for i in range(300_000)])
    large = replace(data, items=replace(data.items, texts=many), users=replace(data.users, texts=many))
    assert list(recipe.portfolio(large)) == ["popularity", "item_knn", "low_pass", "content"]
    assert recipe.portfolio(large)["low_pass"]["dimensions"] < LowPass().dimensions


def test_reading_takes_frames_and_paths_alike(shop: Path) -> None:
    from_paths = read(shop / "events.csv", shop / "items.csv")
    frames = [pl.read_csv(shop / name) for name in ("events.csv", "items.csv")]
    from_frames = read(*frames)
    assert from_paths.interactions.times.tolist() == from_frames.interactions.times.tolist()
    assert from_paths.items.texts.to_list() == from_frames.items.texts.to_list()
    mapped = read(frames[0].rename({"user_id": "besteller"}), columns={"user_id": "besteller"})
    assert mapped.users.texts.to_list() == from_paths.users.texts.to_list()
    with pytest.raises(DataError):
        read(shop / "nothing.csv")


def test_events_of_the_service_are_trained_on_and_counted(copy: Path) -> None:
    import sqlite3

    from zhiyin.data.store.address import StoreAddress
    from zhiyin.data.store.connect import migrate_at_once

    migrate_at_once(StoreAddress(copy / "events.db"))
    with sqlite3.connect(copy / "events.db") as connection:
        connection.execute(
            "INSERT INTO events (sequence, user_id, item_id, event_type, timestamp, received) "
            "VALUES (7, ?, ?, ?, ?, ?)",
            ("new person", "i0001", "purchase", NOW - 10**12, NOW),
        )
    connection.close()
    prepared = prepare(read_config(copy / "zhiyin.toml"), copy, now=NOW, environment={})
    assert prepared.store_sequence == 7
    assert "new person" in prepared.dataset().users


def test_every_error_of_a_blocked_dataset_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("user_id,item_id,timestamp\n,a,1\n")
    config = parsed('[data]\nevents = "events.csv"')
    with pytest.raises(ZhiyinError) as caught:
        prepare(config, tmp_path, now=NOW, environment={}).dataset()
    assert "\n" not in str(caught.value)


def _data():
    from zhiyin.data.dataset import Dataset

    return Dataset.of(sample_shop(people=200, items=80, events=5_000, seed=2, dirt=False).tables)
