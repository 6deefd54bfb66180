"""A small shop with real models, a release of it, and a service over it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from worlds import two_tastes
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.scenario import Scenario, default_scenarios
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.app import create_app
from zhiyin.serving.audit import Audit
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live, Served
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store


@pytest.fixture(scope="session")
def release() -> Release:
    data = two_tastes()
    retrievers = {"item_knn": ItemKNN(shrinkage=0.0).fit(data), "popularity": Popularity().fit(data)}
    pipeline = Pipeline(retrievers, data.catalog, Popularity().fit(data))
    return Release.of(pipeline, data, {"k": 5, "store_sequence": 0, "weights": {"view": 0.2}})


Opens = Callable[..., TestClient]


@pytest.fixture
def opens(tmp_path: Path, release: Release) -> Iterator[Opens]:
    """Start a service; `opens(live=…, keys=…, client=…, access=…, audit=…, scenarios=…, **settings)`."""
    with ExitStack() as stack:

        def opened(
            live: Live | None = None,
            keys: Keys | None = None,
            client: str = "127.0.0.1",
            base_url: str = "http://127.0.0.1:8000",
            store: Store | None = None,
            store_name: str = "events",
            access: AccessSettings | None = None,
            audit: Audit | None = None,
            scenarios: Mapping[str, Scenario] | None = None,
            **settings: object,
        ) -> TestClient:
            chosen = Settings(
                ServeSettings(**({"open_on_loopback": True} | settings)),
                access or AccessSettings(),
                scenarios=default_scenarios() if scenarios is None else dict(scenarios),
            )
            kept = store or Store.of(f"{store_name}.db", tmp_path)
            app = create_app(live or Live(Served.of(release, {})), kept, keys, chosen, audit=audit)
            testing = TestClient(app, base_url, raise_server_exceptions=False, client=(client, 50_000))
            return stack.enter_context(testing)

        yield opened


@pytest.fixture
def client(opens: Opens) -> TestClient:
    return opens()


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory, release: Release) -> Iterator[TestClient]:
    """A service for tests that leave nothing behind."""
    store = Store.of("events.db", tmp_path_factory.mktemp("steady"))
    app = create_app(Live(Served.of(release, {})), store, None, Settings(ServeSettings(open_on_loopback=True)))
    with TestClient(
        app, "http://127.0.0.1:8000", raise_server_exceptions=False, client=("127.0.0.1", 50_000)
    ) as testing:
        yield testing
