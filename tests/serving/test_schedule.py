"""Trainings of the service, each a real child process: what becomes of them is known, also after a restart."""

import json
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from zhiyin.errors import DataError
from zhiyin.registry.release import Release
from zhiyin.registry.retrain import FILE, MOST_RETRIES, State, read_state, write_state
from zhiyin.registry.retrain_requests import pending, request
from zhiyin.registry.retrain_settings import RetrainSettings
from zhiyin.registry.store import Store
from zhiyin.serving.schedule import RECORD, Schedule, after
from zhiyin.serving.training import RECORD_BYTES, Outcome, trained

PROMOTED = f"print({json.dumps(json.dumps({'release': 2, 'promote': True, 'sentence': 'promoted: better'}))})"
HOUR = 3_600_000_000


def command(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", f"import sys\n{code}"]


class Moment:
    """A clock that is set by hand."""

    def __init__(self, now: int = 10 * HOUR) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def scheduled(
    root: Path, code: str, clock: Callable[[], int], stored: Callable[[], int] = lambda: 0, **settings: object
) -> Schedule:
    known = RetrainSettings(**settings)  # type: ignore[arg-type]
    return Schedule(Store(root), known, command(code), stored=stored, clock=clock)


def test_nothing_is_trained_unless_there_is_a_reason(tmp_path: Path) -> None:
    schedule = scheduled(tmp_path, PROMOTED, Moment())
    assert schedule.once() is None
    request(tmp_path, "erasure", 1)
    assert schedule.once() == Outcome("promoted", "release 2: promoted: better")
    assert pending(tmp_path) is None
    assert schedule.once() is None
    state = read_state(tmp_path)
    assert (state.reason, state.runs, state.failures, state.running) == ("erasure", {"promoted": 1}, 0, False)


def test_by_the_clock_since_the_newest_release(tmp_path: Path, release: Release) -> None:
    registry = Store(tmp_path)
    registry.publish(release.write, {"created": 4 * HOUR})
    clock = Moment(9 * HOUR)
    schedule = scheduled(tmp_path, 'print(\'{"release": 3, "promote": false, "sentence": ""}\')', clock, every="6h")
    assert schedule.once() is None
    clock.now = 10 * HOUR
    assert schedule.once() == Outcome("kept", "release 3: ")
    assert schedule.once() is None
    again = scheduled(tmp_path, PROMOTED, clock, every="6h")  # after a restart
    assert again.once() is None
    clock.now = 16 * HOUR
    assert again.once() == Outcome("promoted", "release 2: promoted: better")
    assert read_state(tmp_path).runs == {"kept": 1, "promoted": 1}


def test_by_the_number_of_new_events(tmp_path: Path) -> None:
    count = [500]
    schedule = scheduled(tmp_path, PROMOTED, Moment(), lambda: count[0], events=100)
    assert schedule.once() is None
    count[0] = 599
    assert schedule.once() is None
    count[0] = 600
    assert schedule.once() is not None
    count[0] = 699
    assert schedule.once() is None


def test_a_failure_is_said_kept_and_tried_again_with_pauses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Moment()
    code = "print('more', file=sys.stderr); print('zhiyin: events.csv is gone', file=sys.stderr); sys.exit(2)"
    schedule = scheduled(tmp_path, code, clock)
    request(tmp_path, "asked", 1)
    with caplog.at_level(logging.INFO):
        assert schedule.once() == Outcome("failed", "events.csv is gone")
    assert [one.levelname for one in caplog.records] == ["INFO", "ERROR"]
    assert "events.csv is gone" in caplog.text
    assert (tmp_path / RECORD).read_text() == "more\nzhiyin: events.csv is gone\n"
    assert schedule.once() is None
    for _ in range(MOST_RETRIES):
        clock.now += HOUR
        assert pending(tmp_path) is not None
        assert schedule.once() is not None
    clock.now += HOUR
    assert schedule.once() is None
    assert pending(tmp_path) is None
    assert read_state(tmp_path).failures == MOST_RETRIES + 1


def test_what_lasts_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, time, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    outcome = trained(command(code), tmp_path / RECORD, timeout_seconds=1.5, stopping=threading.Event())
    assert outcome.name == "timeout"
    assert "retrain.timeout" in outcome.sentence
    status = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"


def test_a_training_ends_with_the_service_and_goes_on_with_the_next(tmp_path: Path) -> None:
    request(tmp_path, "asked", 1)
    schedule = scheduled(
        tmp_path, f"open({str(tmp_path / 'up')!r}, 'w').close(); import time; time.sleep(600)", Moment()
    )
    schedule.start()
    while not (tmp_path / "up").exists():
        threading.Event().wait(0.01)
    assert read_state(tmp_path).running
    schedule.stop()
    state = read_state(tmp_path)
    assert (state.running, state.interrupted, state.failures) == (False, True, 0)
    assert scheduled(tmp_path, PROMOTED, Moment()).once() is not None
    assert pending(tmp_path) is None


def test_a_schedule_that_was_never_started_can_be_stopped(tmp_path: Path) -> None:
    scheduled(tmp_path, PROMOTED, Moment()).stop()
    assert not list(tmp_path.iterdir())


def test_what_was_killed_with_its_service_is_tried_again_after_a_pause(tmp_path: Path) -> None:
    clock = Moment()
    write_state(tmp_path, State(began=clock.now - 5, running=True))
    schedule = scheduled(tmp_path, PROMOTED, clock)
    assert schedule.once() is None
    assert read_state(tmp_path).failures == 1
    clock.now += HOUR
    assert schedule.once() is not None
    assert read_state(tmp_path).failures == 0


def test_a_clock_that_was_ahead_does_not_stop_trainings_for_years(tmp_path: Path) -> None:
    clock = Moment()
    write_state(tmp_path, State(began=clock.now * 1_000, ended=clock.now * 1_000, failures=1))
    schedule = scheduled(tmp_path, PROMOTED, clock, every="6h")
    assert schedule.once() is None
    clock.now += 7 * HOUR
    assert schedule.once() is not None


def test_the_thread_goes_on_after_what_cannot_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text("{")
    schedule = scheduled(tmp_path, PROMOTED, Moment())
    schedule.start()
    waited = threading.Event()
    while "no training can be scheduled" not in caplog.text:
        waited.wait(0.01)
    request(tmp_path, "asked", 1)
    (tmp_path / FILE).unlink()
    while pending(tmp_path):
        waited.wait(0.01)
    schedule.stop()
    assert caplog.text.count("no training can be scheduled") == 1


def test_a_store_that_cannot_be_counted_is_a_sentence(tmp_path: Path) -> None:
    def broken() -> int:
        raise DataError("events.db cannot be read")

    with pytest.raises(DataError, match=r"events\.db"):
        scheduled(tmp_path, PROMOTED, Moment(), broken, events=1).once()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("print('nothing that is JSON')", "cannot be read"),
        ("sys.exit(3)", "status 3"),
        ("sys.stderr.write('x' * 5_000_000); sys.exit(1)", "x" * 500),
    ],
)
def test_a_training_that_says_nothing_of_use_has_failed(tmp_path: Path, code: str, sentence: str) -> None:
    outcome = trained(command(code), tmp_path / RECORD, timeout_seconds=60, stopping=threading.Event())
    assert outcome.name == "failed"
    assert sentence in outcome.sentence
    assert len(outcome.sentence) <= 500
    assert (tmp_path / RECORD).stat().st_size <= RECORD_BYTES


def test_what_cannot_be_started_has_failed(tmp_path: Path) -> None:
    outcome = trained([str(tmp_path / "no")], tmp_path / RECORD, timeout_seconds=60, stopping=threading.Event())
    assert outcome == Outcome("failed", "the training could not be started: No such file or directory")


def test_the_record_is_put_aside_when_it_is_long_and_never_a_failure(tmp_path: Path) -> None:
    record = tmp_path / RECORD
    for turn in range(4):
        code = f"sys.stderr.write('{turn}' * {RECORD_BYTES}); {PROMOTED}"
        assert trained(command(code), record, timeout_seconds=60, stopping=threading.Event()).name == "promoted"
    assert {path.name for path in tmp_path.iterdir()} == {RECORD, f"{RECORD}.1"}
    assert record.read_text() == "3" * RECORD_BYTES
    nowhere = tmp_path / "none" / RECORD
    assert trained(command(PROMOTED), nowhere, timeout_seconds=60, stopping=threading.Event()).name == "promoted"


def test_outcomes_are_counted() -> None:
    state = State(failures=2, requested="x")
    for name in ("stopped", "failed", "timeout"):
        state = after(state, Outcome(name, name), 5)  # type: ignore[arg-type]
    assert (state.failures, state.succeeded, state.requested, state.interrupted) == (4, 0, "x", False)
    state = after(state, Outcome("kept", "k"), 9)
    assert (state.failures, state.succeeded, state.requested) == (0, 9, "")
    assert state.runs == {"stopped": 1, "failed": 1, "timeout": 1, "kept": 1}
