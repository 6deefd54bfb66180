"""When to train anew: what happened last, and the one function that decides."""

from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from zhiyin.data.split import microseconds
from zhiyin.errors import ArtifactError
from zhiyin.registry.durable import replace_bytes
from zhiyin.registry.retrain_settings import RetrainSettings

FILE = "retrain.json"
LARGEST = 1_000_000
"""Bytes of the file that are looked at."""

MOST_RETRIES = 8
"""Failures in a row that are tried again; after them a training waits for its next reason."""

FIRST_PAUSE = 60_000_000  # µs
LONGEST_PAUSE = 3_600_000_000  # µs


Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class State(msgspec.Struct, frozen=True):
    """What is known of trainings by the service; times are µs UTC, 0 is never."""

    began: Count = 0
    ended: Count = 0
    succeeded: Count = 0
    events: Count = 0
    """How many were stored when the last training began."""
    running: bool = False
    interrupted: bool = False
    """The last training was ended with the service, and goes on with the next."""
    failures: Count = 0
    """In a row."""
    requested: str = ""
    """Why somebody wants a training that has not succeeded yet."""
    reason: str = ""
    """Why the last training began."""
    sentence: str = ""
    """What came of it."""
    runs: dict[str, Count] = {}
    """Outcome to how often: promoted, kept, failed, timeout, stopped."""


def read_state(root: Path) -> State:
    """The state that lies in a registry; an empty one before the first training.

    Raises
    ------
    ArtifactError
        If the file cannot be understood.
    """
    path = root / FILE
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=State)
    except FileNotFoundError:
        return State()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArtifactError(
            f"{path} cannot be read ({error}): remove it, which forgets when was trained last"
        ) from None


def write_state(root: Path, state: State) -> None:
    """Replace the state on disk in one step.

    Raises
    ------
    OSError
        If it cannot be written; the old one stays.
    """
    replace_bytes(root / FILE, msgspec.json.encode(state))


def due(state: State, settings: RetrainSettings, now: int, new_events: int) -> str | None:
    """Why to train at `now` (µs UTC), or None: one training at a time, failures first, then what was asked for."""
    if state.running:
        return None
    if 0 < state.failures <= MOST_RETRIES:
        return "the last training failed" if now >= state.ended + pause(state.failures) else None
    if state.interrupted:
        return "the last training was interrupted"
    if state.requested:
        return state.requested
    if settings.every is not None and now >= state.began + microseconds(settings.every):
        return f"{settings.every} since the last training"
    if settings.events is not None and new_events >= settings.events:
        return f"{new_events:,} new events"
    return None


def next_time(state: State, settings: RetrainSettings, now: int) -> int | None:
    """When the clock alone will start a training, µs UTC; None if nothing but a request or events can."""
    if state.running:
        return None
    if 0 < state.failures <= MOST_RETRIES:
        return max(now, state.ended + pause(state.failures))
    if state.interrupted or state.requested:
        return now
    return None if settings.every is None else max(now, state.began + microseconds(settings.every))


def pause(failures: int) -> int:
    """µs from a failure to the next attempt: a minute, then twice as long each time, at most an hour."""
    return min(FIRST_PAUSE << min(failures - 1, 20), LONGEST_PAUSE)
