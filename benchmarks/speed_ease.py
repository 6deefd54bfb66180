"""EASE on a large catalogue beside the bare LAPACK inverse of the same matrix: `make bench-ease`, some minutes."""

from typing import Any

from benchmarks.machine import alone
from benchmarks.speed import bare_inverse, ours_ease, row_of

ITEMS = 20_000


def run() -> list[dict[str, Any]]:
    """One pair, one after the other."""
    pair = alone(ours_ease, ITEMS), alone(bare_inverse, ITEMS)
    return [row_of(f"EASE, {ITEMS:,} items", "LAPACK's inverse alone", [pair])]
