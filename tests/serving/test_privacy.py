"""A person can be shown all that is held, and be forgotten: in the store, in answers, in the next training."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from zhiyin.data.privacy import PrivacySettings
from zhiyin.registry.release import Release
from zhiyin.registry.retrain_requests import pending
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.signing import Signer, is_genuine
from zhiyin.registry.store import Store as Releases
from zhiyin.serving.app import create_app
from zhiyin.serving.audit import Audit
from zhiyin.serving.live import Live, Served
from zhiyin.serving.renewal import renew
from zhiyin.serving.retention import prune
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store
from zhiyin.serving.vault import Vault

OLD, NEW = (base64.b64encode(bytes([i]) * 32).decode() for i in (1, 2))
VARIABLE = "ZHIYIN_ENCRYPTION_KEYS"


def service(folder: Path, live: Live, keys: str = "", **privacy: Any) -> TestClient:
    settings = Settings(ServeSettings(open_on_loopback=True), privacy=PrivacySettings(**privacy))
    signer = Signer.of(folder / "signing.key")
    store = Store.of(
        "events.db", folder, vault=Vault.of(settings.privacy, {VARIABLE: keys}), digests=signer.digest
    )  # fmt: skip
    app = create_app(live, store, None, settings, audit=Audit(folder / "audit.jsonl"), signer=signer)
    return TestClient(app, "http://127.0.0.1:8000", client=("127.0.0.1", 5))


@pytest.fixture
def live(tmp_path: Path, release: Release) -> Live:
    releases = Releases(tmp_path / "releases")
    releases.promote(releases.publish(release.write, {"created": 1}), 1)
    return Live.of(releases, {})


def answer(client: TestClient, user: str = "a000") -> dict[str, Any]:
    return client.post("/v1/recommendations", json={"user_id": user, "k": 12, "scenario": "email"}).json()


def test_an_erased_person_is_a_stranger_to_every_worker_and_has_a_receipt(tmp_path: Path, live: Live) -> None:
    with service(tmp_path, live) as one, service(tmp_path, live) as other:
        for client in (one, other):
            assert not answer(client)["fallback"]
        one.post("/v1/events", json=[{"user_id": "a000", "item_id": "a-01"}] * 2)
        one.post("/v1/users", json={"user_id": "a000", "attributes": {"city": "Graz"}})
        receipt = one.delete("/v1/users/a000")
        assert receipt.status_code == 200, receipt.text
        content = receipt.json()["content"]
        assert content["user_id"] == "a000"
        assert (content["removed"]["events"], content["removed"]["users"]) == (2, 1)
        assert content["removed"]["impressions"] >= 2
        assert content["releases"] == [1]
        assert content["training"] == "queued"
        assert is_genuine(receipt.json(), Signer.of(tmp_path / "signing.key").public_key)
        assert pending(tmp_path / "releases") is not None
        stranger = [item["item_id"] for item in answer(one, "nobody")["items"]]
        for client in (one, other):
            after = answer(client)
            assert after["fallback"]
            assert [item["item_id"] for item in after["items"]] == stranger
        one.post("/v1/events", json={"user_id": "a000", "item_id": "b-01"})  # who comes back is known from then on
        back = answer(other)
        assert not back["fallback"]
        assert {item["reason"]["because"][0]["item_id"] for item in back["items"] if item["reason"]["because"]} == {
            "b-01"
        }
    written = (tmp_path / "audit.jsonl").read_text()
    assert [json.loads(line)["outcome"] for line in written.splitlines()] == ["begun", "done"]
    assert "a000" not in written


def test_a_new_training_may_believe_what_came_after_the_erasure(tmp_path: Path, release: Release) -> None:
    later = replace(release, details={**release.details, "trained": 4_000_000_000_000_000})
    with service(tmp_path, Live(Served.of(later, {}))) as client:
        assert client.delete("/v1/users/a000").json()["content"]["training"] == "not possible"
        assert not answer(client)["fallback"]


def test_all_that_is_held_is_exported_and_that_is_audited(tmp_path: Path, live: Live) -> None:
    with service(tmp_path, live, f"k1:{OLD}", encrypt=("email", "context.ip")) as client:
        client.post("/v1/users", json={"user_id": "ann", "attributes": {"email": "ann@example.org", "city": "Graz"}})
        context = {"ip": "198.51.100.7", "page": "home"}
        client.post("/v1/events", json={"user_id": "ann", "item_id": "a-01", "context": context})
        held = client.get("/v1/users/ann/export").json()["held"]
        assert held["users"][0]["attributes"] == {"email": "ann@example.org", "city": "Graz"}
        assert held["events"][0]["context"] == context
    acts = [json.loads(line)["act"] for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert acts == ["export person"] * 2


def test_named_columns_lie_encrypted_and_a_new_key_takes_over(tmp_path: Path, live: Live) -> None:
    kept = {"email": "ann@example.org", "city": "Graz"}

    def file() -> bytes:
        return b"".join(path.read_bytes() for path in sorted(tmp_path.glob("events.db*")))

    with service(tmp_path, live, f"k1:{OLD}", encrypt=("email", "context.ip")) as client:
        client.post("/v1/users", json={"user_id": "ann", "attributes": kept})
        client.patch("/v1/users/bob", json={"attributes": {"email": "bob@example.org"}})
        asked = {"user_id": "ann", "context": {"ip": "198.51.100.8", "page": "home"}}
        client.post("/v1/recommendations", json=asked)
        client.post("/v1/events", json={"user_id": "ann", "item_id": "a-01", "context": {"ip": "198.51.100.7"}})
        assert client.get("/v1/users/ann").json()["attributes"] == kept
    for secret in (b"ann@example.org", b"bob@example.org", b"198.51.100.7", b"198.51.100.8"):
        assert secret not in file()
    assert b"Graz" in file()
    with service(tmp_path, live, f"k2:{NEW},k1:{OLD}", encrypt=("email", "context.ip")) as client:
        assert client.get("/v1/users/ann").json()["attributes"] == kept
        assert client.portal is not None
        assert client.portal.call(renew, client.app.state.service.store) == 4
        assert client.portal.call(renew, client.app.state.service.store) == 0
    with service(tmp_path, live, f"k2:{NEW}", encrypt=("email", "context.ip")) as client:
        assert client.get("/v1/users/ann").json()["attributes"] == kept
        assert client.get("/v1/users?limit=9").json()["users"][1]["attributes"] == {"email": "bob@example.org"}
        held = client.get("/v1/users/ann/export").json()["held"]
        assert held["events"][0]["context"] == {"ip": "198.51.100.7"}
        assert held["impressions"][0]["context"] == asked["context"]
    with service(tmp_path, live, f"k3:{OLD}", encrypt=("email",)) as client:
        refused = client.get("/v1/users/ann")
        assert refused.status_code == 503
        assert "needs the key k2" in refused.json()["error"]["message"]


def test_nothing_is_kept_for_longer_than_the_shop_says(tmp_path: Path, live: Live) -> None:
    now = [1_790_000_000_000_000]
    with service(tmp_path, live, events_days=30, shown_days=7) as client:
        running = client.app.state.service
        object.__setattr__(running, "clock", lambda: now[0])
        running.store._clock = running.clock
        client.post("/v1/events", json={"user_id": "ann", "item_id": "a-01", "timestamp": now[0] // 1_000_000 - 9})
        answer(client, "ann")
        assert client.portal is not None
        day = 86_400_000_000
        gone = []
        for days in (1, 7, 25):
            now[0] += days * day
            client.post("/v1/events", json={"user_id": "bob", "item_id": "a-01"})
            gone.append(client.portal.call(prune, running))
        assert gone == [
            {"events": 0, "impressions": 0},
            {"events": 0, "impressions": 1},
            {"events": 2, "impressions": 0},
        ]
