"""Whose pages may open the websocket."""

import pytest

from isotherm_web.security import origin_allowed


@pytest.mark.contract("W11")
@pytest.mark.parametrize(
    ("origin", "host", "scheme", "expected"),
    [
        ("http://localhost:5000", "localhost:5000", "ws", True),
        ("https://weather.example", "weather.example", "ws", True),
        ("https://weather.example", "weather.example", "wss", True),
        ("http://weather.example:80", "weather.example", "ws", True),
        ("https://friend.example", "weather.example", "ws", True),
        ("http://localhost:5001", "localhost:5000", "ws", False),
        ("https://weather.example.evil.example", "weather.example", "wss", False),
        ("https://evil.example", "weather.example", "wss", False),
        ("file://weather.example", "weather.example", "ws", False),
        ("null", "weather.example", "ws", False),
        ("http://[", "weather.example", "ws", False),
        ("", "weather.example", "ws", False),
        (None, "weather.example", "ws", False),
    ],
)
def test_origin(origin: str | None, host: str, scheme: str, expected: bool) -> None:
    """The page's own host and listed origins may; nothing else may, and neither may who does not say."""
    assert origin_allowed(origin, host, scheme, ("https://friend.example",)) is expected
