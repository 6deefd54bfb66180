"""The searches of `zhiyin tune`: what was tried, what came of it, and the best of each model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhiyin.errors import ArtifactError
from zhiyin.registry.store import Store
from zhiyin.registry.trials import DIRECTORY, Trial, read_trials

MOST_SEARCHES = 20


@dataclass(frozen=True)
class Best:
    """What a search found for one model."""

    model: str
    trials: int
    failed: int
    seconds: float
    value: float | None
    """NDCG in the validation windows; None where no trial was completed."""
    settings: dict[str, Any]


@dataclass(frozen=True)
class Search:
    """One search, on the same data."""

    key: str
    changed: int
    """When the last trial ended, µs UTC."""
    trials: tuple[Trial, ...] = ()
    problem: str = ""
    """Why it cannot be read; empty if it can."""

    @property
    def best(self) -> list[Best]:
        """Of each model, the best first."""
        models = dict.fromkeys(trial.model for trial in self.trials)
        found = [_best(model, [trial for trial in self.trials if trial.model == model]) for model in models]
        return sorted(found, key=lambda one: -(one.value or 0.0))

    def plot(self) -> dict[str, Any]:
        """For plots.js: each completed trial as a point, by its number."""
        series = []
        for model in dict.fromkeys(trial.model for trial in self.trials):
            points = [
                [number, trial.value]
                for number, trial in enumerate(self.trials, 1)
                if trial.model == model and trial.value is not None
            ]
            series.append({"name": model, "points": points})
        return {"kind": "points", "series": series, "digits": 4}


def searches(registry: Store) -> list[Search]:
    """All of them, the newest first."""
    folder = registry.root.parent / DIRECTORY
    files = sorted(folder.glob("*.jsonl"), key=lambda path: -path.stat().st_mtime_ns)[:MOST_SEARCHES]
    return [_read(path) for path in files]


def _read(path: Path) -> Search:
    changed = path.stat().st_mtime_ns // 1_000
    try:
        return Search(path.stem, changed, tuple(read_trials(path)))
    except (ArtifactError, OSError) as error:
        return Search(path.stem, changed, problem=str(error))


def _best(model: str, trials: list[Trial]) -> Best:
    complete = [trial for trial in trials if trial.value is not None]
    top = max(complete, key=lambda trial: trial.value or 0.0, default=None)
    failed = sum(trial.state == "failed" for trial in trials)
    seconds = sum(trial.seconds for trial in trials)
    value, settings = (None, {}) if top is None else (top.value, dict(top.settings))
    return Best(model, len(trials), failed, seconds, value, settings)
