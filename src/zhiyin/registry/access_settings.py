"""The section [access] of zhiyin.toml: from where the service may be asked, how often, and what is written down."""

import ipaddress
import re
from dataclasses import dataclass

from zhiyin.errors import ConfigError
from zhiyin.registry.rate import Rate

MOST_NETWORKS = 1_000
MOST_ORIGINS = 100
DEEPEST = 512
MOST_BURST = 1_000_000
ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?")


@dataclass(frozen=True)
class AccessSettings:
    """Who may reach the service and how; paths are relative to zhiyin.toml."""

    allow: tuple[str, ...] = ()
    """Addresses and networks that may connect; all if empty. Others get 403 before anything is looked at."""
    trusted_proxies: tuple[str, ...] = ()
    """Whose `X-Forwarded-For` is believed; nobody's if empty, because any caller can write one."""
    cors_origins: tuple[str, ...] = ()
    """Pages of these origins may ask from a browser; none if empty."""
    certificate: str | None = None
    """The PEM file with the certificate and its chain; with it the service speaks TLS, at least 1.2."""
    private_key: str | None = None
    """The PEM file with its key, not encrypted."""
    rate: str | None = None
    """What each key may ask, such as "100/s"; counted by each worker process for itself."""
    burst: int | None = None
    """How many at once; as many as `rate` allows in a second if not given."""
    depth: int = 32
    """How deep JSON may be nested; looked at before it is decoded."""
    audit: str = "audit.jsonl"
    """Where administrative acts and refusals are written down."""

    def __post_init__(self) -> None:
        networks(self.allow, "access.allow")
        if any(network.prefixlen == 0 for network in networks(self.trusted_proxies, "access.trusted_proxies")):
            raise ConfigError("access.trusted_proxies must not be everybody: name the addresses of your proxies")
        self._check_origins()
        if (self.certificate is None) != (self.private_key is None):
            missing = "certificate" if self.certificate is None else "private_key"
            raise ConfigError(f"access.{missing} is missing: TLS needs both, certificate and private_key")
        if self.rate is not None:
            Rate.read(self.rate, "access.rate")
        if self.burst is not None and not 1 <= self.burst <= MOST_BURST:
            raise ConfigError(f"access.burst must be from 1 to {MOST_BURST:,}, got {self.burst}")
        if not 1 <= self.depth <= DEEPEST:
            raise ConfigError(f"access.depth must be from 1 to {DEEPEST}, got {self.depth}")
        for name in ("audit", "certificate", "private_key"):
            value = getattr(self, name)
            if value is not None and not value.strip():
                raise ConfigError(f"access.{name} must not be empty: leave it out for its default")

    def _check_origins(self) -> None:
        if len(self.cors_origins) > MOST_ORIGINS:
            raise ConfigError(f"access.cors_origins must have at most {MOST_ORIGINS} entries")
        for origin in self.cors_origins:
            if not ORIGIN.fullmatch(origin):
                raise ConfigError(
                    f"access.cors_origins must name origins such as 'https://shop.example', got {origin[:80]!r}"
                )


def networks(written: tuple[str, ...], where: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Addresses and networks as they are compared.

    Raises
    ------
    ConfigError
        If one is neither, or there are too many.
    """
    if len(written) > MOST_NETWORKS:
        raise ConfigError(f"{where} must have at most {MOST_NETWORKS:,} entries, got {len(written):,}")
    found = []
    for text in written:
        try:
            found.append(ipaddress.ip_network(text.strip()))
        except ValueError:
            advice = "write '192.168.1.7' or '10.0.0.0/8', with zeros behind the prefix"
            raise ConfigError(f"{where} must name addresses or networks, got {text[:80]!r}: {advice}") from None
    return found
