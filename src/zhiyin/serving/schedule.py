"""Trains anew when it is due: a child process of low priority, one at a time, with the gate that guards promotion."""

import logging
import threading
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from zhiyin.data.split import microseconds
from zhiyin.errors import ZhiyinError
from zhiyin.registry import retrain_requests as requests
from zhiyin.registry.retrain import MOST_RETRIES, State, due, read_state, write_state
from zhiyin.registry.retrain_settings import RetrainSettings
from zhiyin.registry.store import Store
from zhiyin.serving.training import Outcome, trained

LOOK_SECONDS = 1.0
RECORD = "retrain.log"

log = logging.getLogger(__name__)


class Schedule:
    """A thread that looks every second whether a training is due, and has it done.

    Parameters
    ----------
    registry
        The releases; what is known of trainings lies beside them.
    settings
        When to train.
    command
        What trains, such as `zhiyin train --json`.
    stored
        How many events the store has taken in all: the difference is what is new.
    clock
        µs UTC.
    """

    def __init__(
        self,
        registry: Store,
        settings: RetrainSettings,
        command: Sequence[str],
        *,
        stored: Callable[[], int],
        clock: Callable[[], int],
    ) -> None:
        self._registry = registry
        self._root = registry.root
        self._settings = settings
        self._command = command
        self._stored = stored
        self._clock = clock
        self._stopping = threading.Event()
        self._problem = ""
        self._begun = False
        self._thread = threading.Thread(target=self._look, name="schedule", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End, and end the training that runs: it goes on where it was when the service starts again."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def once(self) -> Outcome | None:
        """Train if it is due, and say what came of it.

        Raises
        ------
        OSError
            If the registry cannot be written.
        ZhiyinError
            If what lies there, or the store, cannot be read.
        """
        if not self._begun:
            self._begin()
            self._begun = True
        state = read_state(self._root)
        asked = requests.pending(self._root)
        state = replace(state, requested=asked.reason if asked else "")
        new = self._stored() - state.events if self._settings.events else 0
        reason = due(state, self._settings, self._clock(), new)
        return self._train(state, reason) if reason else None

    def _look(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.once()
                self._problem = ""
            except (OSError, ZhiyinError) as error:
                if str(error) != self._problem:
                    log.error("no training can be scheduled: %s", error)
                self._problem = str(error)

    def _begin(self) -> None:
        """Make sense of what an earlier service has left."""
        state, now = read_state(self._root), self._clock()
        if state.running:  # what killed both would kill both again if it began at once: after a pause
            sentence = "it was killed with the service"
            state = replace(state, running=False, ended=now, failures=state.failures + 1, sentence=sentence)
        if not state.began:  # never by a service: the newest release says when it was by hand
            created = [one.created for one in self._registry.versions() if one.created]
            state = replace(state, began=max(created, default=now), events=self._stored())
        began, ended = min(state.began, now), min(state.ended, now)  # after a clock that was ahead
        write_state(self._root, replace(state, began=began, ended=ended))

    def _train(self, state: State, reason: str) -> Outcome:
        requests.take(self._root)
        now = self._clock()
        state = replace(
            state, began=now, running=True, interrupted=False, reason=reason, events=self._stored(), sentence=""
        )
        write_state(self._root, state)
        log.info("a training begins: %s", reason)
        outcome = trained(
            self._command,
            self._root / RECORD,
            timeout_seconds=microseconds(self._settings.timeout) / 1_000_000,
            stopping=self._stopping,
        )
        write_state(self._root, after(state, outcome, self._clock()))
        level = logging.INFO if outcome.name in ("promoted", "kept", "stopped") else logging.ERROR
        log.log(level, "a training has ended (%s): %s", outcome.name, outcome.sentence)
        succeeded = outcome.name in ("promoted", "kept")
        if succeeded or (outcome.name != "stopped" and state.failures >= MOST_RETRIES):
            requests.done(self._root)
        return outcome


def after(state: State, outcome: Outcome, now: int) -> State:
    """What is known when a training has ended."""
    succeeded, stopped = outcome.name in ("promoted", "kept"), outcome.name == "stopped"
    return replace(
        state,
        running=False,
        ended=now,
        succeeded=now if succeeded else state.succeeded,
        interrupted=stopped,
        failures=0 if succeeded else state.failures + (not stopped),
        requested="" if succeeded else state.requested,
        sentence=outcome.sentence,
        runs={**state.runs, outcome.name: state.runs.get(outcome.name, 0) + 1},
    )
