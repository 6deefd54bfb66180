"""The section [serve] of zhiyin.toml: where the service listens, where it keeps its events, and what it accepts."""

import re
from dataclasses import dataclass
from typing import Literal

from zhiyin.errors import ConfigError

MOST_WORKERS = 64


@dataclass(frozen=True)
class ServeSettings:
    """How the service runs; paths are relative to zhiyin.toml."""

    host: str = "127.0.0.1"
    """Only this machine may connect; "0.0.0.0" is every network interface."""
    port: int = 8000
    """0 takes any free port."""
    store: str = "events.db"
    """What keeps every event before it is acknowledged: the path of a SQLite file, or postgresql://HOST/NAME."""
    keys: str = "keys.json"
    """The hashes of the API keys."""
    body_limit_mb: int = 10
    """A longer request body is refused with 413."""
    open_on_loopback: bool = False
    """Ask no key of callers on this machine, if the service listens to this machine alone: for a demo."""
    gorse: bool = True
    """Answer under /api/ as Gorse does, so that its client libraries work against zhiyin."""
    dashboard: bool = True
    """Answer under / with pages for people who hold a key of the role operator or above."""
    reload_seconds: int = 5
    """How often the service looks whether another release is serving."""
    write_back: bool = True
    """Keep in the store which lists were shown, with the probability of each item."""
    similar_users: bool = False
    """Answer who is alike to whom, which tells one customer of another."""
    workers: int = 1
    """Processes that answer; each reads the release into memory of its own."""
    drain_seconds: int = 0
    """How long a service that was told to end goes on answering, and says that it is not ready: a balancer looks."""
    log: Literal["auto", "json", "text"] = "auto"
    """One JSON object a line, lines for people, or the latter on a terminal alone."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """"debug" has a line for every request."""
    slow_ms: int = 500
    """A request that took longer has its line at "info"."""
    traces: str | None = None
    """Where an OpenTelemetry collector listens, such as "http://collector:4318"; needs the extra `traces`."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"serve.port must be from 0 to 65535, got {self.port}")
        for name in ("body_limit_mb", "reload_seconds"):
            value = getattr(self, name)
            if not 1 <= value <= 1_000_000:
                raise ConfigError(f"serve.{name} must be from 1 to 1,000,000, got {value}")
        if not 1 <= self.workers <= MOST_WORKERS:
            raise ConfigError(f"serve.workers must be from 1 to {MOST_WORKERS}, got {self.workers}")
        if not 0 <= self.drain_seconds <= 3_600:
            raise ConfigError(f"serve.drain_seconds must be from 0 to 3600, got {self.drain_seconds}")
        if self.slow_ms < 1:
            raise ConfigError(f"serve.slow_ms must be at least 1, got {self.slow_ms}")
        if self.traces is not None and not re.fullmatch(r"https?://[^\s/]+\S*", self.traces):
            raise ConfigError('serve.traces must be an address such as "http://collector:4318", or be left out')
        for name in ("host", "store", "keys"):
            if not getattr(self, name).strip():
                raise ConfigError(f"serve.{name} must not be empty: leave it out for its default")
