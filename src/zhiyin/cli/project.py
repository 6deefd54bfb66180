"""A shop's folder as a verb sees it: its zhiyin.toml, and what lies beside it."""

import os
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from zhiyin.cli.asking import Asker
from zhiyin.cli.progress import bars
from zhiyin.data.privacy import PrivacySettings, key_from, pseudonym
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.forgotten import Digests
from zhiyin.errors import ArtifactError
from zhiyin.registry.config import Config, read_config
from zhiyin.registry.prepare import Prepared, prepare
from zhiyin.registry.release import Release
from zhiyin.registry.signing import Signer
from zhiyin.registry.store import Store


def now() -> int:
    """µs UTC."""
    return time.time_ns() // 1_000


@dataclass(frozen=True)
class Project:
    """A zhiyin.toml; its paths are relative to the folder that it lies in."""

    path: Path
    config: Config

    @classmethod
    def read(cls, path: Path) -> Self:
        """The project of a zhiyin.toml.

        Raises
        ------
        ConfigError
            If it is missing or says something that is not allowed.
        """
        return cls(path, read_config(path))

    @property
    def root(self) -> Path:
        """The folder of zhiyin.toml."""
        return self.path.parent

    @cached_property
    def store(self) -> Store:
        """The releases."""
        return Store(self.root / self.config.registry.directory)

    @property
    def events(self) -> StoreAddress:
        """Where the service keeps what happens."""
        return StoreAddress.of(self.config.serve.store, self.root)

    def prepared(self) -> Prepared:
        """The data read and cleaned, with bars."""
        with bars() as progress:
            return prepare(self.config, self.root, now=now(), environment=os.environ, progress=progress)

    def release(self, number: int | None = None) -> Release:
        """A release, every byte of it checked: the serving one, or the one asked for.

        Raises
        ------
        ArtifactError
            If nothing serves, there is no such release, or it is damaged.
        """
        number = self.store.serving() if number is None else number
        if number is None:
            raise ArtifactError(f"no release serves in {self.store.root}: run `zhiyin train` first")
        return Release.read(self.store.verified(number), number)

    def asker(self, number: int | None = None) -> Asker:
        """A release with the events that the service has stored since."""
        return Asker(self.release(number), self.events, self.digests)

    def digests(self) -> Digests:
        """From the id of a person to what stands for it among those who were erased."""
        return Signer.of(self.root / self.config.privacy.signing_key).digest

    def known_as(self, release: Release, user_id: str) -> str:
        """The name that a release has for a person: a pseudonym where it was trained on these.

        Raises
        ------
        ConfigError
            If the key of the pseudonyms is not in the environment.
        """
        if not release.details.get("pseudonymised"):
            return user_id
        name = str(release.details.get("key_env") or self.config.privacy.key_env)
        key = key_from(os.environ, PrivacySettings(pseudonymise=True, key_env=name))
        return user_id if key is None else pseudonym(user_id, key)
