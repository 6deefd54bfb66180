"""Who serves, and who served before: every promotion and rollback, in order."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from zhiyin.errors import ArtifactError
from zhiyin.registry.durable import replace_bytes

FORMAT = 1
FILE = "serving.json"


@dataclass(frozen=True)
class Change:
    """A release began to serve, by promotion or by rollback."""

    action: str
    number: int
    when: int  # µs UTC
    why: str = ""


@dataclass(frozen=True)
class ServingLog:
    """The history of a registry; what serves now follows from it."""

    changes: tuple[Change, ...] = ()

    @classmethod
    def read(cls, root: Path) -> Self:
        """The log of a registry; empty if nothing was ever promoted.

        Raises
        ------
        ArtifactError
            If the file cannot be understood.
        """
        path = root / FILE
        if not path.exists():
            return cls()
        try:
            table = json.loads(path.read_bytes())
            if table["format"] != FORMAT:
                raise ArtifactError(f"{path} has the format {table['format']!r}: install the zhiyin that wrote it")
            return cls(tuple(_change(**row) for row in table["changes"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ArtifactError(
                f"{path} cannot be read: move it away and run `zhiyin promote` with the number that shall serve"
            ) from error

    def write(self, root: Path) -> None:
        """Replace the log on disk in one step.

        Raises
        ------
        OSError
            If it cannot be written; the old one stays.
        """
        rows = [vars(change) for change in self.changes]
        text = json.dumps({"format": FORMAT, "changes": rows}, ensure_ascii=False, indent=1)
        replace_bytes(root / FILE, text.encode())

    @property
    def serving(self) -> int | None:
        """The release that serves; None if none ever did."""
        return self.changes[-1].number if self.changes else None

    @property
    def numbers(self) -> set[int]:
        """Every release that ever served."""
        return {change.number for change in self.changes}

    def previous(self, existing: Iterable[int]) -> int | None:
        """What a rollback goes back to: of what served before and still exists, the latest not rolled back since."""
        there = set(existing)
        served: list[int] = []
        for change in self.changes:
            if change.action == "promote":
                served.append(change.number)
            else:
                while served and served[-1] != change.number:
                    served.pop()
        return next((number for number in reversed(served[:-1]) if number in there and number != self.serving), None)

    def promoted(self, number: int, when: int, why: str) -> Self:
        """The log with a promotion behind it."""
        return type(self)((*self.changes, Change("promote", number, when, why)))

    def rolled_back(self, number: int, when: int) -> Self:
        """The log with a return to `number` behind it."""
        return type(self)((*self.changes, Change("rollback", number, when)))


def _change(action: str, number: int, when: int, why: str) -> Change:
    if action not in ("promote", "rollback") or type(number) is not int or type(when) is not int:
        raise ValueError(action)
    return Change(action, number, when, str(why))
