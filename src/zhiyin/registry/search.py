"""The search for one model: what is tried next, on how many people, and when a trial is given up."""

import dataclasses
import json
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from zhiyin import fields
from zhiyin.data.split import Split
from zhiyin.errors import ConfigError
from zhiyin.evaluation.metrics import RANKING, Hits, Relevant
from zhiyin.evaluation.search_space import Setting, space_of
from zhiyin.models.popularity import Popularity
from zhiyin.models.recommender import Recommender
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.rules import Rules
from zhiyin.registry.sampler import Sampler
from zhiyin.registry.trials import State, Trial

METRIC = "ndcg"
MOST_TRIALS = 300  # of a model: later ones find nothing, and asking takes longer with each
MOST_PEOPLE = 9_000
FEWEST_PEOPLE = 300  # on fewer, who is among them decides
HALVING = 3
_HOPELESS = 3  # failures at the start after which a model is left alone
_DRAWS = 25  # attempts to draw settings that are new


class Jury:
    """People of some validation windows, in rounds that ask more and more of them: what is good must stay so.

    First a third of the newest window, then all of it, then those of the earlier windows, too, for which a model is
    fitted on what was before them. One window alone would choose what suits its own two weeks.
    """

    def __init__(self, windows: Sequence[Split], rules: Rules, k: int, seed: int) -> None:
        self.windows, self.rules, self.k = windows, rules, k
        self._fallbacks = [Popularity().fit(window.train) for window in windows]
        rng = np.random.default_rng(seed)
        newest, *earlier = (rng.permutation(len(window))[:MOST_PEOPLE] for window in windows)
        few = len(newest) // HALVING
        parts = [newest] if few < FEWEST_PEOPLE else [newest[:few], newest[few:]]
        self.rounds = [[(0, rows)] for rows in parts]
        if earlier:
            self.rounds.append(list(enumerate(earlier, 1)))

    def values(self, name: str, model: Recommender) -> Iterator[float]:
        """The mean NDCG over all who were asked so far, round by round, through the path that is served."""
        asked: dict[int, Pipeline] = {}
        total, people = 0.0, 0
        for parts in self.rounds:
            for window, rows in parts:
                asked[window] = asked.get(window) or self._pipeline(window, name, model)
                total += float(np.nansum(self._of(asked[window], window, rows)))
                people += len(rows)
            yield total / people

    def _pipeline(self, window: int, name: str, model: Recommender) -> Pipeline:
        train = self.windows[window].train
        fitted = fields.unfitted(model).fit(train)
        return Pipeline({name: fitted}, train.catalog, self._fallbacks[window], self.rules)

    def _of(self, pipeline: Pipeline, window: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        split = self.windows[window]
        found = pipeline.recommend(split.queries[rows], self.k).items[:, : self.k]
        lists = np.pad(found, ((0, 0), (0, self.k - found.shape[1])), constant_values=-1)
        return RANKING[METRIC](Hits.of(lists, Relevant(*split.relevant_of(rows))))


@dataclass
class Search:
    """The trials of one model. The first is what it is set to, the second its defaults."""

    name: str
    model: Recommender  # unfitted, as it is set
    seed: int
    trials: list[Trial] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.space = space_of(self.model)
        every = {key: _kept(value) for key, value in _settings(self.model).items()}
        self.current: dict[str, Setting | None] = {key: every.pop(key) for key in self.space}
        self.fixed: dict[str, Any] = every

    def takes(self, trial: Trial) -> bool:
        """Whether an earlier trial says something about this model."""
        return (trial.model, trial.type, trial.fixed) == (self.name, type(self.model).__name__, self.fixed)

    @property
    def spent(self) -> float:
        """Seconds."""
        return sum(trial.seconds for trial in self.trials)

    @property
    def usual(self) -> float:
        """Seconds that a trial takes; 0 before the first."""
        return self.spent / len(self.trials) if self.trials else 0.0

    @property
    def best(self) -> Trial | None:
        """The best of the complete trials; the earlier of equals."""
        complete = [trial for trial in self.trials if trial.state == "complete"]
        return max(complete, key=lambda trial: trial.values[-1], default=None)

    def set_to(self, settings: Mapping[str, Setting | None]) -> Recommender:
        """The model, unfitted, with other settings.

        Raises
        ------
        ConfigError
            If it does not take them.
        """
        return cast(Recommender, replace(cast(Any, self.model), **settings))

    def next(self, sampler: Sampler) -> dict[str, Setting | None] | None:
        """What to try next; `None` when there is nothing left that would be new."""
        hopeless = len(self.trials) >= _HOPELESS and all(trial.state == "failed" for trial in self.trials)
        if hopeless or len(self.trials) >= MOST_TRIALS:
            return None
        tried = {_text(trial.settings) for trial in self.trials}
        for known in (self.current, self._defaults()):
            if _text(known) not in tried:
                return known
        for draw in range(_DRAWS if self.space else 0):
            seed = zlib.crc32(f"{self.seed} {self.name} {len(self.trials)} {draw}".encode())
            drawn = sampler.next(self.space, self.trials, seed)
            if _text(drawn) not in tried:
                return {**drawn}
        return None

    def tried(self, settings: Mapping[str, Setting | None], jury: Jury, clock: Callable[[], float]) -> Trial:
        """Fit the model with these settings and ask around, as long as it is among the better third of its kind."""
        start = clock()
        values: list[float] = []
        state: State = "complete"
        reason = ""
        must = settings == self.current  # what is compared with must have been measured on everybody
        try:
            for value in jury.values(self.name, self.set_to(settings)):
                values.append(value)
                if len(values) < len(jury.rounds) and not must and not self._among_the_better(values):
                    state, reason = "pruned", f"not among the better third after {len(values)} of {len(jury.rounds)}"
                    break
        except ConfigError as error:
            state, reason = "failed", str(error)
        except MemoryError:
            state, reason = "failed", "there is not enough memory for it"
        return Trial(
            self.name, type(self.model).__name__, dict(settings), self.fixed, tuple(values), state,
            clock() - start, reason,
        )  # fmt: skip

    def _among_the_better(self, values: Sequence[float]) -> bool:
        """Asynchronous successive halving (Li et al. 2020) with a reduction by three."""
        place = len(values) - 1
        others = [trial.values[place] for trial in self.trials if len(trial.values) > place]
        above = sum(other > values[-1] for other in others)
        return above < math.ceil((len(others) + 1) / HALVING)

    def _defaults(self) -> dict[str, Setting | None]:
        defaults = _settings(type(self.model)())
        return {key: defaults[key] for key in self.space}


def _settings(model: Any) -> dict[str, Any]:
    names = [one.name for one in dataclasses.fields(model) if one.init and not one.name.endswith("_")]
    return {name: getattr(model, name) for name in names}


def _kept(value: Any) -> Any:
    """A value as JSON gives it back."""
    return json.loads(json.dumps(value))


def _text(settings: Mapping[str, Setting | None]) -> str:
    return json.dumps(settings, sort_keys=True)
