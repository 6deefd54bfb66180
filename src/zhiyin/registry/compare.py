"""Train the models of a recipe and compare them: choose on a validation window, measure on the test window."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zhiyin import fields
from zhiyin.data.dataset import Dataset
from zhiyin.data.split import Split
from zhiyin.errors import ConfigError, DataError
from zhiyin.evaluation.answers import Recommends
from zhiyin.evaluation.evaluate import evaluate
from zhiyin.evaluation.report import Report
from zhiyin.models.popularity import Popularity
from zhiyin.models.recommender import Rates, Recommender
from zhiyin.models.watch import Point, watched
from zhiyin.ranking.fuse import Combines, ReciprocalRank
from zhiyin.ranking.learn import blended
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry import recipe
from zhiyin.registry.config import Config
from zhiyin.registry.exporting import rounded
from zhiyin.registry.prepare import Progress, held_out, silent
from zhiyin.registry.size import megabytes
from zhiyin.registry.warm import Fit, cold

BASELINE = "popularity"


@dataclass(frozen=True, eq=False)
class Compared:
    """The rows on the test window, and which of them the validation window chose."""

    report: Report
    chosen: str
    combine: Combines
    """How the combined row combines: learned on the validation window."""
    split: Split
    validation: Report | None
    """None where the training data are too small for a window of their own; the test window chose then."""
    note: str = ""


def compare(
    config: Config,
    data: Dataset,
    root: Path,
    *,
    rivals: Mapping[str, "Rival"] | None = None,
    ceiling: Recommends | None = None,
    progress: Progress = silent,
    fit: Fit = cold,
) -> Compared:
    """Fit every model on the training view, ask them all through the one path, and say which is best.

    What is chosen is chosen on a validation window carved from the training view, where the blend learns too; the
    test window only measures.
    """
    split = held_out(data, config, root)
    models, names = contenders(config, data)
    combine: Combines = ReciprocalRank()
    validation, note = None, ""
    try:
        inner = validation_window(split, config, root)
    except DataError as error:
        note = f"no validation window ({error}), so the test window chose: expect its numbers to be a little high"
    else:
        members, _ = rounded(fitted(models, inner.train, "validating", progress, fit)[0])
        candidates = pipelines(config, members, inner.train, names, combine)
        if config.recipe.combine == "blend" and "blend" in candidates:
            candidates["blend"] = blended(candidates["blend"], inner, seed=config.split.seed)
            combine = candidates["blend"].combine
        progress("choosing", 0, 1)
        validation = evaluate(candidates, inner, k=config.recipe.k, baseline=BASELINE, metrics=("ndcg",))
    trained, seconds = fitted(models, split.train, "training", progress, fit)
    members, exact = rounded(trained)
    candidates = pipelines(config, members, split.train, names, combine)
    contest: dict[str, Recommends] = {**candidates, **pipelines(config, exact, split.train, (), combine)}
    for name, rival in (rivals or {}).items():
        contest[name] = rival(split)
    progress("evaluating", 0, len(contest))
    report = evaluate(contest, split, k=config.recipe.k, baseline=BASELINE, ceiling=ceiling, fit_seconds=seconds)
    if exact:
        report = _weighed(report, {**members, **exact})
    progress("evaluating", len(contest), len(contest))
    judge = validation or report
    chosen = next(row.name for row in judge.rows if row.name in candidates)
    note = "; ".join(filter(None, [note, _unrated(models, split.train)]))
    return Compared(report, chosen, combine, split, validation, note)


def _unrated(models: Mapping[str, Recommender], data: Dataset) -> str:
    """A sentence about the models that cannot have learned anything, because nobody rated."""
    names = [name for name, model in models.items() if isinstance(model, Rates)]
    if not names or np.isfinite(data.interactions.values).any():
        return ""
    them = "it" if len(names) == 1 else "them"
    return (
        f"{', '.join(names)} can only learn from ratings, and the events have none, so popularity answered for {them}: "
        f"map the column of ratings to value in [columns.events], or leave {them} out"
    )


def _weighed(report: Report, models: Mapping[str, Recommender]) -> Report:
    """With the size of each model, where some of them were made smaller."""
    sizes = {name: megabytes(model) for name, model in models.items()}
    return replace(report, rows=tuple(replace(row, megabytes=sizes.get(row.name)) for row in report.rows))


class Rival:
    """What serves now: the same models, fitted on events that are as old as the release is."""

    def __init__(self, pipeline: Pipeline, behind: int) -> None:
        self.pipeline = pipeline
        self.behind = behind  # µs between the newest event of the release and the newest that there is

    def __call__(self, split: Split) -> Pipeline:
        """The rival for a split: it may not know what the serving release does not know by now."""
        view = split.train
        if self.behind and len(view.interactions):
            stale = view.before(int(view.interactions.times[-1]) + 1 - self.behind)
            view = stale if len(stale.interactions) else view
        members = {name: fields.unfitted(model).fit(view) for name, model in self.pipeline.retrievers.items()}
        return replace(self.pipeline, retrievers=members, catalog=split.train.catalog, fallback=Popularity().fit(view))


def fitted(
    models: Mapping[str, Recommender], data: Dataset, doing: str, progress: Progress = silent, fit: Fit = cold
) -> tuple[dict[str, Recommender], dict[str, float]]:
    """Copies of the models, fitted, and the seconds that each took."""
    members, seconds = {}, {}
    for done, (name, model) in enumerate(models.items()):
        progress(f"{doing} {name}", done, len(models))
        start = time.perf_counter()
        with watched(_teller(f"{doing} {name}", progress)):
            members[name] = fit(name, model, data)
        seconds[name] = time.perf_counter() - start
    progress(doing, len(models), len(models))
    return members, seconds


def _teller(doing: str, progress: Progress) -> Callable[[Point], None]:
    def tell(point: Point) -> None:
        metric = "" if math.isnan(point.metric) else f", {point.measure} {point.metric:.4f}"
        progress(f"{doing}: loss {point.loss:.3f}{metric}", point.epoch, point.epochs)

    return tell


def contenders(config: Config, data: Dataset) -> tuple[dict[str, Recommender], tuple[str, ...]]:
    """The unfitted models of a recipe with the baseline, and the names of those that are combined, in their order.

    Raises
    ------
    ConfigError
        If a retriever is no model, or a model has the name of the combination.
    """
    models = recipe.models(config.models, data)
    for name in config.recipe.retrievers:
        if name not in models:
            raise ConfigError(fields.unknown(f"recipe.retrievers: {name!r}", name, models))
    for reserved in ("blend", "fuse", "serving"):
        if reserved in models:
            raise ConfigError(f"models.{reserved} must have another name: {reserved!r} is a row of the comparison")
    names = config.recipe.retrievers or tuple(models)
    return (models if BASELINE in models else {BASELINE: Popularity(), **models}), names


def pipelines(
    config: Config,
    members: Mapping[str, Recommender],
    data: Dataset,
    names: tuple[str, ...],
    combine: Combines,
) -> dict[str, Pipeline]:
    """Each fitted model alone, and those of `names` combined where there are several."""
    fallback = Popularity().fit(data)
    alone = {name: Pipeline({name: model}, data.catalog, fallback, config.rules) for name, model in members.items()}
    if len(names) < 2:
        return alone
    together = {name: members[name] for name in names}
    both = Pipeline(together, data.catalog, fallback, config.rules, combine, config.recipe.pool)
    return {**alone, config.recipe.combine: both}


def validation_window(split: Split, config: Config, root: Path) -> Split:
    """The training view split again, in the same way; where files decide the test, by the newest tenth of training.

    Raises
    ------
    DataError
        If the training data are too small for it.
    """
    if config.split.method == "files":
        config = replace(config, split=replace(config.split, method="time", test=0.1))
    return held_out(split.train, config, root)
