"""Who was refused, counted by address and minute, so that a flood fills neither the memory nor the disk."""

import logging
import threading

from zhiyin.errors import ArtifactError
from zhiyin.serving.addresses import customer
from zhiyin.serving.audit import Audit
from zhiyin.serving.caller import Caller, Role

MOST_LINES = 100
"""Lines that refusals take each minute, of each worker: 30 MB a day at the very most. The others are one line."""
ELSEWHERE = "elsewhere"

log = logging.getLogger(__name__)


class Refusals:
    """Counts of 401, 403 and 429 since they were written last."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._counts: dict[tuple[str, str, int], int] = {}  # key name, address, status
        self._counting = threading.Lock()

    def note(self, status: int, name: str, address: str) -> None:
        """One more."""
        with self._counting:
            key = (name, customer(address), status)
            if key not in self._counts and len(self._counts) >= MOST_LINES:
                key = ("", ELSEWHERE, status)
            self._counts[key] = self._counts.get(key, 0) + 1

    def write(self) -> None:
        """All that came since the last time, a line for each address; to be called once a minute."""
        with self._counting:
            counts, self._counts = self._counts, {}
        entries = [
            self._audit.entry("refused", str(status), Caller(name, Role.READER, address=address), f"{count:,} times")
            for (name, address, status), count in counts.items()
        ]
        try:
            self._audit.write(entries, durable=False)
        except ArtifactError as error:
            log.error("%d lines on refused requests are lost: %s", len(entries), error)
