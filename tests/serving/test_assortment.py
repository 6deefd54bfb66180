"""What a shop stores of its items is in the next answer, of any worker, without training."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from worlds import two_tastes
from zhiyin.data.store.records import Item
from zhiyin.models.content import Content
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.scenario import Scenario
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.app import create_app
from zhiyin.serving.assortment import Assortment
from zhiyin.serving.live import Live, Served
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

NEW = {"item_id": "z-new", "attributes": {"title": "tea 2", "category": "a", "price": 2}}
SETTINGS = Settings(
    ServeSettings(open_on_loopback=True), scenarios={"home": Scenario(), "similar": Scenario("similar")}
)


@pytest.fixture(scope="module")
def described() -> Release:
    data = two_tastes()
    retrievers = {"content": Content().fit(data), "item_knn": ItemKNN(shrinkage=0.0).fit(data)}
    pipeline = Pipeline(retrievers, data.catalog, Popularity().fit(data))
    return Release.of(pipeline, data, {"k": 5, "store_sequence": 0, "store_change": 0})


@pytest.fixture
def worker(tmp_path: Path, described: Release) -> Any:
    """`worker()`: another process of the service over the same store."""
    with ExitStack() as stack:

        def started() -> TestClient:
            app = create_app(Live(Served.of(described, {})), Store.of("events.db", tmp_path), None, SETTINGS)
            client = TestClient(app, "http://127.0.0.1:8000", client=("127.0.0.1", 5))
            return stack.enter_context(client)

        yield started


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.serving.assortment.PAUSE", 0.0)


def items(client: TestClient, user: str = "new", **more: Any) -> list[str]:
    answer = client.post("/v1/recommendations", json={"user_id": user, "k": 12, **more})
    assert answer.status_code == 200, answer.text
    return [one["item_id"] for one in answer.json()["items"]]


def test_a_new_item_is_shown_at_once_by_every_worker_and_to_those_who_like_its_kind(
    worker: Callable[[], TestClient],
) -> None:
    one, other = worker(), worker()
    for client in (one, other):
        for taste in "ab":
            client.post("/v1/events", json=[{"user_id": f"new {taste}", "item_id": f"{taste}-0{i}"} for i in (1, 3)])
        assert "z-new" not in items(client, "new a")
    assert one.post("/v1/items", json=NEW).json() == {"stored": 1, "new": 1}
    for client in (one, other):
        assert items(client, "new a").index("z-new") < items(client, "new b").index("z-new")
        assert "z-new" in [x["item_id"] for x in client.get("/v1/items/a-02/similar?k=8").json()["items"]]
        assert client.get("/v1/items/z-new/similar?k=1").json()["items"][0]["item_id"] == "a-02"


def test_an_event_with_a_new_item_counts_as_soon_as_both_are_stored(worker: Callable[[], TestClient]) -> None:
    client = worker()
    client.post("/v1/events", json={"user_id": "ann", "item_id": "z-new"})
    assert client.post("/v1/recommendations", json={"user_id": "ann"}).json()["fallback"]
    client.post("/v1/items", json=NEW)
    answer = client.post("/v1/recommendations", json={"user_id": "ann", "k": 3}).json()
    assert not answer["fallback"]
    assert "z-new" not in [one["item_id"] for one in answer["items"]], "it was seen"
    assert answer["items"][0]["item_id"] == "a-02"  # of the same name, kind and price
    assert answer["items"][0]["reason"]["because"][0]["item_id"] == "z-new"


def test_prices_and_hiding_count_at_once_and_deleting_shows_no_more(worker: Callable[[], TestClient]) -> None:
    client = worker()
    assert items(client, where="price > 900") == []
    client.post("/v1/items", json={"item_id": "b-02", "attributes": {"price": 950}})
    assert items(client, where="price > 900") == ["b-02"]
    client.patch("/v1/items/b-02", json={"hidden": True})
    assert items(client, where="price > 900") == []
    client.post("/v1/items", json=NEW)
    assert "z-new" in items(client, "a000")
    client.delete("/v1/items/z-new")
    assert "z-new" not in items(client, "a000")


def test_another_release_begins_with_what_it_was_trained_on(tmp_path: Path, described: Release) -> None:
    live = Live(Served.of(described, {}))
    app = create_app(live, Store.of("events.db", tmp_path), None, SETTINGS)
    with TestClient(app, "http://127.0.0.1:8000", client=("127.0.0.1", 5)) as client:
        client.post("/v1/items", json=NEW)
        assert "z-new" in items(client, "a000")
        trained_later = replace(described, details={**described.details, "store_change": 10**9}, number=2)
        live.served = Served.of(trained_later, {})
        assert "z-new" not in items(client, "a000"), "this training knows of all changes and left the item out"
        live.served = Served.of(replace(described, details=dict(described.details), number=3), {})
        assert "z-new" in items(client, "a000")


def test_a_catalogue_that_is_sent_item_by_item_leaves_time_for_answers(tmp_path: Path, described: Release) -> None:
    async def shown() -> list[int]:
        moments = iter([0.0, 1.0, 3.0, 3.5, 11.5, 12.0, 12.0, 12.0])
        async with Store.of("events.db", tmp_path) as store:
            assortment = Assortment(Live(Served.of(described, {})), store, lambda: next(moments))
            sizes = []
            for number in range(3):
                await store.put_items([Item(f"z-{number}", {"title": "tea"})])
                sizes.append(len((await assortment.latest()).release.items))
            return sizes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zhiyin.serving.assortment.PAUSE", 4.0)
        # asked at 0 and taken in from 1 to 3: until 11 nothing more is; at 3.5 it is too early, at 11.5 both come
        assert asyncio.run(shown()) == [13, 13, 15]


def test_an_item_that_only_the_files_describe_is_hidden_by_a_change(worker: Callable[[], TestClient]) -> None:
    client = worker()
    assert "a-05" in items(client, "nobody")
    assert client.patch("/v1/items/a-05", json={"hidden": True}).json()["hidden"]
    assert "a-05" not in items(client, "nobody")
    assert client.patch("/v1/items/unheard-of", json={"hidden": True}).status_code == 404
    client.patch("/v1/items/a-05", json={"hidden": False})
    assert "a-05" in items(client, "nobody")
