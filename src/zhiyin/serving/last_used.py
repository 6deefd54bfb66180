"""When each key was used last, to the hour, in a file beside the keys: not a write for each request."""

import contextlib
import json
import threading
from pathlib import Path

from zhiyin.errors import ArtifactError, RegistryBusyError
from zhiyin.registry.durable import replace_bytes
from zhiyin.registry.lock import exclusive
from zhiyin.serving.key import Key

HOUR = 3_600_000_000  # µs
LARGEST_FILE = 2**20  # bytes


class LastUsed:
    """Hours of use by the first letters of a key; no more of them than there are keys."""

    def __init__(self, keys: Path) -> None:
        self._path = keys.with_name(f"{keys.name}.used")
        self._noted: dict[str, int] = {}
        self._fresh: dict[str, int] = {}
        self._noting = threading.Lock()

    def note(self, key: Key, now: int) -> None:
        """A key was used."""
        hour = now - now % HOUR
        if self._noted.get(key.prefix, 0) < hour:
            with self._noting:
                self._noted[key.prefix] = self._fresh[key.prefix] = hour

    def write(self, known: list[Key]) -> None:
        """Add what is new to the file; another process that writes now, or a full disk, puts it off."""
        with self._noting:
            fresh, self._fresh = self._fresh, {}
        if not fresh:
            return
        try:
            with exclusive(self._path.parent, f".{self._path.name}.lock"):
                before, prefixes = self.read(), {key.prefix for key in known}
                hours = {
                    prefix: max(before.get(prefix, 0), fresh.get(prefix, 0))
                    for prefix in before.keys() | fresh.keys()
                    if prefix in prefixes
                }
                replace_bytes(self._path, json.dumps(hours, sort_keys=True).encode(), mode=0o600)
        except (OSError, ArtifactError, RegistryBusyError):
            with self._noting:
                self._fresh = {**fresh, **self._fresh}

    def read(self) -> dict[str, int]:
        """µs UTC by first letters; what cannot be read was never noted."""
        with contextlib.suppress(OSError, ValueError, AttributeError, RecursionError), self._path.open("rb") as file:
            table = json.loads(file.read(LARGEST_FILE))
            return {str(prefix): int(hour) for prefix, hour in table.items() if type(hour) is int}
        return {}
