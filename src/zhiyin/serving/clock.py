"""The one place that reads the time for answers and events."""

import time


class Clock:
    """µs UTC, each reading later than the one before: what was stored lies before the next answer."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> int:
        """Now."""
        self._last = max(time.time_ns() // 1_000, self._last + 1)
        return self._last
