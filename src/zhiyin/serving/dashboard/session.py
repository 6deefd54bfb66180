"""Who has signed in: a cookie that names the key, signed with a secret that all workers share.

It holds no key. Whether the key is still valid, and what its role is, is looked up at every request, so that what is
revoked is signed out at once.
"""

import base64
import binascii
import hmac
import os
from dataclasses import dataclass, field

import msgspec

COOKIE = "zhiyin_session"
HOURS = 12
LIFETIME = HOURS * 3_600_000_000  # µs
HERE = "here"
"""The nonce of somebody who needs no key, because the service is open to this machine."""
INFO = b"zhiyin: sessions of the dashboard"
"""What the secret is derived for."""
LONGEST = 500
"""Characters of a cookie that are looked at."""


class Session(msgspec.Struct, frozen=True):
    """What the cookie holds."""

    prefix: str
    """The first letters of the key, which find it and are no secret; empty without a key."""
    until: int
    """µs UTC."""
    nonce: str

    @classmethod
    def begun(cls, prefix: str, now: int) -> "Session":
        """A new one of somebody who has shown a key."""
        return cls(prefix, now + LIFETIME, os.urandom(12).hex())

    @classmethod
    def here(cls) -> "Session":
        """Of a caller on this machine where it needs no key; it has no cookie."""
        return cls("", 0, HERE)


@dataclass(frozen=True)
class Sessions:
    """Writes and reads cookies, and makes the token against forged requests."""

    secret: bytes = field(repr=False)

    def written(self, session: Session) -> str:
        """The cookie."""
        content = base64.urlsafe_b64encode(msgspec.json.encode(session)).decode()
        return f"{content}.{self._mac('cookie', content)}"

    def read(self, cookie: str, now: int) -> Session | None:
        """The session of a cookie; None for one that is not ours, or over."""
        content, _, mac = cookie[:LONGEST].partition(".")
        if not hmac.compare_digest(self._mac("cookie", content).encode(), mac.encode("utf-8", "replace")):
            return None
        try:
            session = msgspec.json.decode(base64.urlsafe_b64decode(content), type=Session)
        except (binascii.Error, msgspec.DecodeError, ValueError):
            return None
        return session if now < session.until else None

    def token(self, session: Session) -> str:
        """What a form of this session has to send along; another site cannot know it."""
        return self._mac("token", session.nonce)

    def _mac(self, purpose: str, text: str) -> str:
        return hmac.digest(self.secret, f"{purpose}\0{text}".encode("utf-8", "replace"), "sha256").hex()
