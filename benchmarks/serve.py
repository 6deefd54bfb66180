"""The service under load: one worker, the default portfolio over 100,000 items, every list written back.

Everybody asks once, because lists that were found before are found again: those are a row of their own.

The service runs in a process of its own; the load comes from this one, over 127.0.0.1. Beside it, `implicit` scores the
same catalogue behind a bare server, where `make bench-serve` has made an environment for it.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count, cycle
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import uvloop

from benchmarks.load import Asks, closed, connected, get, opened, post, quantiles, row
from benchmarks.shops import cpu_seconds, peak_megabytes, prepared, service, start_seconds
from benchmarks.speed import PEER
from zhiyin.models.low_pass import LowPass
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store

ITEMS, PEOPLE, EVENTS = 100_000, 20_000, 1_000_000
CLIENTS = 64
BATCH = 1_000
STARTS = 3
RETURNING = 1_000

Rows = list[dict[str, Any]]


def run() -> Rows:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        users = prepared(root, PEOPLE, ITEMS, EVENTS)
        starts = [start_seconds(root) for _ in range(STARTS)]
        with service(root) as (port, process):
            rows = uvloop.run(measured(port, process.pid, users))
            rows.append(row("memory of the service, peak", peak_megabytes(process.pid), "MB"))
        rows.append(row("start to first answer, median of three", float(np.median(starts)), "s", "<= 3"))
        return [*rows, *beside_implicit(root, rows)]


async def measured(port: int, pid: int, users: Sequence[str]) -> Rows:
    """All that is asked of a running service."""
    ask = questions(iter(users))
    rows = await at_once(port, pid, "empty handler", lambda: get("/empty"), 20_000)
    rows += await at_once(port, pid, "recommendations", ask, 3_000, ">= 500")
    most = rows[-3]["value"]
    empty = rows[0]["value"]
    rows.append(row("recommendations, of the empty handler's rate", 100 * most / empty, "%", ">= 40"))
    half = await opened(port, ask, most / 2, 2_000)
    rows += quantiles("recommendations at half of saturation", half.latencies, ("<= 5", "<= 15"))
    alone = await closed(port, ask, 1, 1_000)
    rows += quantiles("recommendations, one at a time", alone.latencies)
    filtered = await closed(port, questions(iter(users), where="price < 50"), 1, 300)
    rows += quantiles("recommendations with where, one at a time", filtered.latencies)
    again = questions(cycle(users[:RETURNING]))
    await closed(port, again, 16, RETURNING)
    rows += await at_once(port, pid, "recommendations again, nothing done since", again, 5_000)
    rows += await events(port)
    return [*rows, *await visible(port)]


async def at_once(port: int, pid: int, name: str, ask: Asks, requests: int, aim: str = "") -> Rows:
    """16 clients: what the service can do at most, and the processor time of each request."""
    await closed(port, ask, 16, 200)  # warm
    before, taken = cpu_seconds(pid), await closed(port, ask, 16, requests)
    spent = (cpu_seconds(pid) - before) / requests * 1_000
    name = f"{name}, 16 at a time"
    return [
        row(name, taken.rate, "requests/s", aim),
        row(f"{name}, p99", taken.quantile(0.99), "ms"),
        row(f"{name}, processor time of the service", spent, "ms"),
    ]


def questions(users: Iterator[str], **more: Any) -> Asks:
    """Lists of ten for one person after the other."""
    return lambda: post("/v1/recommendations", {"user_id": next(users), "k": 10, **more})


async def events(port: int) -> Rows:
    """Events made durable, one by one and in batches."""
    numbers = count()

    def event() -> dict[str, Any]:
        number = next(numbers)
        return {"user_id": f"u{number % 5_000}", "item_id": f"i{number % 7_000}", "event_type": "view"}

    single: Asks = lambda: post("/v1/events", event())  # noqa: E731 - beside its sibling
    await closed(port, single, CLIENTS, 1_000)
    taken = await closed(port, single, CLIENTS, 20_000)
    batches = iter([post("/v1/events", [event() for _ in range(BATCH)]) for _ in range(300)])
    several = await closed(port, batches.__next__, 8, 300)
    return [
        row(f"events one by one, {CLIENTS} at a time", taken.rate, "events/s", ">= 5,000"),
        row(f"events in batches of {BATCH:,}, 8 at a time", several.rate * BATCH, "events/s", ">= 50,000"),
    ]


async def visible(port: int) -> Rows:
    """From sending an event to the end of the answer that it has changed, for 200 new people."""
    async with connected(port) as ask:
        popular = json.loads(await ask(post("/v1/recommendations", {"user_id": "nobody", "k": 1})))
        item = popular["items"][0]["item_id"]
        times = []
        for i in range(200):
            user = f"new {i}"
            await ask(post("/v1/recommendations", {"user_id": user, "k": 10}))
            started = perf_counter()
            await ask(post("/v1/events", {"user_id": user, "item_id": item}))
            answer = json.loads(await ask(post("/v1/recommendations", {"user_id": user, "k": 10})))
            times.append(perf_counter() - started)
            if item in [one["item_id"] for one in answer["items"]]:
                raise SystemExit("an event did not change the next answer")
    return quantiles("event to changed answer", times, ("", "<= 50"))


def beside_implicit(root: Path, rows: Rows) -> Rows:
    """Ours with all its models, rules, store and reasons beside one model of implicit's with none of these."""
    if not PEER.exists():
        return []
    release = Release.read(Store(root / "releases").path(1), 1)
    low_pass = next(one for one in release.pipeline.retrievers.values() if isinstance(one, LowPass))
    vectors = np.nan_to_num(low_pass.item_vectors_)
    np.savez(root / "factors.npz", items=vectors, users=np.zeros((1, vectors.shape[1]), np.float32))
    pasts = [release.histories[i : i + 1].items.tolist()[-50:] for i in range(500)]
    asked = (pasts[i % len(pasts)] for i in count())
    with peer(root / "factors.npz") as port:

        async def load() -> float:
            ask: Asks = lambda: post("/", {"history": next(asked), "k": 10})  # noqa: E731 - one line
            await closed(port, ask, 16, 200)
            return (await closed(port, ask, 16, 1_500)).rate

        theirs = uvloop.run(load())
    ours = next(one["value"] for one in rows if one["what"] == "recommendations, 16 at a time")
    return [
        row("implicit's ALS (128) behind a bare server, 16 at a time", theirs, "requests/s"),
        row("recommendations, times as many as implicit's", ours / theirs, "times"),
    ]


@contextmanager
def peer(factors: Path) -> Iterator[int]:
    """Implicit's server, and its port."""
    command = [str(PEER), str(Path(__file__).with_name("peer_serve.py")), str(factors)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()
