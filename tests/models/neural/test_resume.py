"""A training that is killed goes on where it was, with the result that it would have had."""

import math
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zhiyin.errors import ArtifactError
from zhiyin.models.click_model import ClickModel
from zhiyin.models.deep_fm import DeepFM
from zhiyin.models.fm import FM
from zhiyin.models.next_item import NextItem
from zhiyin.models.sasrec import SASRec
from zhiyin.models.watch import Point, watch, watched
from zhiyin.registry.checkpoints import Checkpoints
from zhiyin.testing import small_world

EPOCHS, KILLED_AFTER = 6, 3
SEQUENCES = SASRec(epochs=EPOCHS, dimensions=8, window=6, batch_events=64, dropout=0.3)
CLICKS = DeepFM(
    epochs=EPOCHS, patience=EPOCHS, dimensions=4, window=6, batch_size=32, layers=(8,), dropout=0.3, learning_rate=0.1
)
KILLED = f"""
import os, signal, sys
from pathlib import Path
from zhiyin.models.deep_fm import DeepFM
from zhiyin.models.sasrec import SASRec
from zhiyin.models.watch import watched
from zhiyin.registry.checkpoints import Checkpoints
from zhiyin.testing import small_world

def tell(point):
    if point.epoch == {KILLED_AFTER + 1}:
        os.kill(os.getpid(), signal.SIGKILL)

with watched(tell, Checkpoints(Path(sys.argv[2]))):
    eval(sys.argv[1]).fit(small_world())
"""
Model = SASRec | DeepFM


def learned(model: NextItem | ClickModel) -> dict[str, np.ndarray]:
    items = {"items": model.item_vectors_} if isinstance(model, NextItem) else {}
    return {"curve": model.curve_, **items, **model.weights_}


def assert_equal(one: NextItem | ClickModel, other: NextItem | ClickModel) -> None:
    for name, value in learned(one).items():
        np.testing.assert_array_equal(learned(other)[name], value, name)


@pytest.fixture(scope="module", params=[SEQUENCES, CLICKS], ids=lambda model: type(model).__name__)
def uninterrupted(request) -> Model:
    return replace(request.param).fit(small_world())


@pytest.fixture(scope="module")
def killed(uninterrupted: Model, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("killed") / "checkpoints"
    done = subprocess.run([sys.executable, "-c", KILLED, repr(uninterrupted), str(directory)], check=False)
    assert done.returncode == -signal.SIGKILL
    return directory


def test_killed_and_started_again_it_ends_bit_for_bit_as_if_nothing_had_been(killed: Path, uninterrupted: Model):
    points: list[Point] = []
    with watched(points.append, Checkpoints(killed)):
        resumed = replace(uninterrupted).fit(small_world())
    assert [point.epoch for point in points] == list(range(KILLED_AFTER + 1, EPOCHS + 1))
    assert_equal(resumed, uninterrupted)
    with watched(points.append, Checkpoints(killed)):  # it has ended: only its result is read
        again = replace(uninterrupted).fit(small_world())
    assert len(points) == EPOCHS - KILLED_AFTER
    assert_equal(again, uninterrupted)


@pytest.mark.parametrize("change", [{"learning_rate": 0.002}, {"seed": 1}, {"window": 5}])
def test_other_settings_begin_anew(killed: Path, uninterrupted: Model, change):
    points: list[Point] = []
    with watched(points.append, Checkpoints(killed)):
        replace(uninterrupted, **change).fit(small_world())
    assert [point.epoch for point in points] == list(range(1, EPOCHS + 1))


def test_other_data_begin_anew(killed: Path, uninterrupted: Model):
    points: list[Point] = []
    with watched(points.append, Checkpoints(killed)):
        replace(uninterrupted).fit(small_world(seed=1))
    assert points[0].epoch == 1


def test_steps_that_were_shortened_before_the_kill_stay_short():
    curve = replace(CLICKS).fit(small_world()).curve_[:KILLED_AFTER, 1]
    assert (np.diff(curve) <= 0).any(), "or the networks above would not show it"


def test_a_state_that_cannot_be_read_costs_the_work_and_not_the_result(tmp_path: Path, uninterrupted: Model):
    keeps = Checkpoints(tmp_path / "checkpoints")
    with watched(keeps=keeps):
        replace(uninterrupted).fit(small_world())
        (kept,) = keeps.directory.iterdir()
        kept.write_bytes(kept.read_bytes()[:100])
        assert_equal(replace(uninterrupted).fit(small_world()), uninterrupted)
    keeps.clear()
    assert not keeps.directory.exists()
    keeps.clear()


def test_a_full_disk_is_said_in_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with watched(keeps=Checkpoints(tmp_path / "file")), pytest.raises(ArtifactError, match="make space"):
        replace(SEQUENCES).fit(small_world())


def test_who_watches_is_told_each_epoch_and_what_is_measured(uninterrupted: Model):
    told: list[Point] = []
    with watched(told.append):
        replace(uninterrupted).fit(small_world())
    assert [(point.epoch, point.epochs) for point in told] == [(epoch, EPOCHS) for epoch in range(1, EPOCHS + 1)]
    np.testing.assert_array_equal([(point.loss, point.metric) for point in told], uninterrupted.curve_)
    validated = isinstance(uninterrupted, DeepFM)  # too few people are in this world to hold some back
    assert {point.measure for point in told} == {"AUC" if validated else ""}
    assert all(math.isfinite(point.metric) == validated for point in told)


def test_who_watches_inside_another_is_told_instead_of_him_and_keeps_what_he_kept(tmp_path: Path):
    outer: list[Point] = []
    keeps = Checkpoints(tmp_path)
    with watched(outer.append, keeps):
        with watched(lambda _: None):
            FM(epochs=1).fit(small_world())
            assert watch().keeps is keeps
        assert watch().tell == outer.append
    assert not outer
    assert watch().keeps is None
