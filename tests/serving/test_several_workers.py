"""Two workers over one socket, as real processes: swapped fifty times under load, counted together, ended in order."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from worlds import DAY, dataset
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.training import read_tables
from zhiyin.errors import ServiceError
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
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
settings = Settings(ServeSettings(port=0, open_on_loopback=True, reload_seconds=3600, workers=2, drain_seconds=1))
serve(root / "releases", settings, root=root, environment={}, ready=lambda url: print(url, flush=True))
"""
SWAPS = 50
CLIENTS = 4


def of_items(prefix: str) -> Release:
    """A shop whose items all begin alike."""
    log = [(f"u{user}", f"{prefix}-{(user * 7 + item * 3) % 20:02d}", item) for user in range(40) for item in range(6)]
    data = dataset([(user, item, float(day)) for user, item, day in log])
    retrievers = {"item_knn": ItemKNN(shrinkage=0.0).fit(data), "popularity": Popularity().fit(data)}
    return Release.of(Pipeline(retrievers, data.catalog, Popularity().fit(data)), data, {"k": 5})


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    store = Store(tmp_path / "releases")
    for prefix in ("one", "two"):
        store.publish(of_items(prefix).write, {"created": DAY})
    store.promote(1, 1)
    return tmp_path


@contextmanager
def process(root: Path) -> Iterator[tuple["subprocess.Popen[str]", httpx2.Client]]:
    with subprocess.Popen(
        [sys.executable, "-c", START, str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout
            with httpx2.Client(base_url=running.stdout.readline().strip(), timeout=30) as client:
                yield running, client
        finally:
            running.kill()


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Load:
    """People who ask again and again, each time on a connection of their own, so that every worker is asked."""

    def __init__(self, url: str) -> None:
        self.answers: list[tuple[int, int, set[str]]] = []  # status, version, what its items begin with
        self.failures: list[str] = []
        self._url = url
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        paths = [f"/v1/users/u{number}/recommendations", "/v1/users/stranger/recommendations?k=20"]
        with httpx2.Client(base_url=self._url, timeout=30, headers={"connection": "close"}) as client:
            turn = 0
            while not self._over.is_set():
                turn += 1
                try:
                    answer = client.get(paths[turn % 2])
                except httpx2.HTTPError as error:
                    self.failures.append(repr(error))
                    continue
                found = answer.json()
                begin = {item["item_id"].partition("-")[0] for item in found.get("items", ())}
                self.answers.append((answer.status_code, found.get("version", 0), begin))


def test_fifty_swaps_under_load_fail_nobody_and_mix_nothing(shop: Path) -> None:
    with process(shop) as (running, client):
        with Load(str(client.base_url)) as load:
            for turn in range(SWAPS):
                answer = client.post("/v1/versions/2/promote" if turn % 2 == 0 else "/v1/versions/rollback")
                assert answer.json()["serving"] == 2 - turn % 2
                running.send_signal(signal.SIGHUP)  # the other worker
        workers = children(running.pid)
        assert len(workers) == 2
        deadline = time.monotonic() + 20
        while (found := client.get("/metrics").text).count('zhiyin_worker_memory_bytes{pid="') < 2:
            assert time.monotonic() < deadline
        assert all(f'pid="{pid}"' in found for pid in workers)
        counted = {
            line.partition("{")[2].rpartition("}")[0]: float(line.rpartition(" ")[2])
            for line in found.splitlines()
            if line.startswith("zhiyin_requests_total{")
        }
        asked = 'method="GET",route="/v1/users/{id}/recommendations",status="200"'
        assert counted[asked] == len(load.answers)  # of both workers together
        folder = Path(f"/proc/{workers[0]}/environ").read_text().partition("PROMETHEUS_MULTIPROC_DIR=")[2]
        assert Path(folder.partition("\0")[0]).is_dir()
        ends_in_order(running, client)
        assert not Path(folder.partition("\0")[0]).exists()
    assert not load.failures
    assert {status for status, _, _ in load.answers} == {200}
    mixed = [(version, begin) for _, version, begin in load.answers if begin != {("one", "two")[version - 1]}]
    assert not mixed
    assert len(Counter(version for _, version, _ in load.answers)) == 2
    assert all(not Path(f"/proc/{pid}").exists() for pid in workers)


def ends_in_order(running: "subprocess.Popen[str]", client: httpx2.Client) -> None:
    """Events that came until the last moment are stored, readiness is given up first, and the status is 0."""
    assert client.post("/v1/events", json={"user_id": "u1", "item_id": "one-01", "event_id": "e"}).status_code == 202
    running.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 20
    while client.get("/v1/ready").status_code != 503:
        assert time.monotonic() < deadline
    late = client.post("/v1/events", json={"user_id": "u1", "item_id": "one-02", "event_id": "f"})
    assert late.status_code == 202  # not ready, and still answering
    assert running.wait(30) == 0
    assert running.stderr
    lines = [json.loads(line) for line in running.stderr.read().splitlines()]
    assert not [line for line in lines if line["level"] not in ("info", "debug")]
    root = Path(running.args[-1])  # type: ignore[index,arg-type]
    assert read_tables(StoreAddress(root / "events.db")).events["item_id"].to_list() == ["one-01", "one-02"]


def test_what_keeps_workers_from_starting_is_a_sentence_of_the_parent(tmp_path: Path) -> None:
    settings = Settings(ServeSettings(port=0, open_on_loopback=True, workers=2))
    with pytest.raises(ServiceError, match="no release serves"):
        serve(tmp_path / "releases", settings, root=tmp_path, environment={})
    assert (tmp_path / "events.db").exists()
