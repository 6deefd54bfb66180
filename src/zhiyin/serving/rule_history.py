"""What was changed of the scenarios by whom: the newest changes, each with what stood there before and after."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from zhiyin.errors import ArtifactError
from zhiyin.registry.durable import replace_bytes

MOST_CHANGES = 200
"""That are kept; older ones go."""
LARGEST = 2**24  # bytes
SUFFIX = ".history"

Table: TypeAlias = Mapping[str, Any]
"""A scenario as zhiyin.toml writes it."""


class Change(Struct, frozen=True):
    """One of them."""

    time: int
    """µs UTC."""
    actor: str
    scenario: str
    before: dict[str, Any] | None
    """None: it was not written then."""
    after: dict[str, Any] | None

    @property
    def keys(self) -> list[str]:
        """Which keys differ, in the order of the names."""
        before, after = self.before or {}, self.after or {}
        return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


class RuleHistory:
    """One line of JSON for each change, in a file beside zhiyin.toml."""

    def __init__(self, config: Path) -> None:
        self._path = config.with_name(f"{config.name}{SUFFIX}")

    def changes(self) -> list[Change]:
        """Newest first; a line that cannot be read is left out.

        Raises
        ------
        ArtifactError
            If the file cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                lines = file.read(LARGEST).splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ArtifactError(f"{self._path} cannot be read ({error.strerror}): check its permissions") from error
        return [change for line in reversed(lines) if (change := _read(line))]

    def write(self, newest_first: list[Change]) -> None:
        """Keep these, as many as are kept.

        Raises
        ------
        OSError
            If they cannot be written; what was kept stays.
        """
        kept = newest_first[:MOST_CHANGES]
        content = b"".join(msgspec.json.encode(change) + b"\n" for change in reversed(kept))
        while len(content) > LARGEST:
            content = content[content.index(b"\n") + 1 :]
        replace_bytes(self._path, content, mode=0o600)


def _read(line: bytes) -> Change | None:
    try:
        return msgspec.json.decode(line, type=Change)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
