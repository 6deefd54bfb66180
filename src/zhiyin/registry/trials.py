"""What a search has tried, kept as it goes: one line of JSON for each trial, so that a later search goes on."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

import msgspec
import polars as pl
from numpy.typing import NDArray

import zhiyin
from zhiyin import fields
from zhiyin.data.split import Split
from zhiyin.errors import ArtifactError
from zhiyin.evaluation.search_space import SPACE, Setting
from zhiyin.registry.config import Config

State = Literal["complete", "pruned", "failed"]
DIRECTORY = "tuning"
"""Beside the releases: a file for each search."""


@dataclass(frozen=True)
class Trial:
    """One setting of one model, tried."""

    model: str
    type: str
    settings: dict[str, Setting | None]
    """What was searched."""
    fixed: dict[str, Any]
    """The other hyper-parameters."""
    values: tuple[float, ...]
    """The metric on more and more people; shorter than that of others where the trial was given up."""
    state: State
    seconds: float
    reason: str = ""
    """Why it was given up."""

    @property
    def value(self) -> float | None:
        """The metric on all people; `None` where the trial was given up."""
        return self.values[-1] if self.state == "complete" else None


class TrialLog:
    """The trials of one search, in their order; with a file they outlive the process."""

    def __init__(self, path: Path | None = None) -> None:
        self.trials: list[Trial] = []
        self._path = path
        if path is not None and path.exists():
            self.trials = _read(path)

    @classmethod
    def opened(cls, directory: Path, key: str) -> tuple[Self, str]:
        """The log of a search in a directory, and a sentence on what it holds already.

        Raises
        ------
        ArtifactError
            If the directory cannot be written, or the log is damaged.
        """
        path = directory / f"{key}.jsonl"
        others = any(path != other for other in directory.glob("*.jsonl"))
        log = cls(path)
        if log.trials:
            return log, f"{len(log.trials)} trials of an earlier search are known, and not repeated ({path})"
        changed = "the data, the split, the rules or the seed are others than in the last search: " if others else ""
        return log, f"{changed}a new search begins ({path})"

    def add(self, trial: Trial) -> None:
        """Keep a trial; when this returns, the disk has it."""
        self.trials.append(trial)
        if self._path is None:
            return
        try:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(trial) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ArtifactError(
                f"{self._path} cannot be written ({error.strerror}): make space, the trials before this one are kept"
            ) from error

    def frame(self) -> pl.DataFrame:
        """One row per trial: model, type, number, state, value, first_value, seconds, settings, reason."""
        numbers: dict[str, int] = {}
        rows = []
        for trial in self.trials:
            numbers[trial.model] = numbers.get(trial.model, 0) + 1
            first = trial.values[0] if trial.values else None
            settings = msgspec.json.encode(trial.settings).decode()
            rows.append((
                trial.model, trial.type, numbers[trial.model], trial.state, trial.value, first, trial.seconds, settings,
                trial.reason,
            ))  # fmt: skip
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")


SCHEMA = {
    "model": pl.String, "type": pl.String, "number": pl.Int64, "state": pl.String, "value": pl.Float64,
    "first_value": pl.Float64, "seconds": pl.Float64, "settings": pl.String, "reason": pl.String,
}  # fmt: skip


def key_of(inner: Split, config: Config, seed: int) -> str:
    """A name for everything that the value of a trial depends on but its settings: another key, another search.

    It is made of what the search sees, the training view and the validation window, and of nothing later.
    """
    train, log = inner.train, inner.train.interactions
    arrays: list[NDArray[Any]] = [
        log.users, log.items, log.times, log.kinds, log.weights, log.values, inner.queries.people,
        inner.queries.times, inner.offsets, inner.relevant, train.catalog.frame.hash_rows().to_numpy(),
    ]  # fmt: skip
    arrays += [] if train.people is None else [train.people.hash_rows().to_numpy()]
    arrays += [] if train.friends is None else [train.friends]
    found = hashlib.sha256()
    for array in arrays:
        found.update(str((array.dtype, array.shape)).encode())
        found.update(array.tobytes())
    told = fields.to_table(config)
    rest = [
        told["split"],
        told["rules"],
        told["recipe"]["k"],
        train.catalog.columns,
        _spaces(),
        seed,
        zhiyin.__version__,
    ]
    found.update(msgspec.json.encode(rest))
    return found.hexdigest()[:16]


def _spaces() -> Mapping[str, Any]:
    return {model: {name: asdict(one) for name, one in space.items()} for model, space in SPACE.items()}


def read_trials(path: Path) -> list[Trial]:
    """The trials of a log, of which a search may be writing the last line at this moment.

    Raises
    ------
    ArtifactError
        If a line is damaged.
    OSError
        If it cannot be read.
    """
    content = path.read_bytes()
    return _parsed(content[: content.rfind(b"\n") + 1], path)


def _read(path: Path) -> list[Trial]:
    """The whole lines of a log; what a power cut left of a last one is cut off."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    return _parsed(content[:whole], path)


def _parsed(content: bytes, path: Path) -> list[Trial]:
    trials = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            trials.append(msgspec.json.decode(line, type=Trial))
        except msgspec.MsgspecError as error:
            raise ArtifactError(
                f"line {number} of {path} is damaged ({error}): remove the file to begin a new search"
            ) from None
    return trials
