"""The section [retrain] of zhiyin.toml: when a running service trains anew."""

from dataclasses import dataclass

from zhiyin.data.split import microseconds
from zhiyin.errors import ConfigError

SHORTEST = "1m"


@dataclass(frozen=True)
class RetrainSettings:
    """When `zhiyin serve` trains by itself; without either of the first two, only when it is asked to."""

    every: str | None = None
    """A duration since the last training began, such as "6h"."""
    events: int | None = None
    """So many events stored since the last training began, such as 100000."""
    timeout: str = "12h"
    """A training that takes longer is ended, and counts as failed."""

    def __post_init__(self) -> None:
        for name in ("every", "timeout"):
            written = getattr(self, name)
            if written is None:
                continue
            try:
                short = microseconds(written) < microseconds(SHORTEST)
            except ConfigError as error:
                raise ConfigError(f"retrain.{name}: {error}") from None
            if short:
                raise ConfigError(f"retrain.{name} must be at least {SHORTEST!r}, got {written!r}")
        if self.events is not None and self.events < 1:
            raise ConfigError(f"retrain.events must be at least 1, got {self.events}: leave it out to not count events")
