"""Published protocols, run through the path that serves: `python -m benchmarks.accuracy [--only gowalla]`.

Settings are chosen on a validation part of train, one after the other, each trial in public; then the model is trained
on all of train and answers the test once.
"""

import argparse
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.clicks import CLICKS, ClickProtocol
from benchmarks.clicks import rows as click_rows
from benchmarks.machine import alone
from benchmarks.measuring import LISTED, measured
from benchmarks.protocols import DATA, Protocol
from benchmarks.rows import chosen_settings, keep, kept
from benchmarks.searches import BLENDS, SEARCHES


def main() -> None:
    """Measure what was asked for; what is not measured keeps its last result."""
    parser = argparse.ArgumentParser(prog="make bench-accuracy", description=__doc__)
    parser.add_argument("--only", choices=sorted([*LISTED, *CLICKS]))
    parser.add_argument("--model", help="one model alone, such as slim or blend")
    parser.add_argument(
        "--networks", type=Path, help="a folder for trained networks: what lies there is not trained again"
    )
    parser.add_argument(
        "--lists",
        type=Path,
        help="write the list of every test user to this Parquet file: user and item as in the files, rank from 1, "
        "protocol, model, seed; a session is known by its line, from 0; none for ml-100k, which predicts ratings, and "
        "none for frappe",
    )
    chosen = parser.parse_args()
    console, lists = Console(), []
    for name in [chosen.only] if chosen.only else [*LISTED, *CLICKS]:
        if not (DATA / name).exists():
            console.print(f"skipped: no {name} in {DATA}, name its folder in ZHIYIN_DATA")
            continue
        if name in CLICKS:
            for row in click_rows(name, chosen.model):
                keep(row)
        else:
            lists += _measure(name, chosen.model, chosen.networks)
        console.print(table(name))
    if chosen.lists and lists:
        pl.concat(lists).write_parquet(chosen.lists)


def _measure(name: str, model: str | None, networks: Path | None) -> list[pl.DataFrame]:
    """Keep the row of each model, or of one; the lists of all of them."""
    lists = []
    with TemporaryDirectory() as shelf:
        for one in [model] if model else [*SEARCHES[name], *(["blend"] if name in BLENDS else [])]:
            with TemporaryDirectory() as folder:
                keep(alone(measured, name, one, chosen_settings(name), folder, str(networks or shelf)))
                lists += [pl.read_parquet(path) for path in sorted(Path(folder).glob("*.parquet"))]
    return lists


def table(name: str) -> Table:
    """Published rows and ours, the worst first."""
    protocol: Protocol | ClickProtocol = CLICKS[name] if name in CLICKS else LISTED[name]
    k = protocol.k if isinstance(protocol, Protocol) else 0
    names = [f"{metric}@{k}" if k else metric for metric in protocol.metrics]
    shown = Table(title=name, title_justify="left")
    shown.add_column("model")
    for column in (*names, "train s", "tune s", "peak MB"):
        shown.add_column(column, justify="right")
    ours = [row for row in kept() if row["protocol"] == name]
    rows: list[tuple[tuple[float, ...], str, tuple[str, ...]]] = [
        (values, model, ("", "", "")) for model, values in protocol.published.items()
    ]
    for row in ours:
        costs: tuple[str, ...] = (
            f"{row['train_seconds']:.1f}",
            f"{row['tune_seconds']:.0f}",
            f"{row['peak_memory_mb']:,}",
        )
        rows.append((tuple(row["metrics"][key] for key in names), f"zhiyin {row['model']}", costs))
    for values, model, spent in sorted(rows, key=lambda one: one[0][-1], reverse=protocol.metrics == ("rmse",)):
        shown.add_row(model, *("–" if math.isnan(value) else f"{value:.4f}" for value in values), *spent)
    return shown


if __name__ == "__main__":
    main()
