"""Spans of a request and its stages, within the caller's own trace."""

import sys
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.testclient import TestClient

from zhiyin.errors import ConfigError, MissingExtraError
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.app import create_app
from zhiyin.serving.live import Live, Served
from zhiyin.serving.run import tracing_of
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store
from zhiyin.serving.traces import Tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def spans_of(tmp_path: Any, release: Release, ask: Any) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    tracing = Tracing(exporter)
    settings = Settings(ServeSettings(open_on_loopback=True))
    app = create_app(
        Live(Served.of(replace(release, number=7), {})), Store.of("e.db", tmp_path), None, settings, tracing=tracing
    )
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False, client=("127.0.0.1", 5)) as client:
        ask(client)
        tracing.flush()
        return list(exporter.get_finished_spans())


def test_a_request_is_a_span_with_its_stages_in_the_callers_trace(tmp_path: Any, release: Release) -> None:
    headers = {"traceparent": PARENT, "x-request-id": "r-1"}
    found = spans_of(
        tmp_path, release, lambda client: client.post("/v1/recommendations", json={"user_id": "ann"}, headers=headers)
    )
    by_name = {span.name: span for span in found}
    assert set(by_name) == {"POST /v1/recommendations", "history", "scoring", "reasons"}
    whole = by_name["POST /v1/recommendations"]
    assert whole.kind == SpanKind.SERVER
    assert whole.parent is not None
    assert f"{whole.parent.trace_id:032x}-{whole.parent.span_id:016x}" == PARENT[3:-3]
    assert whole.attributes == {
        "http.request.method": "POST", "http.route": "/v1/recommendations", "http.response.status_code": 200,
        "zhiyin.request_id": "r-1", "zhiyin.version": 7, "zhiyin.scenario": "home",
    }  # fmt: skip
    for name in ("history", "scoring", "reasons"):
        parent = by_name[name].parent
        assert parent is not None
        assert parent.span_id == whole.context.span_id
    assert "ann" not in str([span.to_json() for span in found])


def test_each_request_without_a_trace_has_one_of_its_own(tmp_path: Any, release: Release) -> None:
    def ask(client: Any) -> None:
        client.get("/v1/items/a-00/similar")
        client.get("/nothing", headers={"traceparent": "nonsense"})
        client.app.state.service.live.served = None
        client.get("/v1/health")

    found = {span.name: span for span in spans_of(tmp_path, release, ask)}
    assert set(found) == {"GET /v1/items/{id}/similar", "scoring", "GET other", "GET /v1/health"}
    whole = [span for span in found.values() if span.name != "scoring"]
    assert len({span.context.trace_id for span in whole}) == 3
    assert [span.name for span in whole if span.status.status_code == StatusCode.ERROR] == ["GET /v1/health"]


def test_a_collector_that_is_not_there_stops_nobody(tmp_path: Any, release: Release) -> None:
    assert tracing_of(ServeSettings()) is None
    tracing = tracing_of(ServeSettings(traces="http://127.0.0.1:9"))
    assert tracing is not None
    tracing.stop()


def test_without_the_extra_the_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zhiyin.serving.traces", None)
    with pytest.raises(MissingExtraError, match=r"zhiyin\[traces\]"):
        tracing_of(ServeSettings(traces="http://127.0.0.1:4318"))


@pytest.mark.parametrize("address", ["", "collector:4318", "http://", "ftp://x"])
def test_an_address_that_is_none_is_a_sentence(address: str) -> None:
    with pytest.raises(ConfigError, match=r"serve\.traces"):
        ServeSettings(traces=address)
