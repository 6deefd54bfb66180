"""The service as a process of its own: what it acknowledged survives being killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.training import read_tables
from zhiyin.errors import ArtifactError, ConfigError, StoreError
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.store import Store
from zhiyin.serving.run import serve
from zhiyin.serving.settings import Settings

START = """
import sys
from pathlib import Path
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.run import serve
from zhiyin.serving.settings import Settings
root = Path(sys.argv[1])
settings = Settings(ServeSettings(port=0, open_on_loopback=True, reload_seconds=3600, body_limit_mb=1))
serve(root / "releases", settings, root=root, environment={}, ready=lambda url: print(url, flush=True))
"""


@pytest.fixture
def shop(tmp_path: Path, release: Release) -> Path:
    store = Store(tmp_path / "releases")
    for _ in range(2):
        store.publish(release.write, {"created": 1})
    store.promote(1, 1)
    return tmp_path


@contextmanager
def process(root: Path) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    with subprocess.Popen([sys.executable, "-c", START, str(root)], stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            with httpx2.Client(base_url=running.stdout.readline().strip(), timeout=30) as client:
                yield running, client
        finally:
            running.kill()


def test_acknowledged_events_survive_kill_9_and_are_there_once(shop: Path) -> None:
    ask = {"user_id": "new", "k": 12}
    with process(shop) as (running, client):
        for item in ("b-01", "b-02"):
            told = client.post("/v1/events", json={"user_id": "new", "item_id": item, "event_id": item})
            assert told.json()["accepted"] == 1
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    assert read_tables(StoreAddress(shop / "events.db")).events["item_id"].to_list() == ["b-01", "b-02"]
    with process(shop) as (running, client):
        seen = {item["item_id"] for item in client.post("/v1/recommendations", json=ask).json()["items"]}
        assert seen.isdisjoint({"b-01", "b-02"})
        odd = 'a/b?c#☕ "知音"/recommendations'
        assert client.get(f"/v1/users/{quote(odd, safe='')}/recommendations").json()["user_id"] == odd
        again = client.post("/v1/events", json={"user_id": "new", "item_id": "b-02", "event_id": "b-02"})
        assert again.json()["repeated"] == 1
        Store(shop / "releases").promote(2, 2)
        os.kill(running.pid, signal.SIGHUP)
        deadline = time.monotonic() + 10
        while client.get("/v1/health").json()["version"] != 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        refuses_a_body_of_100_mb(client.base_url.port or 0)
        os.kill(running.pid, signal.SIGTERM)
        assert running.wait(15) in (0, -signal.SIGTERM)
    assert read_tables(StoreAddress(shop / "events.db")).events.height == 2


def refuses_a_body_of_100_mb(port: int) -> None:
    """The refusal comes before the body was sent."""
    head = f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    with closing(socket.create_connection(("127.0.0.1", port), 10)) as connection:
        connection.sendall(f"{head}Content-Length: {100 * 2**20}\r\n\r\n{{".encode())
        answer = HTTPResponse(connection)  # reads on where one piece holds the head alone
        answer.begin()
        told = json.loads(answer.read())
    assert answer.status == 413
    assert "longer than" in told["error"]["message"]


def start(shop: Path, **settings: object) -> None:
    serve(shop / "releases", Settings(ServeSettings(**({"port": 0} | settings))), root=shop, environment={})


def test_a_port_in_use_is_a_sentence(shop: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use"):
            start(shop, port=port, open_on_loopback=True)


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1"])
def test_a_host_that_is_not_ours_is_a_sentence(shop: Path, host: str) -> None:
    with pytest.raises(ConfigError, match=host):
        start(shop, host=host)


def test_what_keeps_a_service_from_starting_is_a_sentence(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no API key"):
        start(shop)
    with pytest.raises(ArtifactError, match="zhiyin train"):
        start(tmp_path / "nowhere", open_on_loopback=True)
    (shop / "broken.db").write_bytes(b"x" * 5_000)
    with pytest.raises(StoreError, match=r"serve\.store"):
        start(shop, open_on_loopback=True, store="broken.db")


@pytest.mark.parametrize(
    "settings",
    [
        {"port": 70_000},
        {"port": -1},
        {"body_limit_mb": 0},
        {"reload_seconds": 0},
        {"store": " "},
        {"workers": 0},
        {"workers": 65},
        {"drain_seconds": -1},
        {"drain_seconds": 3_601},
        {"slow_ms": 0},
    ],
)
def test_settings_out_of_range_are_sentences(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        ServeSettings(**settings)
