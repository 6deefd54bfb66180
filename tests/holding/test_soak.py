"""Mixed load for a long time, on every route that people and operators use: memory and the slow end stay flat.

`ZHIYIN_HOLD_REPORT` names a file for what was seen, as JSON: memory of each process, p50 and p99 of each hundredth.
"""

import asyncio
import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.holding.harness import SCALE, Process, Sends, connection, full

SECONDS = full(8, 1_800)
CLIENTS = 8
WARM = 0.25
"""Share of the time after which caches have reached their size."""

PEOPLE, EVENTS = 5_000, 20_000
"""So few that all are known when it is warm: what is held of people grows with them, up to a bound of its own."""

WINDOWS = 100
REPORT = "ZHIYIN_HOLD_REPORT"


@dataclass
class Watched:
    """What was seen: moments from 0 to 1, and what was measured then."""

    failures: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    latencies: list[tuple[float, float]] = field(default_factory=list)  # ms
    memory: list[tuple[float, dict[int, float]]] = field(default_factory=list)  # MB of each process

    def slow(self, first: float, last: float) -> float:
        """p99 of the answers between two moments, in ms."""
        return float(np.quantile([value for moment, value in self.latencies if first <= moment < last], 0.99))

    def most(self, first: float, last: float) -> float:
        """The most memory of all processes between two moments, in MB."""
        return max(sum(held.values()) for moment, held in self.memory if first <= moment < last)

    def report(self) -> dict[str, Any]:
        """What a person reads who wants to see the curve."""
        windows = []
        for number in range(WINDOWS):
            part = [value for moment, value in self.latencies if number / WINDOWS <= moment < (number + 1) / WINDOWS]
            if part:
                p50, p99 = np.quantile(part, [0.5, 0.99]).round(3).tolist()
                windows.append({"window": number, "requests": len(part), "p50_ms": p50, "p99_ms": p99})
        memory = [
            {"moment": round(moment, 3), "mb": {str(pid): round(mb, 1) for pid, mb in held.items()}}
            for moment, held in self.memory
        ]
        return {
            "seconds": SECONDS,
            "clients": CLIENTS,
            "requests": len(self.latencies),
            "failures": self.failures[:100],
            "routes": dict(self.asked),
            "windows": windows,
            "memory": memory,
        }


def test_memory_and_latency_are_flat_under_mixed_load(project) -> None:
    with project(
        "similar_users = true\nworkers = 2", sections="[scenarios.own]\nk = 3\ncaps = {category = 2}"
    ).serving() as service:
        watched = asyncio.run(soaked(service))
        assert service.stop() == 0
    if path := os.environ.get(REPORT):
        Path(path).write_text(json.dumps(watched.report(), indent=1), encoding="utf-8")
    assert watched.failures == []
    early, late = watched.most(WARM, 0.5), watched.most(0.75, 1.1)
    assert late < 1.05 * early + 8, f"memory grew from {early:.0f} to {late:.0f} MB"
    if SCALE == "full":  # a short run is too noisy to say anything of the slow end
        before, after = watched.slow(WARM, 0.5), watched.slow(0.75, 1.0)
        assert after < 1.5 * before, f"p99 went from {before:.1f} to {after:.1f} ms"


async def soaked(service: Process) -> Watched:
    """Many people who come and go, look, buy and ask, and somebody who watches."""
    watched, started = Watched(), time.monotonic()

    def now() -> float:
        return (time.monotonic() - started) / SECONDS

    async def client(seed: int) -> None:
        chance = random.Random(seed)
        while now() < 1:
            async with connection(service.port) as send:
                for _ in range(500):  # then another connection, so that each worker is asked
                    if now() >= 1:
                        return
                    begun = time.perf_counter()
                    name, failure = await one_request(send, chance)
                    watched.latencies.append((now(), (time.perf_counter() - begun) * 1_000))
                    watched.asked[name] += 1
                    if failure:
                        watched.failures.append(failure)

    async def watcher() -> None:
        while now() < 1:
            watched.memory.append((now(), service.megabytes()))
            await asyncio.sleep(SECONDS / 100)
        watched.memory.append((1.0, service.megabytes()))

    await asyncio.gather(watcher(), *(client(seed) for seed in range(CLIENTS)))
    return watched


def requests(chance: random.Random) -> list[tuple[str, str, str, Any, tuple[int, ...]]]:
    """What a shop asks: a name for it, method, path, body and the statuses that are right."""
    person, item = f"p{chance.randrange(PEOPLE)}", f"{chance.choice('ab')}-{chance.randrange(6):02d}"
    stored, where = f"new-{chance.randrange(2_000)}", f"price < {chance.randrange(9)}"
    people, known = [f"p{chance.randrange(PEOPLE)}" for _ in range(10)], f"e{chance.randrange(EVENTS)}"
    lists, ok = "/v1/recommendations", (200,)
    return [
        ("event", "POST", "/v1/events", {"user_id": person, "item_id": item, "event_type": "view"}, (202,)),
        (
            "events",
            "POST",
            "/v1/events",
            [{"user_id": one, "item_id": item, "event_id": f"{known}-{place}"} for place, one in enumerate(people)],
            (202,),
        ),
        ("session", "POST", "/v1/events", {"session_id": f"s{person}", "item_id": item, "event_id": known}, (202,)),
        ("person", "POST", lists, {"user_id": person, "k": 5}, ok),
        ("person", "GET", f"/v1/users/{person}/recommendations?k=3", None, ok),
        ("visit", "POST", lists, {"session_id": f"s{person}", "k": 5}, ok),
        ("history", "POST", lists, {"history": [item], "k": 5, "where": where, "explain": True}, ok),
        ("scenario", "POST", lists, {"user_id": person, "scenario": "own", "boosts": {where: 2.0}}, ok),
        ("refused", "POST", lists, {"user": person}, (422,)),  # errors must not leak either
        ("batch", "POST", "/v1/recommendations/batch", {"user_ids": people, "k": 3}, ok),
        ("cart", "POST", "/v1/cart/recommendations", {"items": [item]}, ok),
        ("similar", "GET", f"/v1/items/{item}/similar", None, ok),
        ("alike", "GET", f"/v1/users/{person}/similar?k=3", None, ok),
        ("lists", "GET", f"/v1/items/{chance.choice(['popular', 'trending', 'latest'])}?k=4", None, ok),
        ("why", "GET", f"/v1/debug/why?user_id={person}&item_id={item}", None, ok),
        ("store item", "POST", "/v1/items", {"item_id": stored, "attributes": {"price": 3.5}}, ok),
        ("item", "GET", f"/v1/items/{stored}", None, (200, 404)),
        ("items", "GET", "/v1/items?limit=10", None, ok),
        ("store person", "POST", "/v1/users", {"user_id": person, "attributes": {"town": "x"}}, ok),
        ("export", "GET", f"/v1/users/{person}/export", None, ok),
        ("versions", "GET", "/v1/versions", None, ok),
        ("metrics", "GET", "/metrics", None, ok),
        ("health", "GET", "/v1/health", None, ok),
        ("nowhere", "GET", f"/nowhere/{chance.random()}", None, (404,)),
    ]


async def one_request(send: Sends, chance: random.Random) -> tuple[str, str]:
    """One of them: its name, and what went wrong, or nothing."""
    name, method, path, body, right = chance.choice(requests(chance))
    answer = await send(method, path, body)
    return name, "" if answer.status in right else f"{method} {path}: {answer.status} {answer.body[:200]!r}"
