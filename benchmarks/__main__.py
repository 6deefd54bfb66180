"""Run the benchmarks and print their tables: `python -m benchmarks [--only NAME]`."""

import argparse
import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine

NAMES = ("prepare", "models", "serve")
BESIDE_PEERS = (
    "serve_growth",
    "speed",
    "speed_factors",
    "speed_growth",
    "speed_memory",
    "speed_ease",
    "speed_networks",
)
RESULTS = Path(__file__).parent / "results" / "speed.json"


def main() -> None:
    """Measure what was asked for; what is not measured keeps its last result."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=[*NAMES, *BESIDE_PEERS])
    only = parser.parse_args().only
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    where = machine()
    console = Console()
    console.print(f"{where['processor']}, {where['cores']} cores, {where['memory_gb']} GB, Python {where['python']}")
    for name in [only] if only else NAMES:
        rows = import_module(f"benchmarks.{name}").run()
        if rows:
            kept[name] = {"machine": where, "rows": rows}
            for table in tables(name, rows):
                console.print(table)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(f"kept in {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")


def tables(title: str, rows: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Rows with the same columns stand in one table."""
    found: dict[tuple[str, ...], Table] = {}
    for row in rows:
        columns = tuple(row)
        if columns not in found:
            found[columns] = Table(title=title, title_justify="left")
            for column in columns:
                number = isinstance(row[column], int | float)
                found[columns].add_column(column.replace("_", " "), justify="right" if number else "left")
        found[columns].add_row(*(_shown(row[column]) for column in columns))
    return list(found.values())


def _shown(value: object) -> str:
    if not isinstance(value, int | float):
        return str(value)
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 or value == int(value) else f"{value:.2f}" if size >= 1 else f"{value:.4f}"


if __name__ == "__main__":
    main()
