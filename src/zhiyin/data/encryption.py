"""Values encrypted before they are stored, with keys that the store never sees.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits; the place of a value, such as "users.email of ann", is
authenticated with it, so that a value moved elsewhere no longer opens. A token is `enc:KEY:` and base64url of the
nonce, the ciphertext and the tag.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zhiyin.errors import ConfigError, DataError

KEY_BYTES, NONCE_BYTES = 32, 12
MOST_KEYS = 16
PREFIX = "enc:"
TOKEN = re.compile(r"enc:([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]+={0,2})")
NAMED = re.compile(r"([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)")


@dataclass(frozen=True)
class Keyring:
    """The first key encrypts; all of them decrypt, so that a new one can take over value by value."""

    ciphers: Mapping[str, AESGCM] = field(repr=False)
    variable: str = ""
    """Where the keys came from, for errors."""

    @classmethod
    def of(cls, environment: Mapping[str, str], variable: str) -> Self:
        """The keys of a variable: `NAME:KEY,OLDER:KEY`, each key 32 bytes in base64.

        Raises
        ------
        ConfigError
            If the variable is missing or malformed; the sentence never holds a part of a key.
        """
        written = environment.get(variable, "").strip()
        advice = f"export {variable}=k1:$(openssl rand -base64 32), and keep it: without it the values are lost"
        if not written:
            raise ConfigError(f"privacy.encrypt needs keys, and {variable} is not set: {advice}")
        ciphers: dict[str, AESGCM] = {}
        entries = [entry.strip() for entry in written.split(",")]
        for place, entry in enumerate(entries, 1):
            found = NAMED.fullmatch(entry)
            secret = _bytes(found.group(2)) if found else b""
            if not found or len(secret) != KEY_BYTES:
                raise ConfigError(f"entry {place} of {variable} is not NAME:KEY with 32 bytes in base64: {advice}")
            if found.group(1) in ciphers:
                raise ConfigError(f"{variable} names the key {found.group(1)} twice: give each its own name")
            ciphers[found.group(1)] = AESGCM(secret)
        if len(ciphers) > MOST_KEYS:
            raise ConfigError(
                f"{variable} holds {len(ciphers)} keys, at most {MOST_KEYS} are read: rotate, drop old ones"
            )
        return cls(ciphers, variable)

    @property
    def current(self) -> str:
        """The name of the key that encrypts."""
        return next(iter(self.ciphers))

    def encrypted(self, value: Any, place: str) -> str:
        """A plain JSON value as a token that opens only at this place."""
        nonce = os.urandom(NONCE_BYTES)
        content = nonce + self.ciphers[self.current].encrypt(nonce, msgspec.json.encode(value), place.encode())
        return f"{PREFIX}{self.current}:{base64.urlsafe_b64encode(content).decode()}"

    def decrypted(self, token: str, place: str) -> Any:
        """The value of a token.

        Raises
        ------
        DataError
            If its key is not in the ring, or it was changed or moved.
        """
        found = TOKEN.fullmatch(token)
        if not found:
            raise DataError(f"the value of {place} is not encrypted as it should be: store it again")
        name, content = found.group(1), _bytes(found.group(2))
        cipher = self.ciphers.get(name)
        if cipher is None:
            raise DataError(f"the value of {place} needs the key {name}, which {self.variable} does not hold: add it")
        try:
            return msgspec.json.decode(cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], place.encode()))
        except (InvalidTag, ValueError, msgspec.DecodeError):
            raise DataError(f"the value of {place} was changed or moved since it was encrypted: restore it") from None

    def is_current(self, token: str) -> bool:
        """Whether the key that encrypts now has made this token."""
        return token.startswith(f"{PREFIX}{self.current}:")


def is_token(value: object) -> bool:
    """Whether a value looks encrypted."""
    return isinstance(value, str) and TOKEN.fullmatch(value) is not None


def _bytes(text: str) -> bytes:
    """Base64 of either alphabet, with or without its padding; empty for anything else."""
    bare = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        return b""
