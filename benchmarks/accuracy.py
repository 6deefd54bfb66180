"""Published protocols, run through the path that serves: `python -m benchmarks.accuracy [--only gowalla]`.

Settings are chosen on a validation part of train, one after the other, each trial in public; then the model is trained
on all of train and answers the test once.
"""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.clicks import CLICKS, ClickProtocol
from benchmarks.clicks import rows as click_rows
from benchmarks.machine import alone, machine
from benchmarks.protocols import DATA, PROTOCOLS, Protocol
from benchmarks.searches import BLEND, SEARCHES, Search
from zhiyin.data.split import Split
from zhiyin.evaluation import metrics
from zhiyin.evaluation.metrics import Hits, Relevant
from zhiyin.models.recommender import Rates, Recommender
from zhiyin.ranking.learn import blended
from zhiyin.ranking.recommend import Pipeline
from zhiyin.types import Indexes

RESULTS = Path(__file__).parent / "results" / "accuracy.json"
TUNING_SECONDS = 1200.0
MOST_QUERIES = 5_000  # of validation: more change no choice that matters
Row = dict[str, Any]


def main() -> None:
    """Measure what was asked for; what is not measured keeps its last result."""
    parser = argparse.ArgumentParser(prog="make bench-accuracy", description=__doc__)
    parser.add_argument("--only", choices=sorted([*PROTOCOLS, *CLICKS]))
    parser.add_argument("--model", help="one model alone, such as slim or blend")
    parser.add_argument(
        "--lists",
        type=Path,
        help="write the list of every test user to this Parquet file: user and item as in the files, rank from 1, "
        "protocol, model, seed; none for ml-100k, which predicts ratings and has no lists",
    )
    chosen = parser.parse_args()
    console, lists = Console(), []
    for name in [chosen.only] if chosen.only else [*PROTOCOLS, *CLICKS]:
        if not (DATA / name).exists():
            console.print(f"skipped: no {name} in {DATA}, name its folder in ZHIYIN_DATA")
            continue
        if name in CLICKS:
            for row in click_rows(name, chosen.model):
                keep(row)
            console.print(table(name))
            continue
        names = [*SEARCHES[name], "blend"] if PROTOCOLS[name].k else [*SEARCHES[name]]
        for model in [chosen.model] if chosen.model else names:
            with TemporaryDirectory() as folder:
                row = alone(measured, name, model, chosen_settings(name), folder)
                lists += [pl.read_parquet(path) for path in sorted(Path(folder).glob("*.parquet"))]
            keep(row)
        console.print(table(name))
    if chosen.lists and lists:
        pl.concat(lists).write_parquet(chosen.lists)


def measured(name: str, model: str, settings: Mapping[str, Mapping[str, Any]], folder: str) -> Row:
    """One row: tuned on the validation part of the first seed, trained and asked on the test of each."""
    protocol, searches = PROTOCOLS[name], SEARCHES[name]
    validation, test = protocol.splits(0)
    start = time.perf_counter()
    chosen = settings if model == "blend" else {model: tuned(searches[model], validation, protocol)}
    parts = {one: (searches[one], chosen[one]) for one in (BLEND if model == "blend" else (model,))}
    mixer = _mixed(parts, validation) if model == "blend" else None
    tune_seconds, train_seconds, found = time.perf_counter() - start, [], []
    if model == "blend":
        tune_seconds += sum(row["tune_seconds"] for row in kept() if (row["protocol"], row["model"]) in _keys(name))
    for seed in range(protocol.seeds):
        test = protocol.splits(seed)[1] if seed else test
        start = time.perf_counter()
        pipeline = fitted(parts, test)
        train_seconds.append(time.perf_counter() - start)
        if mixer is not None:
            pipeline = replace(pipeline, combine=mixer.combine)
        values, lists = asked(pipeline, test, protocol)
        found.append(values)
        if lists is not None:
            written = _lists(lists, test).with_columns(protocol=pl.lit(name), model=pl.lit(model), seed=pl.lit(seed))
            written.write_parquet(Path(folder) / f"{seed}.parquet")
    where = machine()
    return {
        "protocol": name,
        "model": model,
        "metrics": {key: float(np.mean([one[key] for one in found])) for key in found[0]},
        "train_seconds": float(np.mean(train_seconds)),
        "tune_seconds": tune_seconds,
        "settings": {one: dict(values) for one, (_, values) in parts.items()},
        "seeds": protocol.seeds,
        "machine": f"{where['processor']}, {where['cores']} cores",
        "date": where["date"],
        "commit": where["commit"],
    }


def _keys(protocol: str) -> set[tuple[str, str]]:
    """The rows whose settings a blend takes over, and with them the time that these took to find."""
    return {(protocol, part) for part in BLEND}


def tuned(search: Search, validation: Split, protocol: Protocol) -> dict[str, Any]:
    """The best settings on the validation part: each setting in turn takes its best value, until time is up."""
    rows = np.sort(np.random.default_rng(0).permutation(len(validation))[:MOST_QUERIES])
    start, best = time.perf_counter(), dict(search.start)
    if not search.grid:
        return best
    least = protocol.k == 0  # an error, not a gain
    values = _tried(search, best, validation, protocol, rows)
    for key, options in search.grid.items():
        for option in options:
            if time.perf_counter() - start > TUNING_SECONDS:
                return best
            other = {**best, key: option}
            found = _tried(search, other, validation, protocol, rows)
            if (found < values) if least else (found > values):
                best, values = other, found
    return best


def _tried(
    search: Search, settings: Mapping[str, Any], validation: Split, protocol: Protocol, rows: np.ndarray
) -> float:
    """The mean of the protocol's metrics over some validation queries."""
    start = time.perf_counter()
    values = asked(fitted({"": (search, settings)}, validation), validation, protocol, rows)[0]
    words = ", ".join(f"{key} {value:.4f}" for key, value in values.items())
    print(f"  {search.type} {dict(settings)}: {words} ({time.perf_counter() - start:.0f} s)", flush=True)
    return float(np.mean([*values.values()]))


def fitted(parts: Mapping[str, tuple[Search, Mapping[str, Any]]], split: Split) -> Pipeline:
    """The models, trained on the split's training view, as they would be served."""
    models = {name: search.model(settings).fit(split.train) for name, (search, settings) in parts.items()}
    first = Pipeline.of(next(iter(models.values())), split.train)
    return replace(first, retrievers=models)


def _mixed(parts: Mapping[str, tuple[Search, Mapping[str, Any]]], validation: Split) -> Pipeline:
    found = blended(fitted(parts, validation), validation)
    print(f"  blend of {', '.join(parts)}: {np.round(found.combine.weights_, 2).tolist()}", flush=True)  # type: ignore[attr-defined]  # a Blend has them
    return found


def asked(
    pipeline: Pipeline, split: Split, protocol: Protocol, rows: np.ndarray | None = None
) -> tuple[dict[str, float], Indexes | None]:
    """The protocol's metrics over some or all queries, and the lists; an error of ratings has none."""
    rows = np.arange(len(split)) if rows is None else rows
    relevant = Relevant(*split.relevant_of(rows))
    if protocol.k == 0:
        return {"rmse": _rmse(next(iter(pipeline.retrievers.values())), split)}, None
    size = pipeline.block_size(len(pipeline.catalog))
    blocks = [rows[start : start + size] for start in range(0, len(rows), size)]
    lists = np.concatenate([pipeline.recommend(split.queries[block], protocol.k).items for block in blocks])
    hits = Hits.of(lists, relevant)
    return {f"{name}@{protocol.k}": float(metrics.RANKING[name](hits).mean()) for name in protocol.metrics}, lists


def _rmse(model: Recommender, split: Split) -> float:
    if not isinstance(model, Rates):
        raise TypeError(f"{type(model).__name__} does not predict ratings")
    relevant = Relevant(split.offsets, split.relevant)
    places = np.arange(len(relevant.items)) - relevant.offsets[relevant.users]
    items = np.full((len(split), int(relevant.counts.max())), -1, np.int32)
    items[relevant.users, places] = relevant.items
    return metrics.rating_errors(model.rate(split.queries, items)[relevant.users, places], split.ratings).rmse


def _lists(items: Indexes, split: Split) -> pl.DataFrame:
    """One row per user and rank, with the ids of the files."""
    rows, ranks = np.nonzero(items >= 0)
    users = split.train.users.ids(split.queries.people[rows])
    found = split.train.items.ids(items[rows, ranks])
    ids = pl.DataFrame({"user": users, "item": found}).cast(pl.Int64)
    return ids.with_columns(rank=pl.Series(ranks + 1, dtype=pl.Int32))


def chosen_settings(name: str) -> dict[str, Mapping[str, Any]]:
    """What each model chose when it was last measured, or its start."""
    found: dict[str, Mapping[str, Any]] = {model: search.start for model, search in SEARCHES[name].items()}
    for row in kept():
        if row["protocol"] == name and row["model"] in found:
            found[row["model"]] = row["settings"][row["model"]]
    return found


def kept() -> list[Row]:
    """All rows so far."""
    return list(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.exists() else []


def keep(row: Row) -> None:
    """Put a row in the place of its predecessor."""
    memory = row.pop("peak_mb")
    row["peak_memory_mb"] = round(memory)
    rows = [one for one in kept() if (one["protocol"], one["model"]) != (row["protocol"], row["model"])]
    order = [*PROTOCOLS, *CLICKS]
    rows = sorted([*rows, row], key=lambda one: order.index(one["protocol"]))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def table(name: str) -> Table:
    """Published rows and ours, the worst first."""
    protocol: Protocol | ClickProtocol = CLICKS[name] if name in CLICKS else PROTOCOLS[name]
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
    for values, model, spent in sorted(rows, key=lambda one: one[0], reverse=protocol.metrics == ("rmse",)):
        shown.add_row(model, *(f"{value:.4f}" for value in values), *spent)
    return shown


if __name__ == "__main__":
    main()
