"""Handshakes without Quart: what is read must be what the websocket library would have read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from isotherm_web.handshake import answer_upgrade, read_upgrade
from isotherm_web.protocol import Format

Fields = list[tuple[bytes, bytes]]

CHROMIUM: Fields = [
    (b"host", b"map.example.org"),
    (b"connection", b"Upgrade"),
    (b"user-agent", b"Mozilla/5.0"),
    (b"upgrade", b"websocket"),
    (b"origin", b"https://map.example.org"),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    (b"sec-websocket-extensions", b"permessage-deflate; client_max_window_bits"),
    (b"sec-websocket-protocol", b"isotherm.v1.bin, isotherm.v1.json"),
]


def with_field(name: str, value: str | None) -> Fields:
    """Return the headers with another value, or without one."""
    others = [(key, was) for key, was in CHROMIUM if key != name.encode()]
    return others if value is None else [*others, (name.encode(), value.encode("latin-1"))]


def library_accepts(headers: Fields) -> bool:
    """Answer whether the websocket library would open the websocket."""
    request = Request("/ws", Headers([(key.decode(), value.decode("latin-1")) for key, value in headers]))
    return ServerProtocol().accept(request).status_code == 101


def test_a_browser() -> None:
    """All that matters is read."""
    upgrade = read_upgrade(CHROMIUM)
    assert upgrade is not None
    assert (upgrade.host, upgrade.origin) == ("map.example.org", "https://map.example.org")
    assert upgrade.offered == ["isotherm.v1.bin", "isotherm.v1.json"]
    assert upgrade.deflate


@pytest.mark.parametrize("deflate", [True, False])
def test_the_answer_opens_the_websocket(*, deflate: bool) -> None:
    """A client reads the answer, with what was agreed on and the server's own headers."""
    client = ClientProtocol(
        parse_uri("ws://map.example.org/ws"),
        subprotocols=[Subprotocol(member.value) for member in Format],
        extensions=[ClientPerMessageDeflateFactory(client_max_window_bits=True)] if deflate else None,
    )
    request = client.connect()
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.raw_items()]
    upgrade = read_upgrade(headers)
    assert upgrade is not None
    client.send_request(request)
    client.receive_data(answer_upgrade(upgrade, Format.JSON, [(b"date", b"today")]))
    (response,) = client.events_received()
    assert client.handshake_exc is None
    assert client.state is State.OPEN
    assert client.subprotocol == Format.JSON.value
    assert response.headers["Date"] == "today"  # type: ignore[union-attr]
    assert [extension.name for extension in client.extensions] == (["permessage-deflate"] if deflate else [])
    if deflate:
        agreed = client.extensions[0]
        assert agreed.remote_no_context_takeover  # type: ignore[attr-defined]
        assert agreed.local_no_context_takeover  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", None),
        ("host", "a" * 1000),
        ("connection", None),
        ("connection", "keep-alive"),
        ("upgrade", "h2c"),
        ("sec-websocket-version", "8"),
        ("sec-websocket-version", None),
        ("sec-websocket-key", None),
        ("sec-websocket-key", "short"),
        ("sec-websocket-key", "AAAA"),
        ("content-length", "3"),
        ("transfer-encoding", "chunked"),
    ],
)
def test_what_is_unusual(name: str, value: str | None) -> None:
    """Anything that is not plainly a handshake is left to the library."""
    assert read_upgrade(with_field(name, value)) is None


@pytest.mark.parametrize("name", [name for name, _ in CHROMIUM if name != b"user-agent"])
def test_fields_that_come_twice(name: bytes) -> None:
    """So is a header that matters and comes twice; others may."""
    assert read_upgrade([*CHROMIUM, (name, dict(CHROMIUM)[name])]) is None
    assert read_upgrade([*CHROMIUM, (b"x-forwarded-for", b"a"), (b"x-forwarded-for", b"b")]) is not None


def test_very_many_fields() -> None:
    """The library's limit holds here too."""
    assert read_upgrade([*CHROMIUM, *((b"x-%d" % number, b"") for number in range(129))]) is None


@pytest.mark.parametrize(
    ("offers", "deflate"),
    [
        ("permessage-deflate", True),
        ("permessage-deflate; client_max_window_bits=10; server_no_context_takeover", True),
        ("permessage-deflate; server_max_window_bits=10", False),
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", True),
        ("x-webkit-deflate-frame", False),
        ("permessage-deflate; unknown", False),
        ("", False),
    ],
)
def test_compression(offers: str, *, deflate: bool) -> None:
    """Compression is agreed on when the client sets no conditions that the shared frames do not meet."""
    upgrade = read_upgrade(with_field("sec-websocket-extensions", offers))
    assert upgrade is not None
    assert upgrade.deflate is deflate


VALUES = st.sampled_from(
    [
        "13",
        "websocket",
        "Upgrade",
        "keep-alive, Upgrade",
        "dGhlIHNhbXBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZR==",
        "",
        "x",
    ]
) | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=24)
NAMES = st.sampled_from(["connection", "upgrade", "sec-websocket-key", "sec-websocket-version"])


@given(fields=st.dictionaries(NAMES, VALUES))
def test_nothing_is_opened_that_the_library_refuses(fields: dict[str, str]) -> None:
    """Whatever the headers: who is read here, the library would have let in."""
    headers = [
        (key, fields[key.decode()].encode() if key.decode() in fields else value)
        for key, value in CHROMIUM
        if key != b"sec-websocket-extensions"
    ]
    if read_upgrade(headers) is not None:
        assert library_accepts(headers)


def test_the_library_would_agree_on_the_same() -> None:
    """The answer about compression is one that the library gives too."""
    server = ServerProtocol(
        extensions=[ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)]
    )
    request = Request("/ws", Headers([(key.decode(), value.decode()) for key, value in CHROMIUM]))
    theirs = server.accept(request).headers["Sec-WebSocket-Extensions"]
    upgrade = read_upgrade(CHROMIUM)
    assert upgrade is not None
    ours = answer_upgrade(upgrade, Format.BINARY, ()).decode()
    assert set(theirs.split("; ")) == set(
        ours.partition("Sec-WebSocket-Extensions: ")[2].partition("\r")[0].split("; ")
    )
