"""Training each model on MovieLens 1M and ranking the whole catalogue for everybody, last item held out."""

import os
import time
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.machine import alone
from zhiyin.data.dataset import Dataset
from zhiyin.data.sources.read import read_frames
from zhiyin.data.split import Split, leave_last_out
from zhiyin.evaluation.evaluate import evaluate
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry import recipe

DATA = Path(os.environ.get("ZHIYIN_DATA", "../shared/data"))
METRICS = ("ndcg", "hit_rate", "mrr", "auc")
NEIGHBOURS = ("item_knn", "user_knn")


def run() -> list[dict[str, Any]]:
    """One row per model of the default portfolio and for the neighbours; empty, and saying so, without the data."""
    if not (DATA / "ml-1m").exists():
        print(f"skipped: no MovieLens 1M in {DATA}, name its folder in ZHIYIN_DATA")
        return []
    return [alone(_one, name) for name in (*recipe.portfolio(_split().train), *NEIGHBOURS)]


def _one(name: str) -> dict[str, Any]:
    split = _split()
    warm = split.train.with_interactions(split.train.interactions[:2_000])
    for data in (warm, split.train):  # the first fit compiles
        start = time.perf_counter()
        model = recipe.model(name, {}).fit(data)
        fit_seconds = time.perf_counter() - start
    pipeline = Pipeline({name: model}, split.train.catalog, Popularity().fit(split.train))
    pipeline.recommend(split.queries[:8], 10)
    start = time.perf_counter()
    report = evaluate({name: pipeline}, split, baseline=None, metrics=METRICS)
    row = report.row(name)
    return {
        "model": name,
        "fit_seconds": fit_seconds,
        "evaluate_seconds": time.perf_counter() - start,
        "lists_per_second": len(split) / row.answer_seconds,
        **{f"{metric}@10": row.metrics[metric].mean for metric in ("ndcg", "hit_rate")},
    }


def _split() -> Split:
    """Item ids are 100 and more: the rank of the original id among the films that were kept."""
    folder = DATA / "ml-1m"
    events = pl.read_csv(folder / "timestamps.tsv.gz", separator="\t")
    kept = pl.read_csv(folder / "sas_to_original_items.txt", separator=" ", has_header=False, new_columns=["_", "film"])
    lines = (folder / "movies.dat").read_bytes().decode("latin-1").splitlines()
    films = pl.DataFrame([line.split("::") for line in lines], schema=["film", "title", "genres"], orient="row")
    films = films.with_columns(pl.col("film").cast(pl.Int64))
    items = kept.select("film").sort("film").with_row_index("item_id", offset=100).join(films, on="film", how="left")
    return leave_last_out(Dataset.of(read_frames(events, items.drop("film")).tables))
