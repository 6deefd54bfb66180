"""The scenarios that hold now, in one pointer: read from zhiyin.toml, followed while it changes, and written there."""

import asyncio
import hashlib
import json
import logging
import os
import stat
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhiyin.errors import ArtifactError, ConfigError, RegistryBusyError, RequestError
from zhiyin.ranking.scenario import Scenario
from zhiyin.registry.config import parsed
from zhiyin.registry.durable import replace_bytes
from zhiyin.registry.lock import in_turn
from zhiyin.registry.release import Release
from zhiyin.registry.rewrite_scenario import SECTION, with_scenario
from zhiyin.serving.live import Live
from zhiyin.serving.rule_history import Change, RuleHistory, Table

SECONDS = 1.0
"""From one look at the file to the next."""
WAIT_SECONDS = 5.0
"""For others that write; each takes milliseconds."""
NO_FILE = "this service was started without a zhiyin.toml: start it with `zhiyin serve`"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Draft:
    """What somebody wants a scenario to be."""

    name: str
    table: Table | None
    """As zhiyin.toml writes it; None takes it out."""
    known: str
    """The `mark` of what stood there when the person began."""


class Rulebook:
    """Read `rulebook.scenarios` once per request; what is saved meanwhile holds for the next."""

    def __init__(self, scenarios: Mapping[str, Scenario], path: Path | None = None) -> None:
        self.scenarios = scenarios
        self.problem = ""
        """Why what the file says does not hold; empty if it does."""
        self.path = path
        self.history = None if path is None else RuleHistory(path)
        self._stamp: tuple[int, int, int] | None = None
        self._tried: Release | None = None  # with which the file was taken or refused; another may fit it
        self._turn = threading.Lock()  # what was read before a change must not be taken after it

    def fit(self, release: Release) -> None:
        """Refuse a release that one of the scenarios cannot be answered with; raises ConfigError."""
        fit_all(self.scenarios, release)

    def look(self, release: Release) -> None:
        """Take what the file says, if it was changed since the last look and fits the release; reads the file."""
        if self.path is not None:
            with self._turn:
                self._look(self.path, release)

    def _look(self, path: Path, release: Release) -> None:
        try:
            stamp = _stamp(path)
            if stamp == self._stamp and (not self.problem or release is self._tried):
                return
            self._stamp, self._tried = stamp, release
            self.scenarios = _fitting(_read(path), path.name, release)
            self.problem = ""
            log.info("the scenarios of %s hold", path.name)
        except (OSError, ConfigError) as error:
            problem = f"the scenarios of {path.name} cannot be taken, those of before go on: {error}"
            if problem != self.problem:
                log.error(problem)
            self.problem = problem

    def tables(self) -> dict[str, dict[str, Any]]:
        """The scenarios as they are written in the file.

        Raises
        ------
        ConfigError
            If it cannot be read now.
        """
        return {} if self.path is None else _tables(_read(self.path), self.path.name)

    def save(self, draft: Draft, actor: str, now: int, release: Release) -> None:
        """Write a scenario, if the whole of the file is sound with it and fits the release; it holds from then on.

        Raises
        ------
        RequestError
            409 without a file, or if another change came first; 503 if the file cannot be written.
        ConfigError
            With the key, for what cannot be.
        """
        if self.path is None or self.history is None:
            raise RequestError(409, NO_FILE)
        try:
            with self._turn, in_turn(self.path.parent, f".{self.path.name}.lock", WAIT_SECONDS):
                self._save(self.path, self.history, draft, actor, now, release)
        except OSError as error:
            raise RequestError(
                503, f"{self.path.name} cannot be written ({error.strerror}): nothing was changed"
            ) from error
        except (ArtifactError, RegistryBusyError) as error:
            raise RequestError(503, f"{self.path.name} cannot be written, {error}") from error

    def _save(self, path: Path, history: RuleHistory, draft: Draft, actor: str, now: int, release: Release) -> None:
        text = _read(path)
        before = _tables(text, path.name).get(draft.name)
        if mark(before) != draft.known:
            raise RequestError(409, f"{draft.name} was changed meanwhile: open it again, and repeat your change there")
        written = with_scenario(text, draft.name, draft.table, path.name)
        scenarios = _fitting(written, path.name, release)
        after = _tables(written, path.name).get(draft.name)
        changes = history.changes()
        history.write([Change(now, actor, draft.name, before, after), *changes])  # first, so that all can be undone
        try:
            replace_bytes(path.resolve(), written.encode(), mode=stat.S_IMODE(path.stat().st_mode))
        except OSError:
            history.write(changes)
            raise
        self.scenarios, self.problem, self._stamp = scenarios, "", _stamp(path)


def fit_all(scenarios: Mapping[str, Scenario], release: Release) -> None:
    """Refuse a release that one of the scenarios cannot be answered with.

    Raises
    ------
    ConfigError
        With the key of zhiyin.toml.
    """
    for name, scenario in scenarios.items():
        scenario.fit(f"scenarios.{name}", release.pipeline)


async def follow(rulebook: Rulebook, live: Live) -> None:
    """Look at the file until cancelled."""
    while rulebook.path is not None:
        await asyncio.to_thread(rulebook.look, live.served.release)
        await asyncio.sleep(SECONDS)


def mark(table: Table | None) -> str:
    """What tells two forms of a scenario apart."""
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:16]


def _fitting(text: str, name: str, release: Release) -> dict[str, Scenario]:
    scenarios = parsed(text, name).scenarios
    fit_all(scenarios, release)
    return scenarios


def _tables(text: str, name: str) -> dict[str, dict[str, Any]]:
    try:
        found: Any = tomllib.loads(text).get(SECTION, {})
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is not valid TOML: {error}") from None
    return {key: dict(table) for key, table in found.items() if isinstance(table, Mapping)}


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): it must be a text file in UTF-8") from None


def _stamp(path: Path) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_ino, found.st_mtime_ns, found.st_size
