"""API keys: shown once, kept hashed, revoked by name.

A key is `zk_` and 32 random bytes. The file keeps its first letters, which find it and are no secret, and an Argon2
hash of the whole. Argon2 is slow on purpose, so a key that was right once is remembered by its SHA-256 until the file
changes.
"""

import hashlib
import hmac
import json
import re
import secrets
import threading
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from zhiyin.errors import ArtifactError, ConfigError, UnknownIdError
from zhiyin.fields import unknown
from zhiyin.registry.durable import replace_bytes
from zhiyin.registry.lock import exclusive

FORMAT = 1
WRITTEN = re.compile(r"zk_[A-Za-z0-9_-]{43}")
PREFIX = len("zk_") + 8  # 48 bits to tell keys apart; 208 stay secret
MOST_KEYS = 1_000
LONGEST_NAME = 100
LARGEST_FILE = 2**20  # bytes
# 19 MiB and two passes, the least that OWASP asks for passwords; a key of 256 random bits would be safe with less.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@dataclass(frozen=True)
class Key:
    """One caller, as the file has it."""

    name: str
    prefix: str
    hash: str


@dataclass(frozen=True)
class _Known:
    """The file as it was read last, and which of its keys were right since."""

    stamp: tuple[int, int, int] = (0, 0, 0)
    keys: dict[str, Key] = field(default_factory=dict)  # by prefix
    digests: dict[str, bytes] = field(default_factory=dict)  # by prefix: no larger than the file


class Keys:
    """The keys in one JSON file; without the file there are none."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._known = _Known()
        self._reading = threading.Lock()

    def create(self, name: str) -> str:
        """A new key for a caller: the only time that it is shown.

        Raises
        ------
        ConfigError
            If the name is empty, long, not printable or taken, or there are 1,000 keys already.
        """
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
            raise ConfigError(f"the name of a key must be 1 to {LONGEST_NAME} printable characters, got {name[:120]!r}")
        text = "zk_" + secrets.token_urlsafe(32)
        with self._changing():
            keys = self._read()
            if name in {key.name for key in keys}:
                raise ConfigError(f"a key with the name {name!r} exists: revoke it first, or take another name")
            if len(keys) >= MOST_KEYS:
                raise ConfigError(f"{self._path} holds {MOST_KEYS:,} keys: revoke those that nobody uses")
            self._write([*keys, Key(name, text[:PREFIX], HASHER.hash(text))])
        return text

    def verify(self, text: str) -> str | None:
        """The name of the caller whose key this is; None for anything else."""
        if not WRITTEN.fullmatch(text):
            return None
        known, prefix = self._current(), text[:PREFIX]
        key = known.keys.get(prefix)
        if key is None:  # answered without hashing, so that guesses cost us nothing
            return None
        digest = hashlib.sha256(text.encode("ascii")).digest()
        if hmac.compare_digest(known.digests.get(prefix, b""), digest):
            return key.name
        try:
            HASHER.verify(key.hash, text)
        except (VerificationError, InvalidHashError):
            return None
        known.digests[prefix] = digest
        return key.name

    def revoke(self, name: str) -> None:
        """Refuse a caller's key from now on, in every process that uses the file.

        Raises
        ------
        UnknownIdError
            If there is no such name.
        """
        with self._changing():
            keys = self._read()
            if name not in {key.name for key in keys}:
                raise UnknownIdError(unknown(f"the key {name[:LONGEST_NAME]!r}", name, [key.name for key in keys]))
            self._write([key for key in keys if key.name != name])

    def names(self) -> list[str]:
        """Whose keys are valid, in the order of their creation."""
        return [key.name for key in self._read()]

    def _current(self) -> _Known:
        """What the file says now; it is read again only if it was replaced."""
        with self._reading:
            try:
                found = self._path.stat()
                stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            except FileNotFoundError:
                stamp = (0, 0, 0)
            if stamp != self._known.stamp:
                self._known = _Known(stamp, {key.prefix: key for key in self._read()})
            return self._known

    def _changing(self) -> AbstractContextManager[None]:
        return exclusive(self._path.parent, f".{self._path.name}.lock")

    def _read(self) -> list[Key]:
        try:
            with self._path.open("rb") as file:
                table = json.loads(file.read(LARGEST_FILE))
            if table["format"] != FORMAT:
                raise ArtifactError(
                    f"{self._path} has the format {table['format']!r}: install the zhiyin that wrote it"
                )
            return [Key(str(row["name"]), str(row["prefix"]), str(row["hash"])) for row in table["keys"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ArtifactError(
                f"{self._path} holds no API keys: restore it, or move it away and create new keys"
            ) from error

    def _write(self, keys: list[Key]) -> None:
        text = json.dumps({"format": FORMAT, "keys": [asdict(key) for key in keys]}, ensure_ascii=False, indent=1)
        try:
            replace_bytes(self._path, text.encode(), mode=0o600)
        except OSError as error:
            raise ArtifactError(f"{self._path} cannot be written ({error.strerror}): the keys are unchanged") from error
