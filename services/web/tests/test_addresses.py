"""What counts as one address."""

from __future__ import annotations

import pytest

from isotherm_web.addresses import household, peer


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:2", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("192.0.2.1:80", "192.0.2.1:80"),
        ("nobody", "nobody"),
        ("", ""),
    ],
)
def test_household(address: str, expected: str) -> None:
    """An IPv4 address, however it is written, or the network of an IPv6 address."""
    assert household(address) == expected


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (("::ffff:192.0.2.1", 80), ("192.0.2.1", 80)),
        (("192.0.2.1", 80), ("192.0.2.1", 80)),
        (("2001:db8::1", 80), ("2001:db8::1", 80)),
        (("::ffff:nobody", 80), ("::ffff:nobody", 80)),
        (None, None),
    ],
)
def test_peer(client: tuple[str, int] | None, expected: tuple[str, int] | None) -> None:
    """An IPv4 address is written as one; others stay as they are."""
    assert peer(client) == expected
