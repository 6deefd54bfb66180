"""A small shop in a folder, as `zhiyin serve` wants it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import postgres
from tests.holding.harness import Project
from worlds import dataset, two_tastes
from zhiyin.data.dataset import Dataset
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store

Makes = Callable[..., Project]
USUAL = ("open_on_loopback = true", "reload_seconds = 1")


def trained(data: Dataset) -> Release:
    """Two models, in a moment."""
    retrievers = {"item_knn": ItemKNN(shrinkage=0.0).fit(data), "popularity": Popularity().fit(data)}
    pipeline = Pipeline(retrievers, data.catalog, Popularity().fit(data))
    return Release.of(pipeline, data, {"k": 5, "store_sequence": 0, "weights": {"view": 0.2}})


def of_items(prefix: str) -> Release:
    """A shop whose items all begin alike."""
    log = [(f"u{user}", f"{prefix}-{(user * 7 + item * 3) % 20:02d}", item) for user in range(40) for item in range(6)]
    return trained(dataset([(user, item, float(day)) for user, item, day in log]))


@pytest.fixture(scope="session")
def small_release() -> Release:
    return trained(two_tastes())


@pytest.fixture(scope="session")
def two_shops() -> list[Release]:
    """Of the first all items begin with `one-`, of the second with `two-`."""
    return [of_items("one"), of_items("two")]


@pytest.fixture
def project(tmp_path: Path, small_release: Release) -> Makes:
    """`project(serve_lines, root=…, releases=…, **environment)`: a folder with releases, of which the first serves."""

    def made(
        serve: str = "", root: Path = tmp_path, releases: Sequence[Release] = (), sections: str = "", **environment: str
    ) -> Project:
        store = Store(root / "releases")
        for number, release in enumerate(releases or (small_release, small_release), 1):
            store.publish(release.write, {"created": number})
        store.promote(1, 1)
        usual = [line for line in USUAL if line.partition(" ")[0] not in serve]
        lines = ["[data]", 'events = "events.csv"', "[serve]", *usual, serve, sections]
        text = "\n".join(lines) + "\n"
        (root / "zhiyin.toml").write_text(text, encoding="utf-8")
        return Project(root, environment)

    return made


@pytest.fixture
def store_of(tmp_path: Path) -> Callable[[str], str]:
    """`store_of("sqlite")` or `store_of("postgres")`: what `serve.store` says of an empty one."""

    def of(kind: str) -> str:
        if kind == "sqlite":
            return "store/events.db"
        if reason := postgres.missing():
            pytest.skip(reason)
        return postgres.new_database()

    return of
