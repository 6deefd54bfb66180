"""The service under load: the default portfolio over 100,000 items, durable events, from an event to the next answer.

The service runs in a process of its own; the load comes from this one, over 127.0.0.1. `python -m benchmarks.serve`
prints the rows as JSON lines.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import uvicorn
import uvloop
from starlette.requests import Request
from starlette.responses import Response

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
from zhiyin.registry.store import Store
from zhiyin.serving.app import create_app
from zhiyin.serving.live import Live
from zhiyin.serving.run import listening
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store as EventStore

ITEMS, PEOPLE, EVENTS = 100_000, 20_000, 1_000_000
CLIENTS = 64
BATCH = 1_000

Row: TypeAlias = dict[str, Any]
"""what, value, unit, and whatever else belongs to it."""

Asks: TypeAlias = Callable[[], bytes]


def run() -> list[Row]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        users = prepare(root)
        with service(root) as (port, process):
            rows = uvloop.run(measured(port, process.pid, users))
            rows.append(row("memory of the service, peak", peak_megabytes(process.pid), "MB"))
        return rows


def prepare(root: Path) -> list[str]:
    """Train and promote a release; some of its people."""
    shop = sample_shop(people=PEOPLE, items=ITEMS, events=EVENTS, seed=0)
    data = Dataset.of(clean(shop.tables, CleanSettings(), time.time_ns() // 1_000).tables)
    fitted: dict[str, Recommender] = {name: model.fit(data) for name, model in models({}, data).items()}
    release = Release.of(Pipeline(fitted, data.catalog, Popularity().fit(data)), data)
    store = Store(root / "releases")
    store.promote(store.publish(release.write, {}), 1)
    return release.users.texts.sample(2_000, seed=0).to_list()


@contextmanager
def service(root: Path) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """A service in a process of its own, and its port."""
    command = [sys.executable, "-m", "benchmarks.serve", "--service", str(root)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as `zhiyin serve` does
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else ""), process
        finally:
            process.terminate()


def serve(root: Path) -> None:
    """The other process: the service, and an empty handler behind the same door."""
    settings = Settings(ServeSettings(open_on_loopback=True, reload_seconds=3_600))
    live = Live.of(Store(root / "releases"), os.environ)
    app = create_app(live, EventStore.of("events.db", root), None, settings)

    async def empty(_: Request) -> Response:
        return Response(b"{}", media_type="application/json")

    app.add_route("/empty", empty, methods=["GET"])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False))
    listener = listening(ServeSettings(port=0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    server.run([listener])


async def measured(port: int, pid: int, users: Sequence[str]) -> list[Row]:
    """All that is asked of a running service."""
    chosen = (users[i % len(users)] for i in count())
    numbers = count()

    def question() -> bytes:
        return post("/v1/recommendations", {"user_id": next(chosen), "k": 10})

    def filtered() -> bytes:
        return post("/v1/recommendations", {"user_id": next(chosen), "k": 10, "where": "price < 50"})

    def event() -> dict[str, Any]:
        number = next(numbers)
        return {"user_id": f"u{number % 5_000}", "item_id": f"i{number % 7_000}", "event_type": "view"}

    empty: Asks = lambda: b"GET /empty HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"  # noqa: E731 - beside its siblings
    rows: list[Row] = []
    for name, ask, clients, requests in (
        ("empty handler", empty, 1, 3_000),
        ("recommendations", question, 1, 1_500),
        ("recommendations with where", filtered, 1, 500),
        ("empty handler", empty, 16, 20_000),
        ("recommendations", question, 16, 1_500),
        ("events one by one", lambda: post("/v1/events", event()), CLIENTS, 20_000),
    ):
        await load(port, ask, clients, clients * 5)  # warm
        before, taken = cpu_seconds(pid), await load(port, ask, clients, requests)
        rows += named(f"{name}, {clients} at a time", taken)
        spent = (cpu_seconds(pid) - before) / requests * 1_000
        rows.append(row(f"{name}, {clients} at a time, processor time of the service", spent, "ms"))
    batches = [post("/v1/events", [event() for _ in range(BATCH)]) for _ in range(300)]
    taken = await load(port, iter(batches).__next__, 8, len(batches))
    rows.append(row(f"events in batches of {BATCH:,}, 8 at a time", len(batches) * BATCH / taken[0], "events/s"))
    rows += await visible(port)
    return rows


async def visible(port: int) -> list[Row]:
    """From sending an event to the end of the answer that it has changed, for 200 new people."""
    async with connected(port) as ask:
        popular = json.loads(await ask(post("/v1/recommendations", {"user_id": "nobody", "k": 1})))
        item = popular["items"][0]["item_id"]
        times = []
        for i in range(200):
            user = f"new {i}"
            await ask(post("/v1/recommendations", {"user_id": user, "k": 10}))
            started = time.perf_counter()
            await ask(post("/v1/events", {"user_id": user, "item_id": item}))
            answer = json.loads(await ask(post("/v1/recommendations", {"user_id": user, "k": 10})))
            times.append(time.perf_counter() - started)
            if item in [one["item_id"] for one in answer["items"]]:
                raise SystemExit("an event did not change the next answer")
    return quantiles("event to changed answer", times)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Callable[[bytes], Awaitable[bytes]]]:
    """One connection that stays open: what sends a request and waits for the body of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(request: bytes) -> bytes:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if head[9:10] != b"2":
            raise SystemExit(f"the service refused: {head.decode()}")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await reader.readexactly(length)

    try:
        yield ask
    finally:
        writer.close()


async def load(port: int, ask: Asks, clients: int, requests: int) -> tuple[float, list[float]]:
    """Seconds for all of the requests, and of each."""
    left, times = iter(range(requests)), []

    async def client() -> None:
        async with connected(port) as send:
            for _ in left:
                request = ask()
                started = time.perf_counter()
                await send(request)
                times.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return time.perf_counter() - started, times


def post(path: str, body: Any) -> bytes:
    """A request as it goes over the wire."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def named(name: str, taken: tuple[float, list[float]]) -> list[Row]:
    """Requests per second, and how long one takes."""
    seconds, times = taken
    return [row(name, len(times) / seconds, "requests/s"), *quantiles(name, times)]


def quantiles(name: str, times: Sequence[float]) -> list[Row]:
    """The middle and the slow end."""
    return [row(f"{name}, p{p}", float(np.quantile(times, p / 100)) * 1_000, "ms") for p in (50, 99)]


def row(what: str, value: float, unit: str) -> Row:
    """One line of the result."""
    return {"what": what, "value": round(value, 2), "unit": unit}


def cpu_seconds(pid: int) -> float:
    """Processor time of a process of ours; unlike time on the wall, busy neighbours hardly change it."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(pid: int) -> float:
    """The most memory that a process of ours has had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1_024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--service"]:
        serve(Path(sys.argv[2]))
    else:
        for line in run():
            sys.stdout.write(json.dumps(line) + "\n")
