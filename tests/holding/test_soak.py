"""Mixed load for a long time: memory stays where it was, and so does the slow end of the answers."""

import asyncio
import random
import time
from dataclasses import dataclass, field

import numpy as np

from tests.holding.harness import SCALE, Process, Sends, connection, full

SECONDS = full(8, 1_800)
CLIENTS = 8
WARM = 0.25
"""Share of the time after which caches have reached their size."""


@dataclass
class Watched:
    """What was seen: moments from 0 to 1, and what was measured then."""

    failures: list[str] = field(default_factory=list)
    latencies: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)

    def late(self, seen: list[tuple[float, float]], first: float, last: float) -> list[float]:
        return [value for moment, value in seen if first <= moment < last]


def test_memory_and_latency_are_flat_under_mixed_load(project) -> None:
    with project().serving() as service:
        watched = asyncio.run(soaked(service))
        assert service.stop() == 0
    assert watched.failures == []
    early = max(watched.late(watched.memory, WARM, 0.5))
    late = max(watched.late(watched.memory, 0.75, 1.1))
    assert late < 1.05 * early + 4, f"memory grew from {early:.0f} to {late:.0f} MB"
    if SCALE == "full":  # a short run is too noisy to say anything of the slow end
        before, after = (np.quantile(watched.late(watched.latencies, *part), 0.99) for part in ((WARM, 0.5), (0.75, 1)))
        assert after < 1.5 * before, f"p99 went from {before:.1f} to {after:.1f} ms"


async def soaked(service: Process) -> Watched:
    """Many people who come and go, look, buy and ask."""
    watched, started = Watched(), time.monotonic()

    def now() -> float:
        return (time.monotonic() - started) / SECONDS

    async def client(seed: int) -> None:
        chance = random.Random(seed)
        async with connection(service.port) as send:
            while now() < 1:
                begun = time.perf_counter()
                failure = await one_request(send, chance)
                watched.latencies.append((now(), (time.perf_counter() - begun) * 1_000))
                if failure:
                    watched.failures.append(failure)

    async def watcher() -> None:
        while now() < 1:
            watched.memory.append((now(), service.megabytes()))
            await asyncio.sleep(SECONDS / 100)
        watched.memory.append((1.0, service.megabytes()))

    await asyncio.gather(watcher(), *(client(seed) for seed in range(CLIENTS)))
    return watched


async def one_request(send: Sends, chance: random.Random) -> str:
    """Something that a shop asks; what went wrong, or nothing."""
    person, item = f"p{chance.randrange(50_000)}", f"{chance.choice('ab')}-{chance.randrange(6):02d}"
    method, path, body = chance.choice(
        [
            ("POST", "/v1/events", {"user_id": person, "item_id": item, "event_type": "view"}),
            ("POST", "/v1/events", [{"user_id": person, "item_id": item} for _ in range(20)]),
            ("POST", "/v1/recommendations", {"user_id": person, "k": 5}),
            ("POST", "/v1/recommendations", {"history": [item], "k": 5, "where": f"price < {chance.randrange(9)}"}),
            ("POST", "/v1/recommendations", {"user": person}),  # refused: errors must not leak either
            ("GET", f"/v1/users/{person}/recommendations?k=3", None),
            ("GET", f"/v1/items/{item}/similar", None),
            ("GET", "/v1/health", None),
            ("GET", f"/nowhere/{chance.random()}", None),
        ]
    )
    answer = await send(method, path, body)
    wanted = (
        404 if path.startswith("/nowhere") else 422 if body and "user" in body else 202 if path == "/v1/events" else 200
    )
    return "" if answer.status == wanted else f"{method} {path}: {answer.status} {answer.body[:200]!r}"
