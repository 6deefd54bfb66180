"""From which address a request comes, and whether it may."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from starlette.types import Scope

from zhiyin.registry.access_settings import AccessSettings, networks

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

SCOPE = "zhiyin.address"
"""Where the gate leaves the address in the ASGI scope."""
FORWARDED_FOR = b"x-forwarded-for"
UNKNOWN = "unknown"
LONGEST = 100
"""Characters of an address with its port and zone."""
MOST_HOPS = 20
"""Proxies in a row that are followed."""
MOST_READ = 4_096
"""Addresses that need not be read again, some 300 bytes each."""
V6_PREFIX = 64
"""Bits of an IPv6 address that belong to one customer of a provider: the rest, everybody chooses for oneself."""


class Addresses:
    """Reads addresses as [access] says: of whom connects, or of whom a trusted proxy speaks for."""

    def __init__(self, settings: AccessSettings) -> None:
        self._allowed = networks(settings.allow, "access.allow")
        self._proxies = networks(settings.trusted_proxies, "access.trusted_proxies")

    def of(self, scope: Scope) -> str:
        """The address of the caller; "unknown" where a trusted proxy names none that can be read."""
        client = scope.get("client")
        if client is None:
            return UNKNOWN
        if not self._proxies:
            return _written(client[0][:LONGEST])
        address = _read(client[0][:LONGEST])
        if address is None or not self._is_proxy(address):
            return UNKNOWN if address is None else str(address)
        said = [value.decode("latin-1") for name, value in scope["headers"] if name == FORWARDED_FOR]
        hops = ",".join(said).split(",")
        for hop in [one.strip() for one in reversed(hops) if one.strip()][:MOST_HOPS]:
            address = _read(hop[:LONGEST])
            if address is None:
                return UNKNOWN
            if not self._is_proxy(
                address
            ):  # written by the last proxy that we trust; what stands left of it is hearsay
                break
        return str(address)

    def is_proxied(self, scope: Scope) -> bool:
        """Whether a proxy that we trust speaks for the caller."""
        client = scope.get("client")
        address = _read(client[0][:LONGEST]) if client else None
        return address is not None and self._is_proxy(address)

    def may_connect(self, address: str) -> bool:
        """Whether the list of [access] allow has it, or there is no list."""
        if not self._allowed:
            return True
        found = _read(address)
        return found is not None and _within(found, self._allowed)

    def _is_proxy(self, address: Address) -> bool:
        return _within(address, self._proxies)


def is_loopback(host: str) -> bool:
    """Whether an address or a name is this machine alone."""
    return len(host) <= LONGEST and _is_loopback(host)


def customer(address: str) -> str:
    """To whom an address belongs: itself, or the network of an IPv6 address."""
    found = _read(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(found), V6_PREFIX), strict=False))
    return address


def _within(address: Address, among: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address in network for network in among)


@lru_cache(MOST_READ)
def _is_loopback(host: str) -> bool:
    name = host.strip().strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


@lru_cache(MOST_READ)
def _written(text: str) -> str:
    """An address in the one way of writing it; "unknown" where it cannot be read."""
    found = _read(text)
    return UNKNOWN if found is None else str(found)


@lru_cache(MOST_READ)
def _read(text: str) -> Address | None:
    """An address as proxies write it, with or without a port; IPv4 inside IPv6 is IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
