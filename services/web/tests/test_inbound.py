"""What clients may send, the same rules on both paths: below ASGI and through Quart."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from websockets.frames import Frame, Opcode

from isotherm_web.direct import Line
from isotherm_web.protocol import CloseCode
from isotherm_web.settings import ServerSettings
from web_support.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_web.hub import Hub

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: map.example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Origin: http://map.example.org\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: isotherm.v1.json\r\n\r\n"
)
RESUME = b'{"type":"resume","stream":null,"seq":0,"geometry":null}'
PONG = b'{"type":"pong"}'


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    """Return a client's frame."""
    return Frame(opcode, data, fin).serialize(mask=True)


class Client:
    """A client that is connected and reads only how the server closes."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def send(self, data: bytes) -> None:
        """Send bytes, unless the server has hung up."""
        if not self.transport.closed:
            self.transport.protocol.data_received(data)

    async def close_code(self) -> int:
        """Wait for the close frame and return its code."""
        async with asyncio.timeout(10):
            while True:
                at = self.transport.written.rfind(b"\x88")
                if at >= 0 and len(self.transport.written) >= at + 4:
                    return int(struct.unpack_from(">H", self.transport.written, at + 2)[0])
                await asyncio.sleep(0)


@pytest.fixture(params=[True, False], ids=["direct", "asgi"])
def connect(request: pytest.FixtureRequest, hub: Hub, bring: Callable[..., Any]) -> Callable[[], Any]:
    """Opens a websocket."""

    async def opened() -> Client:
        transport = Transport("10.0.0.1")
        bring(transport, ServerSettings(direct_writer=request.param))
        transport.protocol.data_received(HANDSHAKE)
        async with asyncio.timeout(10):
            while not (hub.clients and transport.written.endswith(b"\r\n\r\n")):  # noqa: ASYNC110 - each turn is waited for
                await asyncio.sleep(0)
        assert isinstance(transport.protocol, Line) is request.param
        transport.written.clear()
        return Client(transport)

    return opened


@pytest.mark.contract("W10")
@pytest.mark.parametrize(
    "flood",
    [
        frame(Opcode.PING) * 1000,
        frame(Opcode.PONG) * 1000,
        frame(Opcode.TEXT, PONG) * 1000,
        frame(Opcode.TEXT, RESUME, fin=False) + frame(Opcode.CONT, fin=False) * 1000,
        (frame(Opcode.TEXT, PONG, fin=False) + frame(Opcode.CONT)) * 1000,
    ],
    ids=["pings", "pongs", "messages", "fragments", "messages in fragments"],
)
@pytest.mark.parametrize("piece", [1 << 20, 100], ids=["at once", "in pieces"])
async def test_floods(connect: Callable[[], Any], flood: bytes, piece: int) -> None:
    """Whatever a client sends too much of, it is closed with 4004."""
    client = await connect()
    client.send(frame(Opcode.TEXT, RESUME))
    for at in range(0, len(flood), piece):
        client.send(flood[at : at + piece])
        await asyncio.sleep(0)
    assert await client.close_code() == 4004


async def test_a_flood_after_the_close(connect: Callable[[], Any]) -> None:
    """Who goes on after it was closed is not read on: the connection is cut."""
    client = await connect()
    client.send(frame(Opcode.TEXT, b"nonsense"))
    assert await client.close_code() == 4000
    sent = 0
    while not client.transport.aborted:
        client.send(frame(Opcode.PING) * 100)
        sent += 600
        assert sent < 100_000


async def test_the_answer_to_a_close_ends_it(connect: Callable[[], Any]) -> None:
    """A client that answers the close frame, behind a little that was on its way, is not cut off."""
    client = await connect()
    client.send(frame(Opcode.TEXT, b"nonsense"))
    await client.close_code()
    client.send(frame(Opcode.TEXT, PONG) + frame(Opcode.CLOSE, b"\x0f\xa0"))
    async with asyncio.timeout(10):
        while not client.transport.closed:  # noqa: ASYNC110 - each turn of the loop is what is waited for
            await asyncio.sleep(0)
    assert not client.transport.aborted


@pytest.mark.parametrize("parts", [[b"\xff"], [b"{\xc3", b"\xa9\xff"]])
async def test_text_that_is_none(
    connect: Callable[[], Any], parts: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """Text that is not UTF-8 ends the connection with 1007, and is no error of the server's to log."""
    client = await connect()
    for number, part in enumerate(parts):
        client.send(frame(Opcode.CONT if number else Opcode.TEXT, part, fin=number == len(parts) - 1))
    assert await client.close_code() == 1007
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_pings_are_a_sign_of_life(connect: Callable[[], Any], hub: Hub) -> None:
    """A client that pings instead of answering pings is not silent."""
    client = await connect()
    (known,) = hub.clients
    before = known.heard_at
    client.send(frame(Opcode.PING))
    assert known.heard_at > before


@pytest.mark.contract("W10")
async def test_a_client_that_is_closed_while_much_is_written_to_it(connect: Callable[[], Any], hub: Hub) -> None:
    """A client that is closed before all of its map is written gets the close and no more, and that is no error."""
    before = len(asyncio.all_tasks())
    client = await connect()
    client.transport.protocol.pause_writing()
    with structlog.testing.capture_logs() as logged:
        client.send(frame(Opcode.TEXT, RESUME))
        for _ in range(10):
            await asyncio.sleep(0)
        (known,) = hub.clients
        hub.close(known, CloseCode.RESTARTING, "elsewhere")
        client.transport.protocol.resume_writing()
        for _ in range(10):
            await asyncio.sleep(0)
        assert await client.close_code() == CloseCode.RESTARTING
        client.transport.protocol.connection_lost(None)
        async with asyncio.timeout(10):
            while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - each turn of the loop is waited for
                await asyncio.sleep(0)
    assert [entry for entry in logged if entry["log_level"] == "error"] == []
    assert not hub.clients


@pytest.mark.contract("E5")
@pytest.mark.parametrize("offered", [b"isotherm.v1.json", b"chat"])
@pytest.mark.parametrize("turns", range(6))
async def test_a_server_that_ends_in_the_middle_of_a_handshake(
    hub: Hub, bring: Callable[..., Any], caplog: pytest.LogCaptureFixture, offered: bytes, turns: int
) -> None:
    """However far a handshake through Quart has come, the server's end is no error in it."""
    transport, before = Transport("10.0.0.1"), len(asyncio.all_tasks())
    bring(transport, ServerSettings(direct_writer=False))
    with structlog.testing.capture_logs() as logged:
        transport.protocol.data_received(HANDSHAKE.replace(b"isotherm.v1.json", offered))
        for _ in range(turns):
            await asyncio.sleep(0)
        transport.protocol.shutdown()
        transport.protocol.connection_lost(None)
        async with asyncio.timeout(10):
            while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - each turn of the loop is what is waited for
                await asyncio.sleep(0)
    assert [entry for entry in logged if entry["log_level"] == "error"] == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert not hub.clients
