"""A shop that is visited, one where nothing has happened, and a browser that looks at both."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from browsing import Browser, chromium
from live_server import running
from worlds import two_tastes
from zhiyin.data.dataset import Dataset
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.scenario import Scenario, default_scenarios
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.signing import Signer
from zhiyin.serving.app import create_app
from zhiyin.serving.audit import Audit
from zhiyin.serving.caller import Role
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live, Served
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

from .signing_in import sign_in

DAY = 86_400_000_000  # µs
CONTROL = {"popular": {"share": 0.3, "kind": "popular"}}


def release_of(data: Dataset) -> Release:
    retrievers = {"item_knn": ItemKNN(shrinkage=0.0).fit(data), "popularity": Popularity().fit(data)}
    pipeline = Pipeline(retrievers, data.catalog, Popularity().fit(data))
    details = {"k": 5, "store_sequence": 0, "weights": {"view": 0.2}, "trained": time.time_ns() // 1_000 - DAY}
    return Release.of(pipeline, data, details)


@dataclass(frozen=True)
class Shop:
    """A service, whose keys can be used."""

    app: Starlette
    keys: dict[str, str]
    """By the name of the role that each has."""
    folder: Path


def shop(folder: Path, *, with_control: bool = False, config: Path | None = None) -> Shop:
    """A service in a folder, with a new key for each role."""
    keys = Keys(folder / "keys.json")
    shown = {str(role): keys.create(str(role), role=role) for role in Role}
    return Shop(service_in(folder, with_control=with_control, config=config), shown, folder)


def service_in(folder: Path, *, with_control: bool = False, config: Path | None = None) -> Starlette:
    """A service over the keys, the secret and the events of a folder."""
    scenarios = default_scenarios()
    if with_control:
        scenarios["home"] = Scenario(variants=CONTROL)
    return create_app(
        Live(Served.of(release_of(two_tastes()), {})),
        Store.of("events.db", folder),
        Keys(folder / "keys.json"),
        Settings(ServeSettings(), scenarios=scenarios),
        audit=Audit(folder / "audit.jsonl"),
        signer=Signer.of(folder / "signing.key"),
        config=config,
    )


def visit(client: TestClient, key: str) -> None:
    """Thirty lists are shown, ten of them lead to a click, and half of these to a purchase."""
    headers = {"authorization": f"Bearer {key}"}
    for i in range(30):
        user = f"{'ab'[i % 2]}{i // 2:03d}"
        asked = {"user_id": user, "scenario": "home", "k": 4}
        answer = client.post("/v1/recommendations", json=asked, headers=headers).json()
        if i % 3 == 0:
            event = {
                "user_id": user,
                "item_id": answer["items"][0]["item_id"],
                "event_type": "purchase" if i % 2 else "click",
                "request_id": answer["request_id"],
            }
            assert client.post("/v1/events", json=event, headers=headers).status_code == 202


@pytest.fixture
def quiet(tmp_path: Path) -> Shop:
    """Nothing has happened here yet."""
    return shop(tmp_path)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """People have come and gone here."""
    folder = tmp_path_factory.mktemp("busy")
    made = shop(folder, with_control=True)
    with TestClient(made.app, "http://127.0.0.1:8000") as client:
        visit(client, made.keys["writer"])
    return replace(made, app=service_in(folder, with_control=True))


@pytest.fixture
def client(quiet: Shop) -> Iterator[TestClient]:
    with TestClient(quiet.app, "http://127.0.0.1:8000", follow_redirects=False) as testing:
        yield testing


@pytest.fixture(scope="module")  # no longer: while it is there, its thread has a loop, and asyncio.run refuses
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def busy_url(busy: Shop) -> Iterator[str]:
    with running(busy.app) as url:
        yield url


@pytest.fixture
def quiet_url(quiet: Shop) -> Iterator[str]:
    with running(quiet.app) as url:
        yield url


@pytest.fixture
def operator(client: TestClient, quiet: Shop) -> TestClient:
    """An operator in a shop where nothing has happened."""
    sign_in(client, quiet.keys["operator"])
    return client


@pytest.fixture
def visited(busy: Shop) -> Iterator[TestClient]:
    """An operator in a shop that people have visited."""
    with TestClient(service_in(busy.folder), "http://127.0.0.1:8000", follow_redirects=False) as client:
        sign_in(client, busy.keys["operator"])
        yield client
