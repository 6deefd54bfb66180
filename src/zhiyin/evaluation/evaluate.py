"""Measure pipelines on what people then did, each beside the baseline, each number with its noise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import polars as pl

from zhiyin.data.dataset import Dataset
from zhiyin.data.split import Split
from zhiyin.errors import ConfigError
from zhiyin.evaluation import list_metrics, segments
from zhiyin.evaluation.answers import Answers, Exam, Recommends, answers
from zhiyin.evaluation.metrics import RANKING, Relevant
from zhiyin.evaluation.report import Report, Role, Row
from zhiyin.evaluation.segments import Segment
from zhiyin.evaluation.significance import SAMPLES, Comparison, Interval, comparisons, holm, intervals, ratio_interval
from zhiyin.fields import unknown
from zhiyin.types import Floats, Mask

METRICS = ("ndcg", "recall", "precision", "hit_rate", "map", "mrr", "auc")
_AUDIENCE_DIMENSIONS = 64  # a random projection keeps cosines within about 1/√64


def evaluate(
    pipelines: Mapping[str, Recommends],
    split: Split,
    *,
    k: int = 10,
    baseline: str | None = "popularity",
    metrics: Sequence[str] = METRICS,
    ceiling: Recommends | None = None,
    fit_seconds: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Callable[[str, int], None] | None = None,
) -> Report:
    """A report on pipelines that were fitted on `split.train`, asked through the path that is served.

    Parameters
    ----------
    k
        The length of the lists, from 1; a shorter list counts its empty places as misses.
    baseline
        The name among `pipelines` that the others must beat; `None` compares with nothing.
    metrics
        Names from RANKING or "auc"; the first one decides the order.
    ceiling
        Somebody who knows the truth: put last, and the others' share of it is shown.
    fit_seconds
        What training took, by name, for the table.
    progress
        Called with a name and the number of queries just answered.

    Raises
    ------
    ConfigError
        If k, the baseline or a metric is not one that can be used.
    """
    _check(pipelines, k, baseline, metrics)
    exam = _exam(split, k, tuple(metrics))
    parts = _segments(exam)
    rows = []
    for name, pipeline in pipelines.items():
        found = _asked(name, pipeline, exam, progress)
        role: Role = "baseline" if name == baseline else "model"
        rows.append(_row(name, role, found, parts, (fit_seconds or {}).get(name), seed))
    if baseline is not None:
        rows = _compared(rows, baseline, exam.metrics, seed)
    rows.sort(key=lambda row: -np.nan_to_num(row.metrics[metrics[0]].mean, nan=-1.0))
    if ceiling is not None:
        rows.append(_ceiling(_asked("best achievable", ceiling, exam, progress), parts, seed))
    return Report(
        rows=tuple(rows),
        metrics=exam.metrics,
        k=k,
        users=len(split),
        items=exam.n_items,
        baseline=baseline,
        protocol=_protocol(exam),
        footnotes=_footnotes(rows, exam, baseline, seed),
        segments=tuple(segment for segment, _ in parts),
        diversity_by=exam.diversity_by,
    )


def _check(pipelines: Mapping[str, Recommends], k: int, baseline: str | None, metrics: Sequence[str]) -> None:
    if not pipelines:
        raise ConfigError("there is nothing to evaluate: give at least one model")
    if k < 1:
        raise ConfigError(f"k must be at least 1, got {k}")
    if baseline is not None and baseline not in pipelines:
        raise ConfigError(unknown(f"the baseline {baseline!r}", baseline, pipelines))
    for metric in metrics:
        if metric not in RANKING and metric != "auc":
            raise ConfigError(unknown(f"the metric {metric!r}", metric, [*RANKING, "auc"]))
    if not metrics:
        raise ConfigError(f"no metric is named: choose from {', '.join([*RANKING, 'auc'])}")


def _exam(split: Split, k: int, metrics: tuple[str, ...]) -> Exam:
    log = split.train.interactions
    relevant = Relevant(split.offsets, split.relevant)
    new = segments.new_items(log.item_counts)[relevant.items]
    touched_by = np.asarray(log.matrix.sum(axis=0)).ravel().astype(np.int64)
    by: Literal["category", "audience"] = "category" if "category" in split.train.catalog.columns else "audience"
    return Exam(split, k, metrics, relevant, new, touched_by, _diversity(split.train), by)


def _diversity(data: Dataset) -> partial[Floats]:
    """By the catalogue's category, or else by a random projection of who touched what: cosines survive it."""
    if "category" in data.catalog.columns:
        codes = data.catalog.frame["category"].cast(pl.String).rank("dense").cast(pl.Int32) - 1
        return partial(list_metrics.category_diversity, categories=codes.fill_null(-1).to_numpy())
    rng = np.random.default_rng(0)  # a fixed ruler, whatever the seed of the run
    directions = rng.standard_normal((data.interactions.n_users, _AUDIENCE_DIMENSIONS), dtype=np.float32)
    return partial(list_metrics.vector_diversity, vectors=data.interactions.matrix.T @ directions)


def _segments(exam: Exam) -> list[tuple[Segment, Mask | None]]:
    """Each segment with its users; `None` stands for new items, where the relevant items are cut instead."""
    parts: list[tuple[Segment, Mask | None]] = [*segments.user_segments(exam.split.queries.histories.lengths)]
    curious = int(np.count_nonzero(exam.relevant.only(exam.new).counts))
    if curious:
        parts.append((segments.new_items_segment(curious), None))
    return parts


def _asked(name: str, pipeline: Recommends, exam: Exam, progress: Callable[[str, int], None] | None) -> Answers:
    return answers(pipeline, exam, progress=lambda done: progress(name, done) if progress else None)


def _row(
    name: str,
    role: Role,
    found: Answers,
    parts: Sequence[tuple[Segment, Mask | None]],
    fit_seconds: float | None,
    seed: int,
) -> Row:
    groups = {"": found.values} | {segment.name: _within(found, mask) for segment, mask in parts}
    means = _means(groups, seed)
    n_lists = len(next(iter(found.values.values())))
    lists = {
        "coverage": list_metrics.coverage(found.exposures),
        "gini": list_metrics.gini(found.exposures),
        "personalisation": list_metrics.personalisation(found.exposures, n_lists, found.k),
    }
    return Row(
        name,
        role,
        metrics=means.pop("") | _rating_means(found, seed),
        against={},
        lists={metric: value for metric, value in lists.items() if not np.isnan(value)},
        segments=means,
        fit_seconds=fit_seconds,
        answer_seconds=found.seconds,
        unpredicted=int(found.ratings["unpredicted"].sum()) if found.ratings else 0,
        notes=() if found.exact_auc else ("auc from the list alone",),
        values=found.values,
    )


def _ceiling(found: Answers, parts: Sequence[tuple[Segment, Mask | None]], seed: int) -> Row:
    """The row of who knows the truth; an AUC guessed from its lists alone would not be a ceiling, and is left out."""
    if not found.exact_auc:
        found.values.pop("auc", None)
    return replace(_row("best achievable", "ceiling", found, parts, None, seed), notes=())


def _within(found: Answers, mask: Mask | None) -> dict[str, Floats]:
    """The values of the users in a segment, NaN for the others; `None` is the segment of new items."""
    if mask is None:
        return found.on_new_items
    return {metric: np.where(mask, values, np.nan) for metric, values in found.values.items()}


def _means(groups: Mapping[str, Mapping[str, Floats]], seed: int) -> dict[str, dict[str, Interval]]:
    """The interval of every column of every group, all from one set of resamples."""
    keys = [(group, metric) for group, values in groups.items() for metric in values]
    found = intervals(np.stack([groups[group][metric] for group, metric in keys], axis=1), seed=seed)
    means: dict[str, dict[str, Interval]] = {group: {} for group in groups}
    for (group, metric), interval in zip(keys, found, strict=True):
        means[group][metric] = interval
    return means


def _rating_means(found: Answers, seed: int) -> dict[str, Interval]:
    if not found.ratings or not found.ratings["predicted"].any():
        return {}
    squared = ratio_interval(found.ratings["squared"], found.ratings["predicted"], seed=seed)
    rmse = replace(squared, mean=squared.mean**0.5, low=squared.low**0.5, high=squared.high**0.5)
    return {"rmse": rmse, "mae": ratio_interval(found.ratings["absolute"], found.ratings["predicted"], seed=seed)}


def _compared(rows: list[Row], baseline: str, metrics: tuple[str, ...], seed: int) -> list[Row]:
    """The same rows with their differences to the baseline, p-values corrected for how many models were asked."""
    base = next(row for row in rows if row.name == baseline)
    # an AUC from all scores and one from lists alone are different things, and are not compared
    asked = [
        (row.name, metric)
        for metric in metrics
        for row in rows
        if row is not base and (metric != "auc" or row.notes == base.notes)
    ]
    against: dict[str, dict[str, Comparison]] = {row.name: {} for row in rows}
    if asked:
        values = {row.name: row.values for row in rows}
        ours = np.stack([values[name][metric] for name, metric in asked], axis=1)  # [b, models × metrics]
        theirs = np.stack([base.values[metric] for _, metric in asked], axis=1)
        found = dict(zip(asked, comparisons(ours, theirs, seed=seed), strict=True))
        for metric in metrics:
            names = [name for name, of in asked if of == metric]
            p_values = holm([found[name, metric].p_value for name in names])
            for name, p_value in zip(names, p_values, strict=True):
                against[name][metric] = replace(found[name, metric], p_value=p_value)
    return [replace(row, against=against[row.name]) for row in rows]


def _protocol(exam: Exam) -> str:
    seen = exam.split.seen_types
    if seen is None:
        asked = "what they had seen counts too"
    else:
        asked = f"what they knew by {' or '.join(seen)} does not count" if seen else "only items new to them count"
    return (
        f"{exam.split.protocol}; {len(exam.split):,} people asked, {len(exam.relevant.items):,} choices of theirs to "
        f"find ({asked}); all {exam.n_items:,} items ranked, lists of {exam.k}"
    )


def _footnotes(rows: Sequence[Row], exam: Exam, baseline: str | None, seed: int) -> tuple[str, ...]:
    notes = [f"±: 95 % interval over people, BCa bootstrap of {SAMPLES:,} resamples, seed {seed}"]
    if baseline is not None and len(rows) > 1:
        notes.append(
            f"▲ above, ▼ below {baseline} beyond noise: paired randomisation test, p < .05 corrected for the number "
            "of models (Holm)"
        )
    idle = int((exam.relevant.counts == 0).sum())
    if idle:
        who = "1 person" if idle == 1 else f"{idle:,} people"
        notes.append(f"{who} chose nothing that counts: left out of the means")
    listed = [row.name for row in rows if "auc" in exam.metrics and row.notes]
    if listed:
        notes.append(
            f"≈ AUC of {', '.join(listed)}: from the order of the lists alone, all beyond them tied, so not compared"
        )
    notes += [f"{row.name} could not predict {row.unpredicted:,} ratings" for row in rows if row.unpredicted]
    return tuple(notes)
