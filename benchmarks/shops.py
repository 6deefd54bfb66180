"""Shops of any size with a release of the default portfolio, and a service over them in a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.machine import alone
from zhiyin.data.dataset import Dataset
from zhiyin.data.quality.clean import clean
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.sample_shop import sample_shop
from zhiyin.models.popularity import Popularity
from zhiyin.models.recommender import Recommender
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry.recipe import models
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.store import Store as Releases
from zhiyin.serving.app import create_app
from zhiyin.serving.live import Live
from zhiyin.serving.run import listening
from zhiyin.serving.server import Server
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

ASKED = 10_000
"""People of whom lists are asked for."""


def prepared(root: Path, people: int, items: int, events: int) -> list[str]:
    """Train and promote a release in a process of its own; some of its people."""
    found = alone(_prepare, str(root), people, items, events)
    users: list[str] = found["users"]
    return users


def _prepare(root: str, people: int, items: int, events: int) -> dict[str, list[str]]:
    shop = sample_shop(people=people, items=items, events=events, seed=0)
    data = Dataset.of(clean(shop.tables, CleanSettings(), time.time_ns() // 1_000).tables)
    fitted: dict[str, Recommender] = {name: model.fit(data) for name, model in models({}, data).items()}
    release = Release.of(Pipeline(fitted, data.catalog, Popularity().fit(data)), data)
    registry = Releases(Path(root) / "releases")
    registry.promote(registry.publish(release.write, {}), 1)
    (Path(root) / "zhiyin.toml").write_text(
        '[data]\nevents = "events.csv"\n\n[serve]\nport = 0\nopen_on_loopback = true\n', encoding="utf-8"
    )
    return {"users": release.users.texts.sample(min(ASKED, len(release.users)), seed=0).to_list()}


@contextmanager
def service(root: Path) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """One worker, and its port; it has an empty handler behind the same door, too."""
    command = [sys.executable, "-m", "benchmarks.shops", str(root)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as `zhiyin serve` does
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else ""), process
        finally:
            process.terminate()


def start_seconds(root: Path) -> float:
    """From `zhiyin serve` to the end of its first answer."""
    import http.client

    command = [sys.executable, "-m", "zhiyin", "serve", "--config", str(root / "zhiyin.toml")]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            url = (process.stdout.readline() if process.stdout else "").partition("http://")[2].split(",")[0]
            connection = http.client.HTTPConnection(url, timeout=60)
            body = json.dumps({"user_id": "somebody", "k": 10})
            connection.request("POST", "/v1/recommendations", body, {"Content-Type": "application/json"})
            if connection.getresponse().status != 200:
                raise SystemExit("the service refused its first request")
            return time.perf_counter() - began
        finally:
            process.terminate()


def cpu_seconds(pid: int) -> float:
    """Processor time of a process of ours; unlike time on the wall, busy neighbours hardly change it."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(pid: int) -> float:
    """The most memory that a process of ours has had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1_024


def _serve(root: Path) -> None:
    settings = Settings(ServeSettings(open_on_loopback=True, reload_seconds=3_600, log_level="warning"))
    live = Live.of(Releases(root / "releases"), os.environ)
    app = create_app(live, Store.of("events.db", root), None, settings)

    async def empty(_: Request) -> Response:
        return Response(b"{}", media_type="application/json")

    app.router.routes.insert(0, Route("/empty", empty, methods=["GET"]))  # found at once, as the hot routes are
    listener = listening(ServeSettings(port=0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    Server(app, listener).answer()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
