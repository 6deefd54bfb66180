"""A search finds what is planted, sees nothing of the test, goes on where it stopped, and ends in time."""

import json
import sys
from dataclasses import dataclass, fields, replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from worlds import DAY, dataset, two_tastes
from zhiyin.data.split import split_by_time
from zhiyin.errors import ArtifactError, ConfigError, DataError, MissingExtraError
from zhiyin.evaluation.search_space import NOT_SEARCHED, SPACE, Choice, Range
from zhiyin.models.known import MODELS
from zhiyin.ranking.rules import Rules
from zhiyin.registry.config import Config, RecipeSettings, SplitSettings, parsed
from zhiyin.registry.rewrite import with_sections
from zhiyin.registry.sampler import Sampler
from zhiyin.registry.search import Jury, Search
from zhiyin.registry.trials import Trial, TrialLog
from zhiyin.registry.tune import _windows, tune


@dataclass
class Ticks:
    """A clock on which every look at it takes a second."""

    seconds: float = 0.0

    def __call__(self) -> float:
        self.seconds += 1.0
        return self.seconds


def fashion(*, seed: int = 0, test_seed: int = 0):
    """For 90 days everybody takes old things, for ten days new ones: who forgets quickly knows what comes next."""
    rng, later = np.random.default_rng(seed), np.random.default_rng(test_seed)
    log = []
    for day in range(100):
        things = "new" if day >= 90 else "old"
        drawn = later if day >= 97 else rng
        log += [
            (f"u{person:03d}", f"{things}-{item}", day + 0.5)
            for person in drawn.choice(200, 20, replace=False)
            for item in drawn.choice(12, 2, replace=False)
        ]
    everything = [(f"u{person:03d}", "old-0", 0.0) for person in range(200)]
    everything += [(f"u{item:03d}", f"new-{item}", 90.0) for item in range(12)]
    return dataset(everything + log)


CONFIG = Config(split=SplitSettings(test="3d"), recipe=RecipeSettings(k=5))
POPULARITY = {"popularity": {"half_life_days": 300.0}}
TWO = {"popularity": {}, "item_knn": {"half_life_days": 30.0}}


def test_every_key_of_the_search_space_is_a_field_and_every_model_is_in_it_or_excused():
    for name, space in SPACE.items():
        known = {field.name: field for field in fields(MODELS[name]) if field.init}
        assert set(space) <= set(known), name
        for key, one in space.items():
            default = known[key].default
            assert one.holds(default), f"the default of {name}.{key} lies outside of what is searched"
            ends = one.values if isinstance(one, Choice) else (one.plain(one.low), one.plain(one.high))
            for end in ends:
                MODELS[name](**{key: end})
    advice = "give each model its ranges in SPACE, or the reason why it has none in NOT_SEARCHED"
    assert set(MODELS) == set(SPACE) | set(NOT_SEARCHED), advice
    assert not set(SPACE) & set(NOT_SEARCHED)


def test_what_is_tried_can_be_written_down():
    assert Range(1, 1000).plain(123.456) == 123.0
    assert Range(1, 1000, whole=True).plain(7.6) == 8
    assert not Range(1, 1000, whole=True).holds(7.5)
    assert not Range(0, 1, "linear").holds(True)
    assert Choice(("cosine", "bm25")).plain("bm25") == "bm25"


def test_a_planted_optimum_is_found():
    found = tune(fashion(), CONFIG, models=POPULARITY, budget="40s", clock=Ticks())
    assert found.best["popularity"]["type"] == "Popularity"
    assert found.best["popularity"]["half_life_days"] < 15
    assert found.improved
    new, old = (found.validation.row(name).metrics["ndcg"].mean for name in ("popularity", "popularity before"))
    assert new > 2 * old
    assert "NDCG@5 in the newest validation window" in found.sentence
    first = found.trials.row(0, named=True)
    assert json.loads(first["settings"]) == {"half_life_days": 300.0}, "what is set is tried first"
    assert first["value"] > 0


def test_the_test_window_is_never_seen():
    one, other = fashion(test_seed=1), fashion(test_seed=2)
    assert len(one.interactions.since(97 * DAY)) == len(other.interactions.since(97 * DAY))
    assert not np.array_equal(one.interactions.since(97 * DAY).items, other.interactions.since(97 * DAY).items)
    assert np.array_equal(one.interactions.before(97 * DAY).items, other.interactions.before(97 * DAY).items)
    a, b = (tune(data, CONFIG, models=TWO, budget="40s", clock=Ticks()) for data in (one, other))
    assert a.trials.equals(b.trials)
    assert a.best == b.best
    assert a.sentence == b.sentence


def test_a_later_search_goes_on_and_repeats_nothing(tmp_path):
    data = fashion()
    kept = {"directory": tmp_path, "models": TWO}
    first = tune(data, CONFIG, budget="30s", clock=Ticks(), **kept)
    second = tune(data, CONFIG, budget="60s", clock=Ticks(), **kept)
    assert second.trials.head(first.trials.height).equals(first.trials)
    assert second.trials.height > first.trials.height
    assert not second.trials.select("model", "settings").is_duplicated().any()
    assert "trials of an earlier search are known" in second.notes[0]
    whole = tune(data, CONFIG, models=TWO, budget="200s", clock=Ticks())
    shared = ["model", "number", "state", "value", "settings"]
    assert whole.trials.head(second.trials.height).select(shared).equals(second.trials.select(shared)), (
        "interrupted or not, the same is tried"
    )


def test_other_data_begin_a_new_search_and_it_is_said(tmp_path):
    for seed, words in ((0, "a new search begins"), (1, "the data, the split, the rules or the seed are others")):
        found = tune(fashion(seed=seed), CONFIG, models=POPULARITY, budget="5s", clock=Ticks(), directory=tmp_path)
        assert found.notes[0].startswith(words)
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


@pytest.mark.parametrize("seconds", [20, 60])
def test_the_budget_is_kept(seconds):
    clock = Ticks()
    found = tune(fashion(), CONFIG, models=TWO, budget=f"{seconds}s", clock=clock)
    assert clock.seconds <= seconds + 2
    assert clock.seconds >= seconds / 2
    spent = dict(found.trials.group_by("model").agg(found.trials["seconds"].sum()).rows())
    assert set(spent) == set(TWO)
    halves = found.trials.group_by("model").len()["len"]
    assert halves.max() - halves.min() <= 1, "each model has its share"


def test_a_budget_for_nothing_still_measures_what_is_set():
    found = tune(fashion(), CONFIG, models=TWO, budget="1s", clock=Ticks())
    assert found.trials.height == 2
    assert not found.improved
    assert found.best == TWO
    assert "nothing better was found" in found.sentence


def test_a_model_that_cannot_be_trained_is_left_out_with_its_reason():
    models = {"popularity": {}, "ease": {"memory_gb": 1e-9}}
    found = tune(two_tastes(), Config(split=SplitSettings(test="5d")), models=models, budget="30s", clock=Ticks())
    failed = found.trials.filter(model="ease")
    assert failed["state"].to_list() == ["failed"] * 3
    assert "EASE needs" in failed["reason"][0]
    assert "ease" not in found.best
    assert any("ease is left out, because no trial of it succeeded: EASE needs" in note for note in found.notes)
    with pytest.raises(ConfigError, match=r"no model could be trained: .*EASE needs"):
        tune(two_tastes(), Config(split=SplitSettings(test="5d")), models={"ease": {"memory_gb": 1e-9}}, clock=Ticks())


def test_an_interruption_keeps_what_there_is(tmp_path):
    ticks = count()

    def interrupting() -> float:
        second = next(ticks)
        if second == 40:
            raise KeyboardInterrupt
        return float(second)

    found = tune(fashion(), CONFIG, models=POPULARITY, budget="60s", clock=interrupting, directory=tmp_path)
    assert any("interrupted" in note for note in found.notes)
    assert found.trials.height >= 3
    assert found.improved
    (log,) = tmp_path.glob("*.jsonl")
    assert len(log.read_text().splitlines()) == found.trials.height


def test_what_a_power_cut_left_of_a_trial_is_cut_off(tmp_path):
    def search():
        return tune(fashion(), CONFIG, models=POPULARITY, budget="15s", clock=Ticks(), directory=tmp_path)

    first = search()
    (path,) = tmp_path.glob("*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    again = search()
    assert again.trials.head(first.trials.height).equals(first.trials)
    path.write_bytes(b"{}\n" + whole)
    with pytest.raises(ArtifactError, match=r"line 1 of .* is damaged .*: remove the file to begin a new search"):
        search()


def test_the_blend_leaves_out_whom_it_does_not_hear():
    config = replace(CONFIG, rules=Rules(seen="keep"))
    models = {"popularity": {}, "item_knn": {}, "user_knn": {}}
    found = tune(fashion(), config, models=models, budget="40s", clock=Ticks())
    assert set(found.best) == set(models), "a model that is not combined stays in the comparison"
    assert set(found.recipe.retrievers) <= set(models)
    assert parsed(with_sections("", {"models": found.best})).models.keys() == models.keys()


def test_more_models_are_tried_and_kept_if_the_blend_listens_to_them():
    found = tune(fashion(), CONFIG, models=POPULARITY, also=["ItemKNN", "UserKNN"], budget="60s", clock=Ticks())
    assert set(found.trials["model"]) == {"popularity", "itemknn", "userknn"}
    heard = found.recipe.retrievers or tuple(found.best)  # none named: all of them
    assert set(found.best) == {"popularity", *heard}
    assert len(found.best) > 1
    assert "popularity before" in {row.name for row in found.validation.rows}
    with pytest.raises(ConfigError, match=r"'ItemKN' is not known: did you mean 'ItemKNN'\?"):
        tune(fashion(), CONFIG, models=POPULARITY, also=["ItemKN"], clock=Ticks())


def test_a_worse_trial_is_given_up_on_few_people(monkeypatch):
    monkeypatch.setattr("zhiyin.registry.search.FEWEST_PEOPLE", 5)
    found = tune(fashion(), CONFIG, models=POPULARITY, budget="60s", clock=Ticks())
    pruned = found.trials.filter(state="pruned")
    assert pruned.height
    assert pruned["value"].null_count() == pruned.height
    assert pruned["reason"].str.starts_with("not among the better third after 1 of").any()
    assert found.best["popularity"]["half_life_days"] < 15


def test_everybody_of_every_window_is_asked_once_the_newest_first(monkeypatch):
    monkeypatch.setattr("zhiyin.registry.search.FEWEST_PEOPLE", 5)
    data = fashion()
    windows = [split_by_time(data.before(days * DAY), "3d") for days in (97, 94, 91)]
    jury = Jury(windows, Rules(), 5, seed=0)
    third, newest, earlier = jury.rounds
    assert 3 * len(third[0][1]) <= len(windows[0]) <= 3 * len(third[0][1]) + 2
    assert [window for parts in jury.rounds for window, _ in parts] == [0, 0, 1, 2]
    for number, rows in ((0, [third[0][1], newest[0][1]]), (1, [earlier[0][1]]), (2, [earlier[1][1]])):
        assert sorted(np.concatenate(rows)) == list(range(len(windows[number])))
    values = list(jury.values("popularity", MODELS["Popularity"]()))
    assert len(values) == 3
    assert all(0 <= value <= 1 for value in values)


def test_the_windows_of_validation_follow_each_other_before_the_test():
    data = fashion()
    split = split_by_time(data, "3d")
    windows = _windows(split, CONFIG, Path())
    assert len(windows) == 3
    ends = [int(one.train.interactions.times[-1]) for one in (split, *windows)]
    assert ends == sorted(ends, reverse=True)
    assert all((window.queries.times <= end).all() for window, end in zip(windows, ends, strict=False))


def test_settings_outside_of_the_ranges_do_not_disturb_the_search():
    data = fashion()
    found = tune(data, CONFIG, models={"popularity": {"half_life_days": 0.01}}, budget="30s", clock=Ticks())
    assert json.loads(found.trials["settings"][0]) == {"half_life_days": 0.01}
    unset = tune(data, CONFIG, models={"popularity": {"half_life_days": None}}, budget="3s", clock=Ticks())
    assert json.loads(unset.trials["settings"][0]) == {"half_life_days": None}


def test_a_model_that_only_rates_is_measured_once():
    found = tune(fashion(), CONFIG, models={"popularity": {}, "rating_baseline": {}}, budget="30s", clock=Ticks())
    assert found.trials.filter(model="rating_baseline").height == 1


def test_a_search_that_has_tried_everything_ends(monkeypatch):
    monkeypatch.setattr("zhiyin.registry.search.MOST_TRIALS", 4)
    found = tune(fashion(), CONFIG, models=POPULARITY, budget="1000s", clock=Ticks())
    assert found.trials.height == 4


def test_earlier_trials_count_only_for_the_same_fixed_settings():
    search = Search("ease", MODELS["EASE"](memory_gb=2.0), seed=0)
    same = Trial("ease", "EASE", {"l2": 5.0, "half_life_days": 9.0}, {"memory_gb": 2.0}, (0.1,), "complete", 1.0)
    assert search.takes(same)
    assert not search.takes(replace(same, fixed={"memory_gb": 4.0}))
    assert not search.takes(replace(same, model="other"))
    assert not search.takes(replace(same, type="ItemKNN"))


def test_the_log_of_nothing_is_an_empty_table():
    assert TrialLog().frame().height == 0


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"optuna is not installed: run pip install 'zhiyin\[tune\]'"):
        Sampler()


def test_data_without_room_for_a_validation_window_are_refused():
    few = dataset([("a", "x", 0.0), ("b", "x", 0.5), ("a", "y", 5.0), ("b", "y", 5.5)])
    with pytest.raises(DataError, match="there is no validation window to tune on: "):
        tune(few, replace(CONFIG, split=SplitSettings(test="3d")), budget="1s", clock=Ticks())


def test_a_budget_must_be_a_duration():
    with pytest.raises(ConfigError, match="'soon' is not a duration"):
        tune(fashion(), CONFIG, budget="soon")
