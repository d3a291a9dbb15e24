"""A client below ASGI, over a transport that only remembers."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from isotherm_web.assembly import Batch
from isotherm_web.direct import Line
from isotherm_web.encoding import decode
from isotherm_web.events import Changed
from isotherm_web.geometry import Location, make_geometry
from isotherm_web.protocol import Format
from isotherm_web.writer import Writer
from web_support.transport import Transport

if TYPE_CHECKING:
    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics

NEW = '{"type":"resume","stream":null,"seq":0,"geometry":null}'


def change(hub: Hub, temperature: float) -> None:
    """Apply a batch that changes one row, and let it leave."""
    seq = hub.state.seq + 1
    fields = {"temperature_2m": temperature, "valid_at": 1795536000 * 10**6, "source": "simulator"}
    hub.state.apply(Batch(seq, (Changed("weather_data", 2, seq, 0, fields),)))
    hub.publish()


class Browser:
    """The other end of a line."""

    def __init__(self, hub: Hub, metrics: Metrics, *, deflate: bool = False) -> None:
        self.transport = Transport("")
        self.left: list[object] = []
        self.line = Line(self.transport, hub, Writer(metrics), self.left.append, deflate=deflate)
        self.line.open(Format.JSON, "a")
        self.client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
        if deflate:
            self.client.extensions = [PerMessageDeflate(True, True, 15, 15)]

    def say(self, text: str = NEW) -> None:
        """Send a text message."""
        self.client.send_text(text.encode())
        self.deliver()

    def deliver(self) -> None:
        """Bring what the client has sent to the line."""
        self.line.data_received(b"".join(self.client.data_to_send()))

    async def hear(self) -> list[Any]:
        """Return what came since the last time: messages decoded, other frames as they are."""
        await asyncio.sleep(0)
        self.client.receive_data(bytes(self.transport.written))
        self.transport.written.clear()
        frames = [event for event in self.client.events_received() if isinstance(event, Frame)]
        return [decode(bytes(frame.data).decode()) if frame.opcode is Opcode.TEXT else frame for frame in frames]

    async def close_code(self) -> int:
        """Return the code that the line has closed with."""
        await self.hear()
        assert self.client.close_rcvd is not None
        return self.client.close_rcvd.code


@pytest.fixture(params=[False, True], ids=["plain", "deflate"])
async def browser(request: pytest.FixtureRequest, hub: Hub, metrics: Metrics) -> Browser:
    """A browser that is connected and has said nothing."""
    return Browser(hub, metrics, deflate=request.param)


async def test_messages_arrive(browser: Browser, hub: Hub) -> None:
    """A client gets the map, then changes."""
    browser.say()
    assert [message.__struct_config__.tag for message in await browser.hear()] == ["hello", "geometry", "snapshot"]
    change(hub, 5.0)
    (delta,) = await browser.hear()
    assert (delta.from_seq, delta.seq) == (41, 42)


async def test_a_client_that_does_not_read_gets_one_delta_in_the_end(browser: Browser, hub: Hub) -> None:
    """While the system takes no more nothing is written, and what has changed meanwhile leaves as one."""
    browser.say()
    await browser.hear()
    browser.line.pause_writing()
    for temperature in (5.0, 6.0):
        change(hub, temperature)
    assert await browser.hear() == []
    browser.line.resume_writing()
    (delta,) = await browser.hear()
    assert (delta.from_seq, delta.seq, delta.layers["temperature_2m"]) == (41, 43, [60])


async def test_a_message_may_come_in_parts(browser: Browser) -> None:
    """Fragments are put together."""
    half = len(NEW) // 2
    browser.client.send_text(NEW[:half].encode(), fin=False)
    browser.client.send_continuation(NEW[half:].encode(), fin=True)
    browser.deliver()
    assert len(await browser.hear()) == 3


async def test_a_message_may_come_in_pieces(browser: Browser, hub: Hub) -> None:
    """However the network cuts what a client sends, it is read, and so is what comes after it."""
    browser.client.send_text(NEW.encode())
    for byte in b"".join(browser.client.data_to_send()):
        browser.line.data_received(bytes((byte,)))
    assert len(await browser.hear()) == 3
    for _ in range(2):
        browser.client.send_text(b'{"type":"pong"}')
    browser.deliver()
    assert len(hub.clients) == 1
    assert await browser.hear() == []


async def test_a_message_that_is_too_long(browser: Browser) -> None:
    """More than a message may have, compressed or not, ends the connection as RFC 6455 says."""
    browser.say("x" * 4097)
    assert await browser.close_code() == 1009


async def test_rubbish(browser: Browser) -> None:
    """What is no frame at all does too."""
    browser.line.data_received(b"\x81\x05hello")
    assert await browser.close_code() == 1002


async def test_compression_that_was_not_agreed_on(hub: Hub, metrics: Metrics) -> None:
    """So does a compressed message from a client that did not ask whether it may."""
    browser = Browser(hub, metrics)
    browser.client.extensions = [PerMessageDeflate(True, True, 15, 15)]
    browser.say()
    browser.client.extensions = []
    assert await browser.close_code() == 1002


async def test_large_messages_are_compressed_for_who_can_read_it(hub: Hub, metrics: Metrics) -> None:
    """Two clients of one format, one of whom agreed to compression, get the same messages in their own frames."""
    plain, deflate = Browser(hub, metrics), Browser(hub, metrics, deflate=True)
    hub.state.locations.update({number: Location(number, 10.0, number / 10) for number in range(3, 200)})
    hub.state.geometry = make_geometry(hub.state.locations.values())
    hub.advanced()
    for browser in (plain, deflate):
        browser.say()
    await asyncio.sleep(0)
    assert len(deflate.transport.written) < len(plain.transport.written) / 4
    assert await plain.hear() == await deflate.hear()


async def test_endless_parts(browser: Browser) -> None:
    """A message of very many parts ends the connection."""
    browser.client.send_text(b"", fin=False)
    for _ in range(64):
        browser.client.send_continuation(b"", fin=False)
    browser.deliver()
    assert await browser.close_code() == 4004


async def test_pings_are_answered_and_counted(browser: Browser) -> None:
    """A ping of the websocket gets its pong; a flood of them ends the connection."""
    browser.client.send_ping(b"1")
    browser.deliver()
    (pong,) = await browser.hear()
    assert pong.opcode is Opcode.PONG
    for _ in range(4):
        browser.client.send_ping(b"2")
    browser.deliver()
    assert await browser.close_code() == 4004


async def test_text_that_is_none(browser: Browser) -> None:
    """Text that is not UTF-8 ends the connection as RFC 6455 says."""
    browser.client.send_text(b"\xff")
    browser.deliver()
    assert await browser.close_code() == 1007
    assert browser.transport.closed


async def test_a_client_that_goes_leaves_nothing(browser: Browser, hub: Hub) -> None:
    """A close is answered, the hub forgets the client, and nothing waits for the garbage collector."""
    browser.say()
    await browser.hear()
    browser.client.send_close(1000)
    browser.deliver()
    assert await browser.close_code() == 1000
    assert browser.transport.closed
    line, conn = browser.line, weakref.ref(browser.line._conn)
    del browser.line
    gc.disable()
    try:
        line.connection_lost(None)
        assert browser.left == [line]
        assert not hub.clients
        browser.left.clear()
        del line
        assert conn() is None
    finally:
        gc.enable()
