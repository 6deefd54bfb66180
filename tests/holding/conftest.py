"""A small shop in a folder, as `zhiyin serve` wants it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.holding.harness import Project
from worlds import two_tastes
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store

Makes = Callable[..., Project]


@pytest.fixture(scope="session")
def small_release() -> Release:
    data = two_tastes()
    retrievers = {"item_knn": ItemKNN(shrinkage=0.0).fit(data), "popularity": Popularity().fit(data)}
    pipeline = Pipeline(retrievers, data.catalog, Popularity().fit(data))
    return Release.of(pipeline, data, {"k": 5, "store_sequence": 0, "weights": {"view": 0.2}})


@pytest.fixture
def project(tmp_path: Path, small_release: Release) -> Makes:
    """`project(serve_lines, **environment)`: a folder with two releases, of which the first serves."""

    def made(serve: str = "", **environment: str) -> Project:
        store = Store(tmp_path / "releases")
        for number in (1, 2):
            store.publish(small_release.write, {"created": number})
        store.promote(1, 1)
        text = f'[data]\nevents = "events.csv"\n\n[serve]\nopen_on_loopback = true\nreload_seconds = 1\n{serve}\n'
        (tmp_path / "zhiyin.toml").write_text(text, encoding="utf-8")
        return Project(tmp_path, environment)

    return made
