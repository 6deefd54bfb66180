"""Where the store is: a SQLite file beside zhiyin.toml, or a PostgreSQL database."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from zhiyin.data.sources.environment import with_environment
from zhiyin.data.sources.sql import POSTGRES, redacted
from zhiyin.errors import ConfigError


@dataclass(frozen=True)
class StoreAddress:
    """One of the two; the password is in neither `repr` nor `str`."""

    path: Path | None
    url: str = field(repr=False, default="")

    @classmethod
    def of(cls, written: str, root: Path) -> "StoreAddress":
        """What `serve.store` says; a path is relative to `root`.

        Raises
        ------
        ConfigError
            If a URL is of another database, cannot be read, or names a variable that is not set.
        """
        scheme = urlsplit(written).scheme.partition("+")[0] if "://" in written else ""
        if not scheme:
            return cls(root / with_environment(written))
        if scheme not in POSTGRES:
            raise ConfigError(
                f"serve.store {redacted(written)} is no store: give the path of a file, or postgresql://HOST/NAME"
            )
        url = with_environment(written)
        try:
            make_url(url)
        except (ArgumentError, ValueError):
            raise ConfigError(
                f"serve.store {redacted(written)} is no URL: write postgresql://USER:${{PASSWORD}}@HOST/NAME, and "
                "percent-encode what is special in a password"
            ) from None
        return cls(None, url)

    def __str__(self) -> str:
        """What may be shown."""
        return str(self.path) if self.path else redacted(self.url)

    @property
    def driven(self) -> URL:
        """The URL of a PostgreSQL database for SQLAlchemy's driver."""
        return make_url(self.url).set(drivername="postgresql+asyncpg")

    def without_secrets(self, message: str) -> str:
        """A sentence of a driver, on one line, without what the URL keeps secret."""
        parts = urlsplit(self.url)
        secrets = {self.url, parts.netloc, parts.query, parts.password or "", unquote(parts.password or "")}
        for secret in sorted(secrets - {""}, key=len, reverse=True):
            message = message.replace(secret, "…")
        return " ".join(message.split())[:200]
