"""The releases of a shop in one directory: 0001, 0002, … immutable, and serving.json, which says who serves.

Everything becomes visible in one step. A release is written beside the others under a hidden name, flushed, verified
and then renamed; whatever goes wrong before that leaves nothing, and what a killed process left is swept by the next.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polars.exceptions import ComputeError

from zhiyin.errors import ArtifactError
from zhiyin.registry.durable import replace_bytes, sync, sync_tree
from zhiyin.registry.lock import exclusive
from zhiyin.registry.manifest import Manifest, verify, write_manifest
from zhiyin.registry.serving_log import ServingLog

NUMBERED = re.compile(r"[0-9]{4}|[1-9][0-9]{4,8}")
UNFINISHED = (".writing-", ".removed-")
LAST_NUMBER = ".last-number"
SERVING_LOCK = ".serving.lock"


@dataclass(frozen=True)
class Version:
    """One release as a list of them shows it."""

    number: int
    created: int | None  # µs UTC
    metrics: Mapping[str, Any]
    serving: bool
    previous: bool
    """What a rollback would go back to."""
    problem: str = ""
    """Why its manifest cannot be read; empty if it can."""


@dataclass(frozen=True)
class Store:
    """The registry: publish, promote, roll back."""

    root: Path

    def publish(self, write: Callable[[Path], None], details: Mapping[str, Any]) -> int:
        """Have a release written, and give it a number that no other ever had. It does not serve yet.

        Parameters
        ----------
        write
            Fills the directory that it is given.
        details
            Plain values for the manifest: created (µs UTC), data (a fingerprint), metrics, recipe.

        Raises
        ------
        RegistryBusyError
            If another process is training.
        ArtifactError
            If the disk is full or fails; nothing is left then.
        """
        try:
            with exclusive(self.root):
                self._sweep()
                return self._publish(write, details)
        except (OSError, ComputeError) as error:  # Polars reports a full disk as ComputeError
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise ArtifactError(
                f"the release could not be written to {self.root} ({reason}): nothing of it was kept, "
                "make sure there is space and permission, and train again"
            ) from error

    def versions(self) -> list[Version]:
        """All releases, oldest first; one whose manifest is damaged is listed with its problem."""
        log = self._log()
        serving, previous = log.serving, log.previous(self.numbers())
        found = []
        for number in self.numbers():
            problem, created, metrics = "", None, {}
            try:
                manifest = Manifest.read(self._directory(number))
                created, metrics = manifest.created, dict(manifest.metrics)
            except ArtifactError as error:
                problem = str(error)
            found.append(Version(number, created, metrics, number == serving, number == previous, problem))
        return found

    def numbers(self) -> list[int]:
        """The numbers of all releases, ascending."""
        if not self.root.is_dir():
            return []
        names = [path.name for path in self.root.iterdir()]
        return sorted(int(name) for name in names if NUMBERED.fullmatch(name))

    def path(self, number: int) -> Path:
        """Where a release lies.

        Raises
        ------
        ArtifactError
            If there is no such release.
        """
        path = self._directory(number)
        if path.is_symlink() or not path.is_dir():
            known = ", ".join(map(str, self.numbers()[-10:])) or "none, run `zhiyin train`"
            raise ArtifactError(f"release {number} is not in {self.root}, which holds {known}")
        return path

    def verified(self, number: int) -> Path:
        """Where a release lies, every byte of it checked.

        Raises
        ------
        ArtifactError
            If it is missing, changed, truncated, foreign, or a copy under another number.
        """
        path = self.path(number)
        sealed = verify(path).number
        if sealed != number:
            raise ArtifactError(f"{path} is a copy of release {sealed}: remove it, and promote {sealed} instead")
        return path

    def serving(self) -> int | None:
        """The release that answers; None before the first promotion."""
        return self._log().serving

    def promote(self, number: int, when: int, why: str = "") -> None:
        """Let a release serve from now on. Promoting the one that serves changes nothing.

        Parameters
        ----------
        when
            µs UTC, for the record.
        why
            For the record: the gate's sentence, or who asked.

        Raises
        ------
        ArtifactError
            If the release is missing or damaged: what served before still does.
        """
        self.verified(number)
        with self._changing():
            log = self._log()
            if log.serving != number:
                log.promoted(number, when, why).write(self.root)

    def rollback(self, when: int) -> int:
        """Let what served before serve again, and say which that is; twice goes back twice.

        Raises
        ------
        ArtifactError
            If nothing served before, or it is damaged: what serves still does.
        """
        with self._changing():
            log = self._log()
            number = log.previous(self.numbers())
            if number is None:
                raise ArtifactError(
                    f"nothing that served before is left in {self.root}: promote a release by its number"
                )
            self.verified(number)
            log.rolled_back(number, when).write(self.root)
            return number

    def prune(self, keep: int) -> list[int]:
        """Remove all but the newest `keep` releases, the serving one and the one before it; which were removed.

        Raises
        ------
        RegistryBusyError
            If another process is training or promoting.
        """
        with exclusive(self.root), self._changing():
            log, numbers = self._log(), self.numbers()
            kept = {log.serving, log.previous(numbers), *numbers[max(len(numbers) - keep, 0) :]}
            removed = [number for number in numbers if number not in kept]
            self._note_last(max([self._last_number(), *numbers], default=0))
            for number in removed:
                self._directory(number).rename(self.root / f"{UNFINISHED[1]}{number}")
            self._sweep()
            return removed

    def _publish(self, write: Callable[[Path], None], details: Mapping[str, Any]) -> int:
        number = max([self._last_number(), *self.numbers(), *self._log().numbers], default=0) + 1
        hidden, visible = self.root / f"{UNFINISHED[0]}{os.getpid()}", self._directory(number)
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, hidden, ignore_errors=True)
            undo.callback(shutil.rmtree, visible, ignore_errors=True)
            hidden.mkdir()
            write(hidden)
            write_manifest(hidden, number, details)
            sync_tree(hidden)
            verify(hidden)
            self._note_last(number)
            hidden.rename(visible)
            sync(self.root)
            undo.pop_all()
        return number

    def _sweep(self) -> None:
        for path in self.root.iterdir():
            if path.name.startswith(UNFINISHED):
                shutil.rmtree(path)

    def _directory(self, number: int) -> Path:
        return self.root / f"{number:04d}"

    def _last_number(self) -> int:
        path = self.root / LAST_NUMBER
        try:
            return int(path.read_text("ascii")) if path.exists() else 0
        except ValueError as error:
            raise ArtifactError(f"{path} does not hold a number: write the highest number ever used into it") from error

    def _note_last(self, number: int) -> None:
        replace_bytes(self.root / LAST_NUMBER, f"{number}\n".encode())

    def _log(self) -> ServingLog:
        return ServingLog.read(self.root)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Alone in deciding what serves; a training that runs meanwhile is not in the way."""
        try:
            with exclusive(self.root, SERVING_LOCK):
                yield
        except OSError as error:
            raise ArtifactError(
                f"{self.root} cannot be written ({error.strerror}): what serves is unchanged, make space and try again"
            ) from error
