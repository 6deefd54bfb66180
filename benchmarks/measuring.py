"""One row of the accuracy benchmark: settings chosen on validation, a model trained on all of train and asked once."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.machine import machine
from benchmarks.protocols import PROTOCOLS, Protocol
from benchmarks.rows import Row, kept
from benchmarks.searches import BLENDS, SEARCHES, Search
from benchmarks.sequences import SEQUENCES
from benchmarks.shelf import Shelf
from zhiyin.data.split import Split
from zhiyin.evaluation import metrics
from zhiyin.evaluation.metrics import Hits, Relevant
from zhiyin.models.recommender import Rates, Recommender
from zhiyin.ranking.learn import blended
from zhiyin.ranking.recommend import Pipeline
from zhiyin.types import Indexes

LISTED: Mapping[str, Protocol] = {**PROTOCOLS, **SEQUENCES}
TUNING_SECONDS = 1200.0
Parts = Mapping[str, tuple[Search, Mapping[str, Any]]]
"""By name: the model, and the settings that it has."""


@dataclass(frozen=True, eq=False)
class Side:
    """What is learned from and asked: the validation or the test of a protocol."""

    name: str  # of the data, no two alike
    protocol: Protocol
    split: Split
    shelf: Shelf

    def fitted(self, parts: Parts) -> tuple[Pipeline, float]:
        """The models, trained on the training view, as they would be served, and the seconds that it took."""
        models, spent = {}, 0.0
        for name, (search, settings) in parts.items():
            models[name], seconds = self.shelf.fitted(search.model(settings), self.split.train, self.name)
            spent += seconds
        pipeline = Pipeline.of(next(iter(models.values())), self.split.train, self.protocol.rules)
        return replace(pipeline, retrievers=models), spent

    def asked(self, pipeline: Pipeline, rows: np.ndarray | None = None) -> tuple[dict[str, float], Indexes | None]:
        """The protocol's metrics over some or all queries, and the lists; an error of ratings has none."""
        split, k = self.split, self.protocol.k
        rows = np.arange(len(split)) if rows is None else rows
        relevant = Relevant(*split.relevant_of(rows))
        if k == 0:
            return {"rmse": _rmse(next(iter(pipeline.retrievers.values())), split)}, None
        size = pipeline.block_size(len(pipeline.catalog))
        blocks = [rows[start : start + size] for start in range(0, len(rows), size)]
        lists = np.concatenate([pipeline.recommend(split.queries[block], k).items for block in blocks])
        hits = Hits.of(lists, relevant)
        return {f"{name}@{k}": float(metrics.RANKING[name](hits).mean()) for name in self.protocol.metrics}, lists


def measured(name: str, model: str, settings: Mapping[str, Mapping[str, Any]], folder: str, networks: str) -> Row:
    """One row: tuned on the validation part of the first seed, trained and asked on the test of each.

    Parameters
    ----------
    settings
        Of each model: what it chose when it was last measured, which a blend takes over.
    folder
        Where the lists go, one file for each seed.
    networks
        Where trained networks are kept, for a blend to find them.
    """
    protocol, shelf = LISTED[name], Shelf(Path(networks))
    validation, test = (
        Side(f"{name} {side}", protocol, split, shelf)
        for side, split in zip(("validation", "test"), protocol.splits(0), strict=True)
    )
    start = time.perf_counter()
    parts = _parts_of_blend(name, settings) if model == "blend" else _tuned_part(name, model, validation)
    mixer = _mixed(parts, validation) if model == "blend" else None
    tune_seconds, train_seconds, found = time.perf_counter() - start, [], []
    if model == "blend":
        tune_seconds += sum(row["tune_seconds"] for row in kept() if row["protocol"] == name and row["model"] in parts)
    for seed in range(protocol.seeds):
        if seed:
            test = replace(test, name=f"{name} test {seed}", split=protocol.splits(seed)[1])
        pipeline, seconds = test.fitted(parts)
        train_seconds.append(seconds)
        if mixer is not None:
            pipeline = replace(pipeline, combine=mixer.combine)
        values, lists = test.asked(pipeline)
        found.append(values)
        if lists is not None:
            written = _lists(lists, test.split).with_columns(
                protocol=pl.lit(name), model=pl.lit(model), seed=pl.lit(seed)
            )
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
        **({"note": protocol.note} if protocol.note else {}),
        "machine": f"{where['processor']}, {where['cores']} cores",
        "date": where["date"],
        "commit": where["commit"],
    }


def _parts_of_blend(name: str, settings: Mapping[str, Mapping[str, Any]]) -> Parts:
    return {one: (SEARCHES[name][one], settings[one]) for one in BLENDS[name]}


def _tuned_part(name: str, model: str, validation: Side) -> Parts:
    search = SEARCHES[name][model]
    return {model: (search, tuned(search, validation))}


def tuned(search: Search, validation: Side) -> dict[str, Any]:
    """The best settings on the validation part: each setting in turn takes its best value, until time is up."""
    split, protocol = validation.split, validation.protocol
    rows = np.sort(np.random.default_rng(0).permutation(len(split))[: protocol.validation_queries])
    start, best = time.perf_counter(), dict(search.start)
    if not search.grid:
        return best
    least = protocol.k == 0  # an error, not a gain
    values = _tried(search, best, validation, rows)
    for key, options in search.grid.items():
        for option in options:
            if time.perf_counter() - start > TUNING_SECONDS:
                return best
            other = {**best, key: option}
            found = _tried(search, other, validation, rows)
            if (found < values) if least else (found > values):
                best, values = other, found
    return best


def _tried(search: Search, settings: Mapping[str, Any], validation: Side, rows: np.ndarray) -> float:
    """The mean of the protocol's metrics over some validation queries."""
    start = time.perf_counter()
    values = validation.asked(validation.fitted({"": (search, settings)})[0], rows)[0]
    words = ", ".join(f"{key} {value:.4f}" for key, value in values.items())
    print(f"  {search.type} {dict(settings)}: {words} ({time.perf_counter() - start:.0f} s)", flush=True)
    return float(np.mean([*values.values()]))


def _mixed(parts: Parts, validation: Side) -> Pipeline:
    found = blended(validation.fitted(parts)[0], validation.split)
    print(f"  blend of {', '.join(parts)}: {np.round(found.combine.weights_, 2).tolist()}", flush=True)  # type: ignore[attr-defined]  # a Blend has them
    return found


def _rmse(model: Recommender, split: Split) -> float:
    if not isinstance(model, Rates):
        raise TypeError(f"{type(model).__name__} does not predict ratings")
    relevant = Relevant(split.offsets, split.relevant)
    places = np.arange(len(relevant.items)) - relevant.offsets[relevant.users]
    items = np.full((len(split), int(relevant.counts.max())), -1, np.int32)
    items[relevant.users, places] = relevant.items
    return metrics.rating_errors(model.rate(split.queries, items)[relevant.users, places], split.ratings).rmse


def _lists(items: Indexes, split: Split) -> pl.DataFrame:
    """One row per user and rank, with the ids of the files; who has none is known by their row, from 0."""
    rows, ranks = np.nonzero(items >= 0)
    users = split.train.users.ids(split.queries.people[rows])
    ids = pl.DataFrame({"user": users, "item": split.train.items.ids(items[rows, ranks])}).cast(pl.Int64)
    return ids.with_columns(pl.col("user").fill_null(pl.Series(rows)), rank=pl.Series(ranks + 1, dtype=pl.Int32))
