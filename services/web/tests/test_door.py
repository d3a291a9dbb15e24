"""The direct path's door, under uvicorn's own HTTP protocol and over a transport that only remembers."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from isotherm_web.admission import Admission, Admitted, Knock, Refused
from isotherm_web.direct import Line
from isotherm_web.protocol import CloseCode, Format
from isotherm_web.settings import ServerSettings
from web_support.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics

FIELDS = {
    "Host": "map.example.org",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Origin": "https://map.example.org",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "isotherm.v1.bin",
}


def ask(target: str = "/ws", **fields: str | None) -> bytes:
    """Return a handshake's request, with other headers than usual (`_` for `-`), or without some."""
    changed = {**FIELDS, **{name.replace("_", "-"): value for name, value in fields.items()}}
    lines = [f"{name}: {value}" for name, value in changed.items() if value is not None]
    return "\r\n".join((f"GET {target} HTTP/1.1", *lines, "", "")).encode()


class Visitor(Transport):
    """A client's connection, which knows by which way it has come in."""

    @property
    def direct(self) -> bool:
        """Whether the connection has come in by the door."""
        return isinstance(self.protocol, Line)


@pytest.fixture
def knock(bring: Callable[..., Any]) -> Callable[..., Visitor]:
    """Brings a request to a server's new connection and returns its transport."""

    def knocked(request: bytes, settings: ServerSettings | None = None, address: str = "10.0.0.1") -> Visitor:
        transport = Visitor(address)
        state = bring(transport, settings or ServerSettings())
        transport.protocol.data_received(request)
        if transport.direct:
            assert state.connections == {transport.protocol}
        return transport

    return knocked


async def answered(transport: Visitor) -> bytes:
    """Return what the server has answered, once it has."""
    async with asyncio.timeout(10):
        while not transport.written:  # noqa: ASYNC110 - each turn of the loop is what is waited for
            await asyncio.sleep(0)
    return bytes(transport.written)


@pytest.mark.contract("W11")
async def test_a_browser_comes_in(knock: Callable[..., Visitor], hub: Hub) -> None:
    """A usual handshake is answered at once, and the hub has a client."""
    transport = knock(ask())
    assert transport.direct
    head = bytes(transport.written)
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Protocol: isotherm.v1.bin\r\n" in head
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
    assert [client.format for client in hub.clients] == [Format.BINARY]


async def test_nothing_is_left_of_the_http_connection(bring: Callable[..., Any]) -> None:
    """What a websocket no longer needs is freed at once: ten thousand that come back leave no work for the garbage collector."""
    transport = Visitor("10.0.0.1")
    gc.disable()
    try:
        bring(transport, ServerSettings())
        left = weakref.ref(transport.protocol)
        transport.protocol.data_received(ask())
        assert transport.direct
        assert left() is None
    finally:
        gc.enable()


async def test_a_query_is_no_matter(knock: Callable[..., Visitor]) -> None:
    """A path is compared without its query."""
    assert knock(ask("/ws?from=here")).direct


@pytest.mark.parametrize("target", ["/ws/", "/%77s", "/other", "http://map.example.org/ws"])
async def test_other_paths_are_routed_by_quart(knock: Callable[..., Visitor], target: str) -> None:
    """The door knows one path, spelt plainly."""
    assert not knock(ask(target)).direct


async def test_switched_off(knock: Callable[..., Visitor]) -> None:
    """Without the direct writer there is no door."""
    assert not knock(ask(), ServerSettings(direct_writer=False)).direct


@pytest.mark.contract("W10", "W11")
async def test_refusals_are_quarts(knock: Callable[..., Visitor], hub: Hub, metrics: Metrics) -> None:
    """Who is refused hears it from Quart's route, and is counted once."""
    foreign = knock(ask(Origin="https://elsewhere.example"))
    assert not foreign.direct
    assert (await answered(foreign)).startswith(b"HTTP/1.1 403 ")
    assert metrics.refused.labels("origin")._value.get() == 1
    unknown = knock(ask(Sec_WebSocket_Protocol="chat"))
    assert not unknown.direct
    assert (await answered(unknown)).startswith(b"HTTP/1.1 101 ")
    for _ in range(2):
        assert knock(ask()).direct
    assert not knock(ask()).direct
    assert len(hub.clients) == 2


async def test_addresses_are_those_that_a_trusted_proxy_says(knock: Callable[..., Visitor], hub: Hub) -> None:
    """The cap of an address counts browsers, not their proxy; who is no proxy is not believed."""
    settings = ServerSettings(trusted_proxies=("10.0.0.0/8",))
    assert knock(ask(X_Forwarded_For="192.0.2.1", X_Forwarded_Proto="https"), settings).direct
    assert knock(ask(X_Forwarded_For="192.0.2.2"), settings, "203.0.113.5").direct
    assert [client.address for client in hub.clients] == ["192.0.2.1", "203.0.113.5"]


@pytest.mark.parametrize("more", [{}, {"Content_Length": "0"}], ids=["direct", "asgi"])
async def test_a_proxy_whose_address_is_written_as_ipv6(
    knock: Callable[..., Visitor], hub: Hub, more: dict[str, str]
) -> None:
    """On a socket for IPv4 and IPv6 a trusted proxy is known by its IPv4 address all the same."""
    settings = ServerSettings(trusted_proxies=("10.0.0.0/8",))
    transport = knock(ask(X_Forwarded_For="192.0.2.1", X_Forwarded_Proto="https", **more), settings, "::ffff:10.0.0.1")
    await answered(transport)
    assert [client.address for client in hub.clients] == ["192.0.2.1"]


async def test_a_server_that_ends_closes_lines(knock: Callable[..., Visitor], hub: Hub) -> None:
    """Uvicorn's shutdown reaches a connection that came in by the door."""
    transport = knock(ask())
    transport.protocol.shutdown()
    assert transport.closed
    assert int(CloseCode.RESTARTING).to_bytes(2, "big") in transport.written
    transport.protocol.connection_lost(None)
    assert not hub.clients


def a_knock(**changed: Any) -> Knock:
    """Return a handshake of the page's own, but for what is said."""
    usual = {
        "origin": "https://map.example.org",
        "host": "map.example.org",
        "scheme": "ws",
        "offered": ["isotherm.v1.json"],
        "address": "10.0.0.1",
    }
    return Knock(**{**usual, **changed})


@pytest.mark.contract("W10", "W11")
def test_who_may_come_in(hub: Hub) -> None:
    """The origin comes first, then the subprotocol, then how many there are already."""
    admission = Admission(hub, ServerSettings(allowed_origins=("https://partner.example",)))
    assert admission.judge(a_knock()) == Admitted(Format.JSON)
    assert admission.judge(a_knock(origin="https://partner.example")) == Admitted(Format.JSON)
    assert admission.judge(a_knock(origin=None, offered=[])) == Refused(counted_as="origin")
    name = "a" * 1000  # longer than any name: not worth remembering what was found about it
    assert admission.judge(a_knock(origin=f"https://{name}", host=name)) == Refused(counted_as="origin")
    unknown = admission.judge(a_knock(offered=["chat"]))
    assert isinstance(unknown, Refused)
    assert unknown.closing is not None
    assert unknown.closing.code is CloseCode.PROTOCOL_ERROR
    for _ in range(2):
        hub.connect(Format.JSON, "10.0.0.1", lambda: None, 0.0)
    capped = admission.judge(a_knock())
    assert isinstance(capped, Refused)
    assert capped.closing is not None
    assert (capped.closing.code, capped.counted_as) == (CloseCode.TOO_MANY_CONNECTIONS, "cap")
    hub.begin_drain()
    draining = admission.judge(a_knock(address="10.0.0.2"))
    assert isinstance(draining, Refused)
    assert (draining.wire, draining.counted_as) == (Format.JSON, "draining")
