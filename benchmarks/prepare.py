"""Reading and preparing ten million events, CSV to Dataset, beside plain Polars reading the same file.

The file is a sample shop's log with its dirt: text ids, ISO times with milliseconds, prices, about 7 % of rows to drop.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.machine import alone
from zhiyin.data.sample_shop import sample_shop
from zhiyin.registry.config import parsed
from zhiyin.registry.prepare import prepare

REPEATS = 3
NOW = 1_767_225_600_000_000  # the end of the sample shop's year


def run(events: int = 10_000_000) -> list[dict[str, Any]]:
    """One row per way; the ratio is of the medians, each pair of runs side by side."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        rows = alone(_make, root, events)["rows"]
        pairs = [(alone(_plain, root), alone(_zhiyin, root)) for _ in range(REPEATS)]
    plain, ours = ([pair[side] for pair in pairs] for side in (0, 1))
    base = statistics.median(one["seconds"] for one in plain)
    return [
        _row("Polars reads the file", rows, plain, base),
        _row("zhiyin reads, checks, cleans and indexes it", rows, ours, base),
    ]


def _row(what: str, rows: int, found: list[dict[str, Any]], base: float) -> dict[str, Any]:
    seconds = statistics.median(one["seconds"] for one in found)
    return {
        "what": what,
        "rows": rows,
        "seconds": seconds,
        "ratio": seconds / base,
        "peak_mb": max(one["peak_mb"] for one in found),
    }


def _make(root: Path, events: int) -> dict[str, Any]:
    shop = sample_shop(people=events // 60, items=events // 150, events=int(events * 0.83))
    shop.write(root)
    return {"rows": shop.tables.events.height}


def _plain(root: Path) -> dict[str, Any]:
    start = time.perf_counter()
    pl.read_csv(root / "events.csv")
    return {"seconds": time.perf_counter() - start}


def _zhiyin(root: Path) -> dict[str, Any]:
    config = parsed('[data]\nevents = "events.csv"')
    start = time.perf_counter()
    prepare(config, root, now=NOW, environment={}).dataset()
    return {"seconds": time.perf_counter() - start}
