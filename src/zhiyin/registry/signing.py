"""A key of this shop: it signs receipts, and turns ids into digests that nobody else can make.

Ed25519 (RFC 8032) signs; a key derived from it by HKDF (RFC 5869) makes the digests, HMAC-SHA256.
"""

import base64
import hmac
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from zhiyin.errors import ArtifactError
from zhiyin.registry.durable import replace_bytes, sync

KEY_BYTES = 32
DIGESTS = b"zhiyin: digests of ids"


@dataclass(frozen=True)
class Signer:
    """The key of a file; never shown."""

    key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, path: Path) -> Self:
        """The key of a file, which is made where there is none, readable by its owner alone.

        Raises
        ------
        ArtifactError
            If the file holds no key, or cannot be read or made.
        """
        try:
            if not path.exists():
                _made(path)
            return cls(Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes(), validate=False)))
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read or made ({error.strerror}): see to its permissions") from None
        except ValueError:
            raise ArtifactError(f"{path} holds no signing key: restore it from a backup") from None

    @classmethod
    def fresh(cls) -> Self:
        """A key that is kept nowhere."""
        return cls(Ed25519PrivateKey.generate())

    @property
    def public_key(self) -> str:
        """What anybody can check a signature with, in base64."""
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def signed(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The content with its signature and the public key beside it."""
        signature = base64.b64encode(self.key.sign(_canonical(content))).decode()
        return {"content": dict(content), "signature": signature, "public_key": self.public_key}

    def digest(self, id_: str) -> str:
        """64 hexadecimal characters that stand for an id: the same each time, and no way back without the key."""
        return hmac.digest(self._derived, id_.encode(), "sha256").hex()

    def derived(self, info: bytes) -> bytes:
        """32 secret bytes for one purpose, which tell nothing of those for another."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self.key.private_bytes_raw())

    @cached_property
    def _derived(self) -> bytes:
        return self.derived(DIGESTS)


def is_genuine(signed: Mapping[str, Any], public_key: str) -> bool:
    """Whether the holder of a public key has signed exactly this content."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signed["signature"], validate=True), _canonical(signed["content"]))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False
    return True


def _made(path: Path) -> None:
    """Give the file a key, unless another process is first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    secret = Ed25519PrivateKey.generate().private_bytes_raw()
    replace_bytes(fresh, base64.b64encode(secret) + b"\n", mode=0o600)
    with suppress(FileExistsError):
        os.link(fresh, path)  # whole or not at all, and never over another
    fresh.unlink()
    sync(path.parent)


def _canonical(content: Mapping[str, Any]) -> bytes:
    """One text for one content, whatever the order of its keys."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
