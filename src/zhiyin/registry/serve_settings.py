"""The section [serve] of zhiyin.toml: where the service listens, where it keeps its events, and what it accepts."""

from dataclasses import dataclass

from zhiyin.errors import ConfigError


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
    reload_seconds: int = 5
    """How often the service looks whether another release is serving."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"serve.port must be from 0 to 65535, got {self.port}")
        for name in ("body_limit_mb", "reload_seconds"):
            value = getattr(self, name)
            if not 1 <= value <= 1_000_000:
                raise ConfigError(f"serve.{name} must be from 1 to 1,000,000, got {value}")
        for name in ("host", "store", "keys"):
            if not getattr(self, name).strip():
                raise ConfigError(f"serve.{name} must not be empty: leave it out for its default")
