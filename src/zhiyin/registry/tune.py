"""Search for better hyper-parameters on a validation window carved from the training view; the test is never asked."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from zhiyin.data.dataset import Dataset
from zhiyin.data.split import Split, microseconds
from zhiyin.errors import ConfigError, DataError
from zhiyin.evaluation.evaluate import evaluate
from zhiyin.evaluation.report import Report, Row
from zhiyin.models.recommender import Recommender
from zhiyin.ranking.fuse import Blend, ReciprocalRank
from zhiyin.ranking.learn import blended
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry import recipe
from zhiyin.registry.compare import BASELINE, contenders, fitted, pipelines, validation_window
from zhiyin.registry.config import Config, RecipeSettings
from zhiyin.registry.lock import exclusive
from zhiyin.registry.prepare import Progress, held_out, silent
from zhiyin.registry.sampler import Sampler
from zhiyin.registry.search import METRIC, Jury, Search
from zhiyin.registry.trials import Trial, TrialLog, key_of

_WINDOWS = 3  # one alone chose what suited its own people: +9 % there, nothing in the test
_CLOSING = 3  # what comes after the search, in times of what one trial of each model takes
_MOST_CLOSING = 1 / 3  # of the budget: the first trials also pay for compiling, and must not end the search
_UNHEARD = 0.01  # share of a blend's weight below which a model is left out of it


@dataclass(frozen=True, eq=False)
class Tuned:
    """What a search found."""

    best: dict[str, dict[str, Any]]
    """The `[models]`: name to type and settings."""
    recipe: RecipeSettings
    """The `[recipe]`; its retrievers are the models that a blend listens to."""
    validation: Report
    """The models with their best settings, alone and combined, and what was set before ("… before")."""
    trials: pl.DataFrame
    """model, type, number, state, value, first_value (of the first people asked), seconds, settings (JSON), reason."""
    improved: bool
    """False where nothing better was found: `best` is then what was set before."""
    sentence: str
    notes: tuple[str, ...] = ()


def tune(
    data: Dataset,
    config: Config | None = None,
    root: Path = Path(),
    *,
    models: Mapping[str, Mapping[str, Any]] | None = None,
    also: Sequence[str] = (),
    budget: str = "10m",
    seed: int = 0,
    directory: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
    progress: Progress = silent,
) -> Tuned:
    """Try settings of every model until the time is up, each model with the same share of it, and combine the best.

    A validation window is carved from the training view as the test window is from everything. Every trial is fitted
    on what is left, and measured by its NDCG in that window. Ctrl-C ends the search and keeps what it found.

    Parameters
    ----------
    config
        What to tune: [models], [recipe], [rules] and [split] count here. Default: the models of `zhiyin train`.
    root
        Where zhiyin.toml lies, for the paths in it.
    models
        In place of the [models] of `config`: name to type and settings.
    also
        Types of more models to try ("IALS"): they are kept if the blend listens to them.
    budget
        "90s", "10m", "2h"; one trial of each model is made in any case.
    directory
        Where trials are kept as they are made: a later search on the same data goes on from there.
    clock
        Seconds.

    Raises
    ------
    MissingExtraError
        If Optuna is not installed.
    ConfigError
        If no model can be trained, or the config or the budget is not allowed.
    DataError
        If the data are too small for a test and a validation window.
    RegistryBusyError
        If another search keeps its trials in the same directory.
    """
    sampler = Sampler()
    seconds = microseconds(budget) / 1e6
    config = config or Config()
    config = config if models is None else replace(config, models={name: {**one} for name, one in models.items()})
    split = held_out(data, config, root)
    windows = _windows(split, config, root)
    tables = config.models or recipe.portfolio(data)
    more: dict[str, dict[str, Any]] = {name.lower(): {"type": name} for name in also}
    models_to_try = recipe.models({**more, **tables}, data)
    searches = [Search(name, models_to_try[name], seed) for name in {**tables, **more}]
    contest = _Contest(config, data, windows, tables, searches, progress)
    if directory is None:
        return contest.run(sampler, TrialLog(), seconds, clock, ())
    with exclusive(directory):
        log, note = TrialLog.opened(directory, key_of(windows[0], config, seed))
        return contest.run(sampler, log, seconds, clock, (note,))


def _windows(split: Split, config: Config, root: Path) -> list[Split]:
    """Validation windows within the training view, the newest first, each carved from what was before the last."""
    windows: list[Split] = []
    for _ in range(_WINDOWS):
        try:
            windows.append(validation_window(windows[-1] if windows else split, config, root))
        except DataError as error:
            if not windows:
                raise DataError(f"there is no validation window to tune on: {error}") from None
            break
    return windows


@dataclass
class _Contest:
    """One call of `tune`."""

    config: Config
    data: Dataset
    windows: list[Split]
    tables: Mapping[str, Mapping[str, Any]]
    searches: list[Search]
    progress: Progress
    members: list[tuple[str, Recommender]] = field(default_factory=list)
    """What has been fitted for the end, by name: the best of a model may be what was set."""

    def run(
        self, sampler: Sampler, log: TrialLog, seconds: float, clock: Callable[[], float], notes: tuple[str, ...]
    ) -> Tuned:
        for search in self.searches:
            search.trials += [trial for trial in log.trials if search.takes(trial)]
        try:
            self._search(sampler, log, seconds, clock)
        except KeyboardInterrupt:
            notes += ("the search was interrupted: this is the best until then",)
        notes += tuple(_failed(search) for search in self.searches if search.best is None and search.trials)
        if all(search.best is None and search.trials for search in self.searches):
            raise ConfigError(f"no model could be trained: {notes[-1]}")
        return self._closed(log.frame(), notes)

    def _search(self, sampler: Sampler, log: TrialLog, seconds: float, clock: Callable[[], float]) -> None:
        """Trial after trial, of the model that has had the least time, while there is enough left for one."""
        jury = Jury(self.windows, self.config.rules, self.config.recipe.k, self.config.split.seed)
        start = clock()
        waiting = list(self.searches)
        while waiting:
            search = min(waiting, key=lambda one: (bool(one.trials), one.spent))
            gone = clock() - start
            self._tell(search, gone, seconds)
            closing = min(_CLOSING * sum(one.usual for one in self.searches), _MOST_CLOSING * seconds)
            late = gone + search.usual + closing > seconds
            settings = None if late and search.trials else search.next(sampler)
            if settings is None:
                waiting.remove(search)
                continue
            trial = search.tried(settings, jury, clock)
            search.trials.append(trial)
            log.add(trial)

    def _tell(self, search: Search, gone: float, seconds: float) -> None:
        best = max((one.best.values[-1] for one in self.searches if one.best), default=math.nan)
        so_far = "" if math.isnan(best) else f", best {best:.4f}"
        steps = max(1, math.ceil(seconds))
        self.progress(f"tuning {search.name}{so_far}", min(int(gone), steps - 1), steps)

    def _closed(self, trials: pl.DataFrame, notes: tuple[str, ...]) -> Tuned:
        """The best of each model combined, beside what was set before; the better of the two is the result."""
        usable = [search for search in self.searches if search.best or not search.trials]
        after = self._config({one.name: self._table(one) for one in usable})
        set_before = {one.name: dict(self.tables[one.name]) for one in usable if one.name in self.tables}
        before = self._config(set_before or {BASELINE: {}})
        top, rows, kept = self._contestants(after, "fitting the best")
        earlier, rows_before, _ = self._contestants(before, "fitting what was set")
        self.progress("measuring", 0, 1)
        pipelines = {**rows, f"{earlier} before": rows_before[earlier]}
        report = evaluate(pipelines, self.windows[0], k=self.config.recipe.k, baseline=BASELINE, metrics=(METRIC,))
        self.progress("measuring", 1, 1)
        new, old = report.row(top), report.row(f"{earlier} before")
        improved = new.metrics[METRIC].mean > old.metrics[METRIC].mean
        chosen = after if improved else before
        models = {name: one for name, one in chosen.models.items() if name in self.tables or name in kept}
        every = chosen.recipe.retrievers or tuple(models)
        retrievers = kept if improved and kept != every else chosen.recipe.retrievers
        return Tuned(
            models, replace(self.config.recipe, retrievers=retrievers), report, trials, improved,
            _sentence(new, old, report.k), notes,
        )  # fmt: skip

    def _table(self, search: Search) -> dict[str, Any]:
        found = search.best.settings if search.best else {}
        return {"type": type(search.model).__name__, **self.tables.get(search.name, {}), **found}

    def _config(self, tables: dict[str, dict[str, Any]]) -> Config:
        named = [name for name in self.config.recipe.retrievers if name in tables]
        names = (*named, *(name for name in tables if name not in self.tables)) if named else ()
        return replace(self.config, models=tables, recipe=replace(self.config.recipe, retrievers=names))

    def _contestants(self, config: Config, doing: str) -> tuple[str, dict[str, Pipeline], tuple[str, ...]]:
        """The name of the combination, the pipelines with it, and the names of the models that are in it."""
        models, names = contenders(config, self.data)
        known = {name: member for name, member in self.members if member == models.get(name)}  # by their settings
        missing = {name: model for name, model in models.items() if name not in known}
        fresh, _ = fitted(missing, self.windows[0].train, doing, self.progress)
        self.members += fresh.items()
        members = {name: (known | fresh)[name] for name in models}
        rows = self._together(config, members, names)
        combined = rows.get(config.recipe.combine)
        if combined is None:
            return names[0], rows, names
        heard = _heard(combined, names)
        if len(heard) < len(names):  # whom the blend does not listen to need not be asked
            rows = {**rows, **self._together(config, members, heard)}
        return (config.recipe.combine if len(heard) > 1 else heard[0]), rows, heard

    def _together(
        self, config: Config, members: Mapping[str, Recommender], names: tuple[str, ...]
    ) -> dict[str, Pipeline]:
        rows = pipelines(config, members, self.windows[0].train, names, ReciprocalRank())
        if config.recipe.combine == "blend" and "blend" in rows:
            rows["blend"] = blended(rows["blend"], self.windows[0], seed=config.split.seed)
        return rows


def _heard(pipeline: Pipeline, names: tuple[str, ...]) -> tuple[str, ...]:
    """The models that weigh something in a blend; all where nothing is weighed."""
    if not isinstance(pipeline.combine, Blend):
        return names
    weights = pipeline.combine.weights_.reshape(2, -1).sum(axis=0)  # of its scores and of its ranks
    heard = weights > _UNHEARD * weights.sum()
    return tuple(name for name, loud in zip(names, heard, strict=True) if loud) if heard.any() else names


def _failed(search: Search) -> str:
    last: Trial = search.trials[-1]
    return f"{search.name} is left out, because no trial of it succeeded: {last.reason}"


def _sentence(new: Row, old: Row, k: int) -> str:
    now, then = new.metrics[METRIC].mean, old.metrics[METRIC].mean
    change = f"NDCG@{k} in the newest validation window {then:.4f} → {now:.4f}"
    if now <= then:
        return f"nothing better was found than what is set ({change})"
    gain = f", {now / then - 1:+.1%}" if then > 0 else ""
    return f"{change}{gain}; that window helped to choose, so expect less of it elsewhere"
