"""Whether a balancer should send requests here."""

import time
from collections.abc import Callable

HOLD_SECONDS = 10.0
"""After a failed write the service is not ready for so long; then it is for as long, because only a write can show
that writing works again."""


class Readiness:
    """Not to end, and able to store what comes in."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failing_since: float | None = None
        self.ending = False
        self.training_problem = ""
        """Why the last training failed; empty if it did not, and looked up every few seconds."""

    def end(self) -> None:
        """The service was told to end; safe in a signal handler."""
        self.ending = True

    def reasons(self, store_problem: str) -> list[str]:
        """Why not to send requests, without what only an operator should read; empty if there is no reason."""
        found = ["the service is shutting down"] if self.ending else []
        if self._failing(store_problem):
            found.append("events cannot be written")
        return found

    def _failing(self, problem: str) -> bool:
        if not problem:
            self._failing_since = None
            return False
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        return int((now - self._failing_since) / HOLD_SECONDS) % 2 == 0
