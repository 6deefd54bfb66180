"""One row of the accuracy benchmark: settings chosen on validation, a model trained on all of train and asked once."""

import math
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
from zhiyin.ranking.fuse import Combines
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
    parts, mixer, tune_seconds = (
        _mixed(name, settings, validation) if model == "blend" else _tuned(name, model, validation)
    )
    train_seconds, found = [], []
    for seed in range(protocol.seeds):
        if seed:
            test = replace(test, name=f"{name} test {seed}", split=protocol.splits(seed)[1])
        pipeline, seconds = test.fitted(parts)
        train_seconds.append(seconds)
        if mixer is not None:
            pipeline = replace(pipeline, combine=mixer)
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


def _tuned(name: str, model: str, validation: Side) -> tuple[Parts, None, float]:
    """One model with the settings that it chose."""
    search = SEARCHES[name][model]
    settings, seconds = tuned(search, validation)
    return {model: (search, settings)}, None, seconds


def _mixed(name: str, settings: Mapping[str, Mapping[str, Any]], validation: Side) -> tuple[Parts, Combines, float]:
    """The parts of a blend, how they are combined, and the seconds that it took to find their settings and this."""
    parts: Parts = {one: (SEARCHES[name][one], settings[one]) for one in BLENDS[name]}
    start = time.perf_counter()
    found = blended(validation.fitted(parts)[0], validation.split).combine
    seconds = time.perf_counter() - start
    print(f"  blend of {', '.join(parts)}: {np.round(found.weights_, 2).tolist()}", flush=True)  # type: ignore[attr-defined]  # a Blend has them
    seconds += sum(row["tune_seconds"] for row in kept() if row["protocol"] == name and row["model"] in parts)
    return parts, found, seconds


def tuned(search: Search, validation: Side) -> tuple[dict[str, Any], float]:
    """The best settings on the validation part, and the seconds that it took to find them.

    The best of some whole sets of settings, then each setting in turn takes its best value, until time is up.
    """
    split, protocol = validation.split, validation.protocol
    rows = np.sort(np.random.default_rng(0).permutation(len(split))[: protocol.validation_queries])
    best, value, spent = dict(search.start), -math.inf, 0.0
    if not search.grid and not search.others:
        return best, spent
    trials: list[tuple[str, Any]] = [("", whole) for whole in (search.start, *search.others)]
    trials += [(key, option) for key, options in search.grid.items() for option in options]
    for key, option in trials:
        if spent > TUNING_SECONDS:
            break
        other = {**best, key: option} if key else dict(option)
        found, seconds = _tried(search, other, validation, rows)
        spent += seconds
        if found > value:
            best, value = other, found
    return best, spent


def _tried(search: Search, settings: Mapping[str, Any], validation: Side, rows: np.ndarray) -> tuple[float, float]:
    """How good the settings are over some validation queries, more being better, and the seconds that it took."""
    pipeline, spent = validation.fitted({"": (search, settings)})
    start = time.perf_counter()
    values = validation.asked(pipeline, rows)[0]
    spent += time.perf_counter() - start
    words = ", ".join(f"{key} {value:.4f}" for key, value in values.items())
    print(f"  {search.type} {dict(settings)}: {words} ({spent:.0f} s)", flush=True)
    gain = float(np.mean([*values.values()]))
    return gain if validation.protocol.k else -gain, spent


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
