"""How often one address may ask, in virtual time."""

from __future__ import annotations

import pytest

from isotherm_web.ratelimit import RateLimiter


@pytest.mark.contract("H10")
def test_burst_then_rate() -> None:
    """A burst is allowed, then one request for each interval; the wait that is told is long enough."""
    limiter = RateLimiter(0.5, 3)
    assert [limiter.retry_seconds("a", 0.0) for _ in range(4)] == [None, None, None, 2]
    assert limiter.retry_seconds("b", 0.0) is None
    assert limiter.retry_seconds("a", 2.1) is None
    assert limiter.retry_seconds("a", 2.1) == 2


def test_an_ipv6_network_is_one_address() -> None:
    """Who has a whole network cannot ask from a new address each time."""
    limiter = RateLimiter(1, 1)
    assert limiter.retry_seconds("2001:db8::1", 0.0) is None
    assert limiter.retry_seconds("2001:db8::2", 0.0) == 1
    assert limiter.retry_seconds("2001:db8:0:1::1", 0.0) is None


def test_ipv4_addresses_written_as_ipv6_are_each_by_themselves() -> None:
    """Behind a socket for both, one visitor does not use up what all others may ask."""
    limiter = RateLimiter(1, 1)
    assert limiter.retry_seconds("::ffff:192.0.2.1", 0.0) is None
    assert limiter.retry_seconds("::ffff:192.0.2.2", 0.0) is None
    assert limiter.retry_seconds("192.0.2.1", 0.0) == 1


def test_memory_is_bounded() -> None:
    """The addresses that have not asked for longest are forgotten."""
    limiter = RateLimiter(1, 1, most_addresses=2)
    for address in ("a", "b", "c"):
        assert limiter.retry_seconds(address, 0.0) is None
    assert limiter.retry_seconds("c", 0.0) == 1
    assert limiter.retry_seconds("a", 0.0) is None
