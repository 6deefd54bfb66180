"""How a request grows with the catalogue, with the history, and memory with the people."""

import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.load import closed, post
from benchmarks.shops import cpu_seconds, peak_megabytes, prepared, service

SIZES = ((10_000, 20_000, 1_000_000), (100_000, 20_000, 1_000_000), (1_000_000, 20_000, 3_000_000))
"""Items, people, events."""

LENGTHS = (1, 10, 100, 1_000)
CROWDS = (100_000, 500_000)
"""People; the difference in memory is what each of them takes."""

Rows = list[dict[str, Any]]


def run() -> Rows:
    """Rows of p50, p99 and processor time of a request, one at a time, and of memory."""
    rows: Rows = []
    for items, people, events in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            users = prepared(Path(folder), people, items, events)
            with service(Path(folder)) as (port, process):
                rows.append(uvloop.run(_people(port, process.pid, users, f"{items:,} items")))
                if items == SIZES[1][0]:
                    rows += [uvloop.run(_length(port, process.pid, length)) for length in LENGTHS]
    return [*rows, *_crowds()]


async def _people(port: int, pid: int, users: Sequence[str], what: str) -> dict[str, Any]:
    chosen = (users[i % len(users)] for i in count())
    return await _asked(port, pid, what, lambda: {"user_id": next(chosen), "k": 10})


async def _length(port: int, pid: int, length: int) -> dict[str, Any]:
    starts = count()

    def question() -> dict[str, Any]:
        first = next(starts) * 37
        return {"history": [f"i{(first + i * 101) % 100_000:06d}" for i in range(length)], "k": 10}

    return await _asked(port, pid, f"a history of {length:,}", question)


async def _asked(port: int, pid: int, what: str, question: Any) -> dict[str, Any]:
    await closed(port, lambda: post("/v1/recommendations", question()), 1, 300)
    before = cpu_seconds(pid)
    taken = await closed(port, lambda: post("/v1/recommendations", question()), 1, 300)
    spent = (cpu_seconds(pid) - before) / 300 * 1_000
    return {
        "a request with": what,
        "p50_ms": round(taken.quantile(0.5), 2),
        "p99_ms": round(taken.quantile(0.99), 2),
        "processor_ms": round(spent, 2),
        "peak_mb": round(peak_megabytes(pid)),
    }


def _crowds() -> Rows:
    """10,000 items, five events each."""
    found = {}
    for people in CROWDS:
        with tempfile.TemporaryDirectory() as folder:
            prepared(Path(folder), people, 10_000, 5 * people)
            with service(Path(folder)) as (port, process):
                uvloop.run(closed(port, lambda: post("/v1/recommendations", {"user_id": "x", "k": 10}), 1, 10))
                found[people] = peak_megabytes(process.pid)
    few, many = CROWDS
    per_million = (found[many] - found[few]) / (many - few) * 1_000_000 / 1_024
    return [
        *({"people": f"{people:,}", "peak_mb": round(found[people])} for people in CROWDS),
        {"people": "each further million", "gib": round(per_million, 2), "aim": "<= 0.5"},
    ]
