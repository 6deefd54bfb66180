"""Releases whose files were changed in any way, and sealed again as if nothing had happened: each is refused with a
sentence or answers, and whatever it is, the service goes on."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.holding.harness import full
from tests.holding.mutated import changed, damaged, written
from tests.holding.test_artifacts import sealed
from zhiyin.registry.manifest import MANIFEST, SEAL, Manifest, write_manifest
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.store import Store as Releases
from zhiyin.serving.app import create_app
from zhiyin.serving.live import Live
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

EXAMPLES = full(30, 500)
QUESTIONS = [
    ("POST", "/v1/recommendations", {"user_id": "a001", "k": 3}),
    ("POST", "/v1/recommendations", {"history": ["a-01"], "where": "price < 9"}),
    ("GET", "/v1/items/a-01/similar", None),
    ("GET", "/v1/items/popular", None),
    ("GET", "/v1/versions", None),
    ("GET", "/v1/debug/why?user_id=a001&item_id=a-02", None),
    ("GET", "/v1/health", None),
    ("GET", "/metrics", None),
]


class Shop(NamedTuple):
    client: TestClient
    whole: Path
    """A release as it was published."""
    root: Path
    """The same, to be changed."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, small_release: Release) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("fuzzed")
    registry = Releases(folder / "releases")
    for number in (1, 2):
        registry.publish(small_release.write, {"created": number, "metrics": {"ndcg": 0.1}})
    registry.promote(1, 1)
    shutil.copytree(registry.path(2), folder / "whole")
    app = create_app(
        Live.of(registry, {}), Store.of("events.db", folder), None, Settings(ServeSettings(open_on_loopback=True))
    )
    here = ("127.0.0.1", 50_000)
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False, client=here) as client:
        yield Shop(client, folder / "whole", registry.path(2))


def files(suffix: str, root: Path) -> list[Path]:
    return sorted(one.relative_to(root) for one in root.rglob(f"*{suffix}"))


def tried(shop: Shop, file: Path, content: bytes) -> None:
    """Change one file, seal what there is, and promote it."""
    if shop.client.get("/v1/health").json()["version"] == 2:  # an example before this one has failed
        shop.client.post("/v1/versions/1/promote")
    shutil.rmtree(shop.root)
    shutil.copytree(shop.whole, shop.root)
    (shop.root / file).write_bytes(content)
    if file.name == MANIFEST:
        sealed(shop.root)
    elif file.name != SEAL:
        write_manifest(shop.root, 2, Manifest.read(shop.whole).details)
    answer = shop.client.post("/v1/versions/2/promote")
    if answer.status_code != 200:
        assert answer.status_code in (404, 409), answer.text
        assert "release 1 goes on" in answer.json()["error"]["message"] or answer.status_code == 404
    for method, path, body in QUESTIONS:
        found = shop.client.request(method, path, json=body)
        assert found.status_code < 500, (path, found.text)
    assert shop.client.get("/v1/health").json()["version"] == (2 if answer.status_code == 200 else 1)
    if answer.status_code == 200:
        assert shop.client.post("/v1/versions/rollback").json()["serving"] == 1


LAWS = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@LAWS
@given(data=st.data())
def test_a_document_of_a_release_may_say_anything(shop: Shop, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(files(".json", shop.whole)))
    document = json.loads((shop.whole / file).read_bytes())
    tried(shop, file, written(data.draw(changed(document))))


@LAWS
@given(data=st.data())
def test_a_file_of_a_release_may_hold_anything(shop: Shop, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from([*files(".safetensors", shop.whole), *files(".parquet", shop.whole), Path(SEAL)]))
    tried(shop, file, data.draw(damaged((shop.whole / file).read_bytes())))
