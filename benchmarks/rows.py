"""The rows of the accuracy benchmark: one for each protocol and model, the newest."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.clicks import CLICKS
from benchmarks.protocols import PROTOCOLS
from benchmarks.searches import SEARCHES
from benchmarks.sequences import SEQUENCES

RESULTS = Path(__file__).parent / "results" / "accuracy.json"
Row = dict[str, Any]


def kept() -> list[Row]:
    """All rows so far."""
    return list(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.exists() else []


def keep(row: Row) -> None:
    """Put a row in the place of its predecessor."""
    memory = row.pop("peak_mb")
    row["peak_memory_mb"] = round(memory)
    rows = [one for one in kept() if (one["protocol"], one["model"]) != (row["protocol"], row["model"])]
    order = [*PROTOCOLS, *SEQUENCES, *CLICKS]
    rows = sorted([*rows, row], key=lambda one: order.index(one["protocol"]))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def chosen_settings(name: str) -> dict[str, Mapping[str, Any]]:
    """What each model chose when it was last measured, or its start."""
    found: dict[str, Mapping[str, Any]] = {model: search.start for model, search in SEARCHES[name].items()}
    for row in kept():
        if row["protocol"] == name and row["model"] in found:
            found[row["model"]] = row["settings"][row["model"]]
    return found
