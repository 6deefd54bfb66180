"""API keys: shown once, kept hashed, with a role, an end and a limit, revoked by name.

A key is `zk_` and 32 random bytes. The file keeps its first letters, which find it and are no secret, and an Argon2
hash of the whole. Argon2 is slow on purpose, so a key that was right once is remembered by its SHA-256 as long as its
row stays, and one that was refused lately is remembered, too. A key that is unknown, wrong, expired or revoked costs
the same: one hash when it comes first, none after.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from zhiyin.errors import ArtifactError, ConfigError, UnknownIdError
from zhiyin.fields import unknown
from zhiyin.registry.durable import replace_bytes
from zhiyin.registry.lock import exclusive
from zhiyin.registry.rate import Rate
from zhiyin.serving.caller import COMMAND_LINE, HERE, Role
from zhiyin.serving.clock import Clock
from zhiyin.serving.key import Key
from zhiyin.serving.last_used import LastUsed

FORMAT, OLD_FORMAT = 2, 1
WRITTEN = re.compile(r"zk_[A-Za-z0-9_-]{43}")
PREFIX = len("zk_") + 8  # 48 bits to tell keys apart; 208 stay secret
MOST_KEYS = 1_000
MOST_SCENARIOS = 100
MOST_REFUSED = 10_000
"""Refused keys that are remembered, 32 bytes each."""
LONGEST_NAME = 100
LARGEST_FILE = 2**22  # bytes
DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, ConfigError)
"""What reading a file that somebody changed can raise."""
# 19 MiB and two passes, the least that OWASP asks for passwords; a key of 256 random bits would be safe with less.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$pJUEmsVoYKQpXq76WfW9Lg$ygeTo7xNQRFJcwjvn+xp8J/T7mbWmAkI89GhRkMgAD0"
"""The hash of a key that was thrown away: what the key of nobody is compared with, at the price of any other."""


class Recalled(NamedTuple):
    """What is remembered of a key."""

    is_known: bool
    key: Key | None = None


@dataclass(frozen=True)
class _Known:
    """The file as it was read last, and what its keys were found to be since."""

    stamp: tuple[int, int, int] = (0, 0, 0)
    keys: dict[str, Key] = field(default_factory=dict)  # by prefix
    digests: dict[str, bytes] = field(default_factory=dict, repr=False)  # by prefix, of what was right
    refused: dict[bytes, None] = field(default_factory=dict, repr=False)  # digests, oldest first


class Keys:
    """The keys in one JSON file; without the file there are none."""

    def __init__(self, path: Path | str, clock: Callable[[], int] | None = None) -> None:
        self._path = Path(path)
        self._place = str(self._path)  # os.stat of a text takes a third of the time of a Path's
        self._clock = clock or Clock()
        self.used = LastUsed(self._path)
        self._known = _Known()
        self._reading = threading.Lock()

    def create(
        self,
        name: str,
        *,
        role: Role = Role.WRITER,
        scenarios: Sequence[str] = (),
        expires: int | None = None,
        rate: str | None = None,
    ) -> str:
        """A new key for a caller: the only time that it is shown.

        Raises
        ------
        ConfigError
            If a name is empty, long, not printable or taken, the end is past, or there are 1,000 valid keys already.
        """
        _check_name(name, "the name of a key")
        if name == HERE or name.startswith(COMMAND_LINE):
            raise ConfigError(f"the name {name!r} would pass for somebody else in the audit: take another")
        for scenario in scenarios:
            _check_name(scenario, "a scenario")
        if len(scenarios) > MOST_SCENARIOS:
            raise ConfigError(f"a key is for at most {MOST_SCENARIOS} scenarios, or for all")
        if rate is not None:
            Rate.read(rate, "the rate of a key")
        now = self._clock()
        if expires is not None and expires <= now:
            raise ConfigError("the key would have expired already: give a later moment")
        text = "zk_" + secrets.token_urlsafe(32)
        made = Key(name, text[:PREFIX], HASHER.hash(text), role, tuple(scenarios), rate, now, expires)
        with self._changing():
            keys = self._read()
            if any(key.name == name and key.revoked is None for key in keys):
                raise ConfigError(f"a key with the name {name!r} exists: revoke it first, or take another name")
            self._write([*self._with_room(keys), made])
        return text

    def recalled(self, text: str) -> Recalled:
        """What `verify` says of a key, if it can say so without hashing."""
        if not WRITTEN.fullmatch(text):
            return Recalled(True)  # what a key looks like is no secret
        known, digest = self._current(), _digest(text)
        if hmac.compare_digest(known.digests.get(text[:PREFIX], b""), digest):
            return Recalled(True, self._valid(known.keys[text[:PREFIX]]))
        return Recalled(digest in known.refused)

    def verify(self, text: str) -> Key | None:
        """The key that this is; None for anything else, and for one that has expired or was revoked."""
        found = self.recalled(text)
        if found.is_known:
            return found.key
        known, prefix = self._current(), text[:PREFIX]
        key = known.keys.get(prefix)
        try:
            HASHER.verify(NOBODY if key is None else key.hash, text)
        except (VerificationError, InvalidHashError):
            key = None
        if key is None:
            self._refuse(known, _digest(text))
            return None
        known.digests[prefix] = _digest(text)
        return self._valid(key)

    def found(self, prefix: str) -> Key | None:
        """The valid key that begins with these letters: for somebody who has shown the whole of it before."""
        key = self._current().keys.get(prefix)
        return None if key is None else self._valid(key)

    def _valid(self, key: Key) -> Key | None:
        now = self._clock()
        if key.state(now) != "valid":
            return None
        self.used.note(key, now)
        return key

    def tend(self) -> None:
        """Write down when keys were used, if there is news."""
        self.used.write(list(self._current().keys.values()))

    def revoke(self, name: str) -> None:
        """Refuse a caller's key from now on, in every process that uses the file.

        Raises
        ------
        UnknownIdError
            If no valid key has this name.
        """
        self._change(name, lambda key: replace(key, revoked=self._clock()))

    def expire(self, name: str, when: int | None) -> None:
        """Let a caller's key end at a moment (µs UTC), or never.

        Raises
        ------
        UnknownIdError
            If no key that was not revoked has this name.
        """
        self._change(name, lambda key: replace(key, expires=when))

    def all(self) -> list[Key]:
        """Every key, the revoked ones too, in the order of their creation."""
        return self._read()

    def names(self) -> list[str]:
        """Whose keys are valid, in the order of their creation."""
        now = self._clock()
        return [key.name for key in self._read() if key.state(now) == "valid"]

    def _change(self, name: str, changed: Callable[[Key], Key]) -> None:
        with self._changing():
            keys = self._read()
            there = [key.name for key in keys if key.revoked is None]
            if name not in there:
                raise UnknownIdError(unknown(f"the key {name[:LONGEST_NAME]!r}", name, there))
            self._write([changed(key) if key.name == name and key.revoked is None else key for key in keys])

    def _with_room(self, keys: list[Key]) -> list[Key]:
        """Room for one more: of the revoked, the oldest go."""
        valid = sum(key.revoked is None for key in keys)
        if valid >= MOST_KEYS:
            raise ConfigError(f"{self._path} holds {MOST_KEYS:,} keys: revoke those that nobody uses")
        surplus = len(keys) + 1 - MOST_KEYS
        oldest = sorted((key for key in keys if key.revoked is not None), key=lambda key: key.revoked or 0)
        gone = {key.prefix for key in oldest[: max(surplus, 0)]}
        return [key for key in keys if key.prefix not in gone]

    def _refuse(self, known: _Known, digest: bytes) -> None:
        with self._reading:
            while len(known.refused) >= MOST_REFUSED:
                del known.refused[next(iter(known.refused))]
            known.refused[digest] = None

    def _current(self) -> _Known:
        """What the file says now; it is read again only if it was replaced."""
        with self._reading:
            try:
                found = os.stat(self._place)
                stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            except FileNotFoundError:
                stamp = (0, 0, 0)
            except OSError as error:
                raise ArtifactError(f"{self._path} cannot be read ({error.strerror}): check its permissions") from error
            if stamp != self._known.stamp:
                keys = {key.prefix: key for key in self._read()}
                before = self._known
                same = {  # a key that did not change need not be hashed again because another did
                    prefix: digest
                    for prefix, digest in before.digests.items()
                    if prefix in keys and prefix in before.keys and keys[prefix].hash == before.keys[prefix].hash
                }
                self._known = _Known(stamp, keys, same)
            return self._known

    def _changing(self) -> AbstractContextManager[None]:
        return exclusive(self._path.parent, f".{self._path.name}.lock")

    def _read(self) -> list[Key]:
        try:
            with self._path.open("rb") as file:
                table = json.loads(file.read(LARGEST_FILE))
            if table["format"] not in (OLD_FORMAT, FORMAT):
                raise ArtifactError(
                    f"{self._path} has the format {table['format']!r}: install the zhiyin that wrote it"
                )
            return [Key.read(row) for row in table["keys"]]
        except FileNotFoundError:
            return []
        except DAMAGED as error:
            raise ArtifactError(
                f"{self._path} holds no API keys: restore it, or move it away and create new keys"
            ) from error

    def _write(self, keys: list[Key]) -> None:
        text = json.dumps({"format": FORMAT, "keys": [key.row() for key in keys]}, ensure_ascii=False, indent=1)
        content = text.encode()
        if len(content) > LARGEST_FILE:
            raise ConfigError(f"{self._path} would be longer than {LARGEST_FILE:,} bytes: name fewer scenarios")
        try:
            replace_bytes(self._path, content, mode=0o600)
        except OSError as error:
            raise ArtifactError(f"{self._path} cannot be written ({error.strerror}): the keys are unchanged") from error


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()


def _check_name(name: str, what: str) -> None:
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise ConfigError(f"{what} must be 1 to {LONGEST_NAME} printable characters, got {name[:120]!r}")
