"""Every request has an id, a log line where it matters, and its place in the metrics; none of it names a person."""

import asyncio
import contextvars
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from zhiyin.registry.release import Release
from zhiyin.registry.retrain import FILE, State, write_state
from zhiyin.registry.store import Store
from zhiyin.serving.current import Noted, begin, current, stage
from zhiyin.serving.live import Live, Served
from zhiyin.serving.metrics import DIRECTORY, MOST_COMBINATIONS, OTHER, Metrics, forget, shared_directory
from zhiyin.serving.observe import Observed
from zhiyin.serving.state_metrics import ReleaseMetrics

ASK = "/v1/recommendations"
PERSON = "ann-of-the-secret-street"


def samples(client: Any) -> dict[tuple[str, ...], float]:
    """Name and label values, in the order of the names of the labels, to value."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


@pytest.mark.parametrize("given_id", ["abc", "A.b-c_9", "x" * 64])
def test_a_well_formed_id_of_the_caller_is_kept(steady: Any, given_id: str) -> None:
    answer = steady.post(ASK, json={"user_id": PERSON}, headers={"X-Request-Id": given_id})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == given_id


@pytest.mark.parametrize("given_id", ["", "x" * 65, "a b", "a\tb", "ü", "a;b", "{}", "a\\n"])
def test_any_other_id_is_replaced(steady: Any, given_id: str) -> None:
    answers = [steady.get("/v1/health", headers={"X-Request-Id": given_id.encode()}) for _ in range(2)]
    first, second = (answer.headers["x-request-id"] for answer in answers)
    assert re.fullmatch("[0-9a-f]{24}", first)
    assert first != second


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/items/a-00/similar"), ("GET", "/v1/users/x/recommendations"), ("POST", "/v1/events")],
)
def test_the_header_and_the_body_agree(steady: Any, method: str, path: str) -> None:
    body = {"json": {"user_id": "x", "item_id": "a-00"}} if method == "POST" else {}
    answer = steady.request(method, path, **body)
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


def test_refusals_and_faults_have_an_id_too(opens: Any, release: Release) -> None:
    live = Live(Served.of(release, {}))
    client = opens(live=live, open_on_loopback=True)
    assert client.get("/nothing", headers={"x-request-id": "n-1"}).headers["x-request-id"] == "n-1"
    live.served = None  # type: ignore[assignment]  # a fault of ours
    answer = client.get("/v1/health", headers={"x-request-id": "f-1"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "f-1")


def test_what_was_asked_is_counted_by_template(opens: Any) -> None:
    client = opens()
    before = samples(client)
    client.get(f"/v1/users/{PERSON}/recommendations?k=2")
    client.get("/v1/users/a000/recommendations")
    client.get("/v1/users/a000/recommendations?k=x")
    client.get(f"/{PERSON}")
    client.request("BREW", "/v1/health")
    client.delete("/v1/health")
    item = {"user_id": PERSON, "item_id": "a-00", "event_id": "e-1"}
    client.post("/v1/events", json=item)
    client.post("/v1/events", json=item)
    client.post("/v1/events", json=[{"user_id": PERSON}, {"user_id": PERSON, "item_id": "a-01"}])
    after = samples(client)

    def grown(*key: str) -> float:
        return after.get(key, 0) - before.get(key, 0)

    users = "/v1/users/{id}/recommendations"
    assert grown("zhiyin_requests_total", "GET", users, "200") == 2
    assert grown("zhiyin_requests_total", "GET", users, "422") == 1
    assert grown("zhiyin_requests_total", "GET", OTHER, "404") == 1
    assert grown("zhiyin_requests_total", OTHER, "/v1/health", "405") == 1
    assert grown("zhiyin_requests_total", "DELETE", "/v1/health", "405") == 1
    assert grown("zhiyin_request_seconds_count", users) == 3
    assert grown("zhiyin_answers_total", "true", "home", "fuse", "false") == 1  # fallback, scenario, source, stale
    assert grown("zhiyin_answers_total", "false", "home", "fuse", "false") == 1
    assert [grown("zhiyin_events_total", name) for name in ("stored", "repeated", "refused")] == [1, 1, 1]
    assert grown("zhiyin_commit_seconds_count") == 2
    assert after[("zhiyin_sessions",)] == 2
    assert after[("zhiyin_store_queue_events",)] == after[("zhiyin_scoring_queue",)] == 0
    assert after[("zhiyin_worker_memory_bytes",)] > 10_000_000
    assert after[("process_resident_memory_bytes",)] > 10_000_000
    assert PERSON not in str(after)


def test_the_release_and_the_trainings_are_in_the_metrics(opens: Any, release: Release, tmp_path: Path) -> None:
    registry = Store(tmp_path / "releases")
    registry.promote(registry.publish(release.write, {"created": 1_700_000_000_000_000}), 1)
    client = opens(live=Live.of(registry, {}))
    found = samples(client)
    assert found[("zhiyin_release_version",)] == 1
    assert found[("zhiyin_release_age_seconds",)] > 10**7
    assert found[("zhiyin_release_newest_event_age_seconds",)] > found[("zhiyin_release_age_seconds",)]
    assert ("zhiyin_training_success_timestamp_seconds",) not in found
    write_state(registry.root, State(succeeded=5_000_000, failures=2, running=True, runs={"kept": 3, "failed": 2}))
    found = samples(client)
    assert found[("zhiyin_trainings_total", "kept")] == 3
    assert found[("zhiyin_training_failures",)] == 2
    assert found[("zhiyin_training_running",)] == 1
    assert found[("zhiyin_training_success_timestamp_seconds",)] == 5
    (registry.root / FILE).write_text("{")
    assert ("zhiyin_training_failures",) not in samples(client)
    registry.promote(registry.publish(release.write, {"created": 1}), 2)
    (registry.path(2) / "users.parquet").write_bytes(b"")
    client.app.state.service.live.reload()
    assert samples(client)[("zhiyin_reload_failures_total",)] == 1


def test_label_values_are_bounded() -> None:
    metrics = Metrics()
    for number in range(MOST_COMBINATIONS + 50):
        metrics.ended(Noted("r", source=f"s{number}"), "/v1", "GET", 200, 0.1)
    lines = [line for line in metrics.text().decode().splitlines() if line.startswith("zhiyin_answers_total{")]
    assert len(lines) == MOST_COMBINATIONS + 1
    assert [line.rpartition(" ")[2] for line in lines if OTHER in line] == ["50.0"]


def test_only_what_failed_or_was_slow_is_logged_at_info(opens: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = opens()
    with caplog.at_level(logging.INFO, "zhiyin.access"):
        client.get(f"/v1/users/{PERSON}/recommendations?where=price<5")
        client.get("/nothing")
        assert not caplog.records
        client.app.state.service.live.served = None
        client.get("/v1/health", headers={"x-request-id": "bug-1"})
    (line,) = [one for one in caplog.records if one.name == "zhiyin.access"]
    assert (line.levelname, line.request_id, line.status, line.route) == ("INFO", "bug-1", 500, "/v1/health")  # type: ignore[attr-defined]


def test_at_debug_every_request_has_a_line(opens: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = opens(slow_ms=10**6)
    with caplog.at_level(logging.DEBUG, "zhiyin.access"):
        client.get(f"/v1/users/{PERSON}/recommendations?k=3&where=price<5")
    (line,) = [one for one in caplog.records if one.name == "zhiyin.access"]
    assert line.levelname == "DEBUG"
    assert line.route == "/v1/users/{id}/recommendations"  # type: ignore[attr-defined]
    assert PERSON not in str(vars(line))
    assert "price" not in str(vars(line))


async def nothing(_: Any = None) -> None:
    return None


@pytest.mark.parametrize(("slow_ms", "lines"), [(0, 1), (10**6, 0)])
def test_a_slow_request_has_a_line_that_names_the_caller(
    slow_ms: int, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(_: Any, __: Any, send: Any) -> None:
        current().caller = "web"
        await send({"type": "http.response.start", "status": 200})

    observed = Observed(app, metrics=Metrics(), slow_ms=slow_ms)
    with caplog.at_level(logging.INFO, "zhiyin.access"):
        asyncio.run(observed({"type": "http", "method": "GET", "headers": []}, nothing, nothing))
    found = [one for one in caplog.records if one.name == "zhiyin.access"]
    assert [(one.levelname, one.caller) for one in found] == [("INFO", "web")] * lines  # type: ignore[attr-defined]


def test_of_several_workers_the_files_are_added_up(
    tmp_path: Path, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics()
    metrics.add(ReleaseMetrics(Live(Served.of(release, {})), lambda: 0))
    environment: dict[str, str] = {}
    with shared_directory(environment) as folder:
        monkeypatch.setenv(DIRECTORY, environment[DIRECTORY])
        assert Path(folder).is_dir()
        assert metrics.text().startswith(b"# HELP zhiyin_release_version")  # nobody has counted anything there
        assert b"process_" not in metrics.text()
        forget(1, folder)
    assert not Path(folder).exists()


def test_outside_a_request_what_is_noted_goes_nowhere() -> None:
    current().version = 3
    assert current().version == 0
    with stage("scoring"):
        pass


@given(st.text(max_size=70))
def test_no_id_of_a_caller_can_break_a_header(text: str) -> None:
    from zhiyin.serving.observe import _request_id

    found = _request_id({"headers": [(b"host", b"x"), (b"x-request-id", text.encode())]})
    assert re.fullmatch("[A-Za-z0-9._-]{1,64}", found)


def test_what_is_noted_belongs_to_one_context() -> None:
    def inside() -> str:
        begin(Noted("r-1"))
        return current().request_id

    assert contextvars.copy_context().run(inside) == "r-1"
    assert current().request_id == ""
