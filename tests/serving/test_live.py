"""The release that answers: swapped while requests go on, and never for one that is damaged."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.errors import ArtifactError, ConfigError
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store
from zhiyin.serving.live import Live, Served
from zhiyin.types import Indexes, Scores


@pytest.fixture
def registry(tmp_path: Path, release: Release) -> Store:
    store = Store(tmp_path / "releases")
    for _ in range(3):
        store.publish(release.write, {"created": 1})
    store.promote(1, 1)
    return store


def damage(registry: Store, number: int) -> Path:
    path = registry.path(number) / "histories.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    return path


def test_nothing_that_serves_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="zhiyin train"):
        Live.of(Store(tmp_path), {})


def test_a_promotion_is_noticed(registry: Store, opens: Any) -> None:
    live = Live.of(registry, {})
    client = opens(live=live)
    assert client.get("/v1/users/a000/recommendations").json()["version"] == 1
    assert not live.reload()
    registry.promote(2, 2)
    assert live.reload()
    assert client.get("/v1/users/a000/recommendations").json()["version"] == 2
    registry.rollback(3)
    assert live.reload()
    assert client.get("/v1/health").json()["version"] == 1


def test_a_damaged_release_is_refused_and_the_old_one_goes_on(
    registry: Store, opens: Any, caplog: pytest.LogCaptureFixture
) -> None:
    live = Live.of(registry, {})
    client = opens(live=live)
    registry.promote(2, 2)
    broken = damage(registry, 2)
    with caplog.at_level(logging.ERROR):
        assert [live.reload() for _ in range(3)] == [False] * 3
    assert len(caplog.records) == 1
    health = client.get("/v1/health").json()
    assert (health["status"], health["version"]) == ("degraded", 1)
    assert "release 2 cannot be served, release 1 goes on" in health["problem"]
    assert client.get("/v1/users/a000/recommendations").json()["version"] == 1
    broken.write_bytes((registry.path(3) / broken.name).read_bytes())
    assert not live.reload()
    assert live.reload(again=True)  # what SIGHUP asks for
    assert client.get("/v1/health").json()["status"] == "ok"


def test_a_damaged_record_of_who_serves_is_survived(registry: Store) -> None:
    live = Live.of(registry, {})
    (registry.root / "serving.json").write_text("{")
    assert not live.reload()
    assert "serving.json" in live.problem
    assert live.served.release.number == 1


def test_details_of_a_problem_are_for_callers_with_a_key(registry: Store, opens: Any, tmp_path: Path) -> None:
    from zhiyin.serving.keys import Keys

    live = Live.of(registry, {})
    live.problem = "secret paths"
    keys = Keys(tmp_path / "keys.json")
    key = keys.create("shop")
    client = opens(live=live, keys=keys, open_on_loopback=False)
    assert "problem" not in client.get("/v1/health").json()
    assert client.get("/v1/health", headers={"x-api-key": key}).json()["problem"] == "secret paths"


def test_a_release_that_lacks_what_a_scenario_names_is_not_promoted(registry: Store, tmp_path: Path) -> None:
    live = Live.of(registry, {})

    def suits(release: Release) -> None:
        if release.number != 1:
            raise ConfigError("scenarios.home.caps: there is no column 'brand'")

    live.require(suits)
    with pytest.raises(ArtifactError, match=r"release 2 cannot be served: .*no column 'brand'"):
        live.promote(2, 2, "by hand")
    assert (live.served.release.number, registry.serving()) == (1, 1)


def test_the_watch_looks_by_itself_and_when_woken(registry: Store) -> None:
    live = Live.of(registry, {})
    live.watch(0.01)
    try:
        registry.promote(2, 2)
        wait_for(lambda: live.served.release.number == 2)
    finally:
        live.stop()
    live.watch(3_600)
    try:
        registry.promote(3, 3)
        live.wake()
        wait_for(lambda: live.served.release.number == 3)
    finally:
        live.stop()


def wait_for(holds: Any) -> None:
    import time

    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_pseudonyms_without_their_key_are_not_served(release: Release) -> None:
    hidden = replace(release, details={"pseudonymised": True, "key_env": "SHOP_KEY"})
    with pytest.raises(ConfigError, match="SHOP_KEY"):
        Served.of(hidden, {})


@dataclass
class Divides:
    """A model that fails for whoever has a past."""

    def fit(self, _: Dataset) -> Self:
        return self

    def score(self, queries: Queries, _: Indexes | None = None) -> Scores:
        if len(queries.histories.items) and queries.histories.times[-1] > 10**15:
            raise ZeroDivisionError("secret")
        return np.zeros((len(queries), 12), np.float32)


@pytest.fixture
def faulty(release: Release, opens: Any) -> Any:
    pipeline = replace(release.pipeline, retrievers={"divides": Divides()})
    return opens(live=Live(Served.of(replace(release, pipeline=pipeline), {})))


def test_a_bug_is_a_sentence_and_no_traceback(faulty: Any) -> None:
    assert faulty.get("/v1/users/new/recommendations").status_code == 200
    faulty.post("/v1/events", json={"user_id": "new", "item_id": "b-01"})
    answer = faulty.get("/v1/users/new/recommendations")
    assert answer.status_code == 500
    assert set(answer.json()["error"]) == {"status", "message"}
    assert "secret" not in answer.text
    assert faulty.get("/v1/health").status_code == 200
