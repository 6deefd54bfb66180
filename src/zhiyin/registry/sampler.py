"""What to try next, by Optuna: the one file that needs it."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from zhiyin.errors import MissingExtraError
from zhiyin.evaluation.search_space import Choice, Setting, Space
from zhiyin.registry.trials import Trial

AT_RANDOM = 6
"""Trials of a model before what was found guides the next."""


class Sampler:
    """A tree-structured Parzen estimator of good settings (Bergstra et al. 2011), of all settings jointly.

    It is made anew for each question, from the trials so far and a seed, so that a search that goes on asks exactly
    what an uninterrupted one would have.

    Raises
    ------
    MissingExtraError
        If Optuna is not installed.
    """

    def __init__(self) -> None:
        self._optuna = _optuna()

    def next(self, space: Space, trials: Sequence[Trial], seed: int) -> dict[str, Setting]:
        """Settings worth a trial; the same for the same arguments."""
        optuna = self._optuna
        ranges = {name: self._range(space, name) for name in space}
        sampler = optuna.samplers.TPESampler(n_startup_trials=AT_RANDOM, multivariate=True, seed=seed)
        loud = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            study = optuna.create_study(direction="maximize", sampler=sampler)
            study.add_trials([self._told(trial, ranges) for trial in trials if _fits(trial, space)])
            asked: Mapping[str, Any] = study.ask(ranges).params
        finally:
            optuna.logging.set_verbosity(loud)
        return {name: space[name].plain(value) for name, value in asked.items()}

    def _range(self, space: Space, name: str) -> Any:
        kinds, one = self._optuna.distributions, space[name]
        if isinstance(one, Choice):
            return kinds.CategoricalDistribution(one.values)
        logarithmic = one.scale == "logarithmic"
        if one.whole:
            return kinds.IntDistribution(int(one.low), int(one.high), log=logarithmic)
        return kinds.FloatDistribution(one.low, one.high, log=logarithmic)

    def _told(self, trial: Trial, ranges: Mapping[str, Any]) -> Any:
        states = self._optuna.trial.TrialState
        return self._optuna.trial.create_trial(
            state=states.PRUNED if trial.value is None else states.COMPLETE,
            value=trial.value,
            params=trial.settings,
            distributions=dict(ranges),
            intermediate_values=dict(enumerate(trial.values)),
        )


def _fits(trial: Trial, space: Space) -> bool:
    """Whether a search could have asked this: settings of the user may lie outside."""
    return bool(trial.values) and all(one.holds(trial.settings.get(name)) for name, one in space.items())


def _optuna() -> ModuleType:
    try:
        import optuna  # noqa: PLC0415 - optional, heavy
    except ImportError as error:
        raise MissingExtraError("optuna", "tune") from error
    return optuna
