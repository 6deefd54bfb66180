"""A training that is killed goes on where it was, with the result that it would have had."""

import math
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zhiyin.errors import ArtifactError
from zhiyin.models.sasrec import SASRec
from zhiyin.models.watch import Point, watch, watched
from zhiyin.registry.checkpoints import Checkpoints
from zhiyin.testing import small_world

EPOCHS, KILLED_AFTER = 6, 3
SETTINGS = {"epochs": EPOCHS, "dimensions": 8, "window": 6, "batch_events": 64, "dropout": 0.3}
KILLED = f"""
import os, signal, sys
from pathlib import Path
from zhiyin.models.sasrec import SASRec
from zhiyin.models.watch import watched
from zhiyin.registry.checkpoints import Checkpoints
from zhiyin.testing import small_world

def tell(point):
    if point.epoch == {KILLED_AFTER + 1}:
        os.kill(os.getpid(), signal.SIGKILL)

with watched(tell, Checkpoints(Path(sys.argv[1]))):
    SASRec(**{SETTINGS}).fit(small_world())
"""


def learned(model: SASRec) -> dict[str, np.ndarray]:
    return {"items": model.item_vectors_, "curve": model.curve_, **model.weights_}


def assert_equal(one: SASRec, other: SASRec) -> None:
    for name, value in learned(one).items():
        np.testing.assert_array_equal(learned(other)[name], value, name)


@pytest.fixture(scope="module")
def uninterrupted() -> SASRec:
    return SASRec(**SETTINGS).fit(small_world())


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("killed") / "checkpoints"
    done = subprocess.run([sys.executable, "-c", KILLED, str(directory)], check=False)
    assert done.returncode == -signal.SIGKILL
    return directory


def test_killed_and_started_again_it_ends_bit_for_bit_as_if_nothing_had_been(killed: Path, uninterrupted: SASRec):
    points: list[Point] = []
    with watched(points.append, Checkpoints(killed)):
        resumed = SASRec(**SETTINGS).fit(small_world())
    assert [point.epoch for point in points] == list(range(KILLED_AFTER + 1, EPOCHS + 1))
    assert_equal(resumed, uninterrupted)
    with watched(points.append, Checkpoints(killed)):  # it has ended: only its result is read
        again = SASRec(**SETTINGS).fit(small_world())
    assert len(points) == EPOCHS - KILLED_AFTER
    assert_equal(again, uninterrupted)


@pytest.mark.parametrize("change", [{"learning_rate": 0.002}, {"seed": 1}, {"window": 5}])
def test_other_settings_begin_anew(killed: Path, change):
    points: list[Point] = []
    with watched(points.append, Checkpoints(killed)):
        SASRec(**SETTINGS | change).fit(small_world())
    assert [point.epoch for point in points] == list(range(1, EPOCHS + 1))


def test_other_data_begin_anew(killed: Path):
    points: list[Point] = []
    with watched(points.append, Checkpoints(killed)):
        SASRec(**SETTINGS).fit(small_world(seed=1))
    assert points[0].epoch == 1


def test_a_state_that_cannot_be_read_costs_the_work_and_not_the_result(tmp_path: Path, uninterrupted: SASRec):
    keeps = Checkpoints(tmp_path / "checkpoints")
    with watched(keeps=keeps):
        SASRec(**SETTINGS).fit(small_world())
        (kept,) = keeps.directory.iterdir()
        kept.write_bytes(kept.read_bytes()[:100])
        assert_equal(SASRec(**SETTINGS).fit(small_world()), uninterrupted)
    keeps.clear()
    assert not keeps.directory.exists()
    keeps.clear()


def test_a_full_disk_is_said_in_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with watched(keeps=Checkpoints(tmp_path / "file")), pytest.raises(ArtifactError, match="make space"):
        SASRec(**SETTINGS).fit(small_world())


def test_who_watches_is_told_each_epoch_and_inside_another_only_by_what_he_brings(uninterrupted: SASRec, tmp_path):
    outer: list[Point] = []
    keeps = Checkpoints(tmp_path)
    with watched(outer.append, keeps):
        with watched(lambda _: None):
            assert watch().keeps is keeps
        assert watch().tell == outer.append
        SASRec(**SETTINGS).fit(small_world())
    assert [(point.epoch, point.epochs) for point in outer] == [(epoch, EPOCHS) for epoch in range(1, EPOCHS + 1)]
    np.testing.assert_array_equal([point.loss for point in outer], uninterrupted.curve_[:, 0])
    assert all(math.isfinite(point.loss) for point in outer)
    assert watch().keeps is None
