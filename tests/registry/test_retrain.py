"""When to train anew: decided by a pure function, asked for by a file that no training and no crash can lose."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from zhiyin.data.split import microseconds
from zhiyin.errors import ArtifactError, ConfigError
from zhiyin.registry.retrain import (
    FILE,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MOST_RETRIES,
    State,
    due,
    next_time,
    pause,
    read_state,
    write_state,
)
from zhiyin.registry.retrain_requests import TAKEN, WAITING, done, pending, request, take, waiting
from zhiyin.registry.retrain_settings import RetrainSettings

moments = st.integers(0, 4_000_000_000_000_000)
states = st.builds(
    State,
    began=moments,
    ended=moments,
    running=st.booleans(),
    interrupted=st.booleans(),
    failures=st.integers(0, 40),
    requested=st.sampled_from(["", "erasure"]),
)
settings = st.builds(
    RetrainSettings,
    every=st.sampled_from([None, "1m", "6h", "2w"]),
    events=st.sampled_from([None, 1, 100_000]),
)
counts = st.integers(0, 10**9)


@given(states, settings, moments, counts)
def test_never_two_at_once(state: State, known: RetrainSettings, now: int, new: int) -> None:
    running = replace(state, running=True)
    assert due(running, known, now, new) is None
    assert next_time(running, known, now) is None


@given(states, moments, counts)
def test_without_settings_only_what_was_begun_or_asked_for(state: State, now: int, new: int) -> None:
    quiet = replace(state, failures=0, interrupted=False, requested="")
    assert due(quiet, RetrainSettings(), now, new) is None
    assert next_time(quiet, RetrainSettings(), now) is None


@given(states, settings, moments, counts, st.integers(0, 10**15))
def test_what_is_due_stays_due(state: State, known: RetrainSettings, now: int, new: int, later: int) -> None:
    if due(state, known, now, new):
        assert due(state, known, now + later, new + later)


@given(states, settings, moments)
def test_the_next_time_is_when_the_clock_makes_it_due(state: State, known: RetrainSettings, now: int) -> None:
    following = next_time(state, known, now)
    assert (following == now) == (due(state, known, now, 0) is not None)
    if following is not None:
        assert due(state, known, following, 0)
        assert following == now or due(state, known, following - 1, 0) is None


@given(st.integers(1, MOST_RETRIES), settings, moments, counts)
def test_after_a_failure_nothing_begins_before_the_pause(
    failures: int, known: RetrainSettings, ended: int, new: int
) -> None:
    failed = State(began=0, ended=ended, failures=failures, requested="erasure", interrupted=True)
    assert due(failed, known, ended + pause(failures) - 1, new) is None
    assert due(failed, known, ended + pause(failures), new) == "the last training failed"


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause(n) for n in (1, 2, 3)] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pause(7) == pause(10_000) == LONGEST_PAUSE


def test_after_too_many_failures_the_next_reason_is_waited_for() -> None:
    tired = State(began=0, ended=10, failures=MOST_RETRIES + 1)
    hourly = RetrainSettings(every="1h")
    assert due(tired, hourly, microseconds("1h") - 1, 0) is None
    assert due(tired, hourly, microseconds("1h"), 0) == "1h since the last training"
    assert due(replace(tired, requested="asked"), RetrainSettings(), 10, 0) == "asked"


def test_so_many_new_events_are_a_reason() -> None:
    known = RetrainSettings(events=100)
    assert due(State(), known, 0, 99) is None
    assert due(State(), known, 0, 1_234) == "1,234 new events"


def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    assert read_state(tmp_path) == State()
    state = State(1, 2, 3, 4, running=True, runs={"kept": 2}, sentence="ü\n")
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"began": "x"}', b"\xff", b"[" * 100_000])
def test_a_damaged_state_is_a_sentence_and_a_damaged_request_still_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ArtifactError, match="remove it"):
        read_state(tmp_path)
    (tmp_path / WAITING).write_bytes(content)
    asked = pending(tmp_path)
    assert asked is not None
    assert "cannot be read" in asked.reason


def test_a_request_outlives_a_failure_and_ends_with_success(tmp_path: Path) -> None:
    root = tmp_path / "releases"
    assert pending(root) is None
    done(root)
    request(root, "first", 1)
    request(root, "erasure of a person", 2)
    assert pending(root) == waiting(root)
    assert (pending(root) or waiting(root)).reason == "erasure of a person"  # type: ignore[union-attr]
    take(root)
    assert waiting(root) is None
    assert pending(root) is not None  # the training may fail
    take(root)  # and be tried again
    done(root)
    assert pending(root) is None
    assert not {path.name for path in root.iterdir()} & {WAITING, TAKEN}


def test_what_is_asked_during_a_training_leads_to_another(tmp_path: Path) -> None:
    request(tmp_path, "one", 1)
    take(tmp_path)
    request(tmp_path, "two", 2)
    done(tmp_path)
    assert pending(tmp_path) == waiting(tmp_path) is not None


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"every": "soon"}, "retrain.every: 'soon' is not a duration"),
        ({"every": "30s"}, "retrain.every must be at least '1m'"),
        ({"timeout": ""}, "retrain.timeout"),
        ({"events": 0}, "retrain.events must be at least 1"),
    ],
)
def test_settings_that_are_not_allowed_are_sentences(table: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        RetrainSettings(**table)  # type: ignore[arg-type]
