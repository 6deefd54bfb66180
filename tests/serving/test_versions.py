"""Releases and trainings over HTTP: who is refused leaves what serves alone."""

import re
from pathlib import Path
from typing import Any

import pytest

from zhiyin.registry.lock import exclusive
from zhiyin.registry.release import Release
from zhiyin.registry.retrain import FILE, State, write_state
from zhiyin.registry.retrain_requests import pending, take
from zhiyin.registry.store import SERVING_LOCK, Store
from zhiyin.serving.live import Live
from zhiyin.serving.readiness import HOLD_SECONDS, Readiness


@pytest.fixture
def registry(tmp_path: Path, release: Release) -> Store:
    store = Store(tmp_path / "releases")
    for created in (1_790_000_000_000_000, 1_790_000_100_000_000, 1_790_000_200_000_000):
        store.publish(release.write, {"created": created, "metrics": {"ndcg@10": 0.5, "odd": None}})
    store.promote(1, 1)
    return store


@pytest.fixture
def client(registry: Store, opens: Any) -> Any:
    return opens(live=Live.of(registry, {}), reload_seconds=3_600)


def refused(client: Any, path: str, status: int) -> str:
    answer = client.post(path)
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"]["message"])


def test_the_releases_are_listed(client: Any, registry: Store) -> None:
    registry.promote(2, 2)
    (registry.path(3) / "manifest.json").write_text("{")
    found = client.get("/v1/versions").json()
    assert found["serving"] == 1  # this process has not looked yet
    one, two, three = found["versions"]
    assert one == {
        "number": 1, "created": "2026-09-21T14:13:20Z", "metrics": {"ndcg@10": 0.5}, "serving": False,
        "previous": True, "problem": "",
    }  # fmt: skip
    assert (two["serving"], two["problem"], three["created"]) == (True, "", None)
    assert "manifest.json" in three["problem"]
    (registry.root / "serving.json").write_text("{")
    assert client.get("/v1/versions").status_code == 503


def test_who_promotes_is_answered_by_the_new_release_at_once(client: Any, registry: Store) -> None:
    assert client.post("/v1/versions/2/promote").json() == {"serving": 2, "before": 1}
    assert client.get("/v1/users/a000/recommendations").json()["version"] == 2
    assert registry.serving() == 2
    assert client.post("/v1/versions/2/promote").json() == {"serving": 2, "before": 2}
    assert client.post("/v1/versions/rollback").json() == {"serving": 1, "before": 2}
    assert client.get("/v1/health").json()["version"] == 1
    assert client.post("/v1/versions/rollback").status_code == 409
    assert registry.serving() == 1


@pytest.mark.parametrize("number", ["9", "0", "-1", "x", "٣", "9" * 30, "1e0"])
def test_a_release_that_is_not_there_is_404(client: Any, registry: Store, number: str) -> None:
    refused(client, f"/v1/versions/{number}/promote", 404)
    assert (registry.serving(), client.get("/v1/health").json()["version"]) == (1, 1)


def test_a_damaged_release_is_409_and_what_serves_stays(client: Any, registry: Store) -> None:
    (registry.path(2) / "users.parquet").write_bytes(b"")
    said = refused(client, "/v1/versions/2/promote", 409)
    assert "users.parquet" in said
    assert said.endswith("release 1 goes on")
    assert (registry.serving(), client.get("/v1/health").json()["version"]) == (1, 1)
    assert client.get("/v1/health").json()["status"] == "ok"


def test_a_release_that_cannot_answer_is_409_too(client: Any, registry: Store, release: Release) -> None:
    def write(directory: Path) -> None:  # whole, sealed, and of no use
        release.write(directory)
        (directory / "release.json").write_text((directory / "release.json").read_text().replace("item_knn", "gone"))

    number = registry.publish(write, {"created": 1})
    refused(client, f"/v1/versions/{number}/promote", 409)
    assert (registry.serving(), client.get("/v1/health").json()["version"]) == (1, 1)


def test_a_release_whose_key_is_missing_is_409(client: Any, registry: Store, release: Release) -> None:
    from dataclasses import replace

    hidden = replace(release, details={"pseudonymised": True, "key_env": "SHOP_KEY"})
    number = registry.publish(hidden.write, {"created": 1})
    assert "SHOP_KEY" in refused(client, f"/v1/versions/{number}/promote", 409)
    assert registry.serving() == 1


def test_a_rollback_to_what_is_damaged_is_409(client: Any, registry: Store) -> None:
    assert client.post("/v1/versions/2/promote").status_code == 200
    (registry.path(1) / "users.parquet").write_bytes(b"")
    assert "users.parquet" in refused(client, "/v1/versions/rollback", 409)
    assert (registry.serving(), client.get("/v1/health").json()["version"]) == (2, 2)


def test_while_another_process_promotes_it_is_409(client: Any, registry: Store) -> None:
    with exclusive(registry.root, SERVING_LOCK):
        assert "in use" in refused(client, "/v1/versions/2/promote", 409)
    assert client.post("/v1/versions/2/promote").status_code == 200


def test_a_service_without_a_registry_says_so(steady: Any) -> None:
    for method, path in (
        ("GET", "/v1/versions"), ("POST", "/v1/versions/1/promote"), ("POST", "/v1/versions/rollback"),
        ("GET", "/v1/retrain"), ("POST", "/v1/retrain"),
    ):  # fmt: skip
        assert steady.request(method, path).status_code == 409, path


def test_a_training_is_asked_for_and_seen(client: Any, registry: Store) -> None:
    assert client.get("/v1/retrain").json() == {
        "state": "idle", "queued": False, "began": None, "ended": None, "succeeded": None, "result": "", "failures": 0,
        "next": None,
    }  # fmt: skip
    answer = client.post("/v1/retrain")
    assert (answer.status_code, answer.json()) == (202, {"state": "queued"})
    assert pending(registry.root) is not None
    found = client.get("/v1/retrain").json()
    assert (found["state"], found["queued"]) == ("queued", True)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["next"])
    take(registry.root)
    write_state(registry.root, State(began=1_790_000_000_000_000, running=True))
    found = client.get("/v1/retrain").json()
    assert (found["state"], found["queued"], found["began"]) == ("running", False, "2026-09-21T14:13:20Z")
    client.post("/v1/retrain")
    assert client.get("/v1/retrain").json()["queued"]
    (registry.root / FILE).write_text("{")
    assert "remove it" in client.get("/v1/retrain").json()["error"]["message"]


def test_a_request_that_cannot_be_written_is_503(client: Any, registry: Store) -> None:
    (registry.root / ".retrain-request.json.new").mkdir()
    answer = client.post("/v1/retrain")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_a_training_that_failed_is_a_problem_of_health(registry: Store, opens: Any) -> None:
    write_state(registry.root, State(failures=1, sentence="events.csv is gone"))
    client = opens(live=Live.of(registry, {}))
    waited = 0
    while client.get("/v1/health").json()["status"] == "ok":
        waited += 1
        assert waited < 1_000
    assert client.get("/v1/health").json()["problem"] == "the last training failed: events.csv is gone"
    assert client.get("/v1/ready").status_code == 200


def test_a_state_of_trainings_that_cannot_be_read_is_a_problem_of_health(registry: Store, opens: Any) -> None:
    (registry.root / FILE).write_text("{")
    client = opens(live=Live.of(registry, {}))
    waited = 0
    while client.get("/v1/health").json()["status"] == "ok":
        waited += 1
        assert waited < 1_000
    assert FILE in client.get("/v1/health").json()["problem"]


def test_ready_needs_no_key_and_says_why_not(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/v1/ready").json() == {"status": "ready", "version": 1}
    service = client.app.state.service
    monkeypatch.setattr(type(service.store), "problem", "the disk of /secret is full")
    answer = client.get("/v1/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "version": 1, "reasons": ["events cannot be written"]}
    monkeypatch.undo()
    service.readiness.end()
    assert client.get("/v1/ready").json()["reasons"] == ["the service is shutting down"]
    assert client.get("/v1/users/a000/recommendations").status_code == 200


def test_after_a_failed_write_requests_come_back_to_show_whether_it_works_again() -> None:
    now = [100.0]
    readiness = Readiness(lambda: now[0])
    assert not readiness.reasons("")
    for turn in range(4):
        now[0] = 200 + turn * HOLD_SECONDS
        assert bool(readiness.reasons("full")) == (turn % 2 == 0)
    assert not readiness.reasons("")
    now[0] += 1
    assert readiness.reasons("full")
