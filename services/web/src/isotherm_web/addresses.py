"""What counts as one address when clients are limited by it. Pure."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

_IPV6_NETWORK_BITS = 64
_REMEMBERED = 4096
_LONGEST = 64
_MAPPED = "::ffff:"


def household(address: str) -> str:
    """Return what counts as one address: of IPv6 the network, which one household has to itself.

    An IPv4 address that a socket for both writes as IPv6 (`::ffff:192.0.2.1`) is itself: all of them are in one such network.
    """
    return _network(address) if ":" in address and len(address) <= _LONGEST else address


def peer(client: tuple[str, int] | None) -> tuple[str, int] | None:
    """Return a connection's other end with an IPv4 address written as one, so that trusted proxies are known by theirs."""
    if client is None or not client[0].startswith(_MAPPED):
        return client
    return household(client[0]), client[1]


@lru_cache(_REMEMBERED)
def _network(address: str) -> str:
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK_BITS), strict=False))
