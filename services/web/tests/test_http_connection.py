"""What comes on an HTTP connection that is no request, or not a whole one, over a transport that only remembers."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from isotherm_web.settings import ServerSettings
from web_support.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_web.hub import Hub

HOST = b"Host: map.example.org\r\n"
GET = b"GET /api/v1/grid HTTP/1.1\r\n" + HOST + b"\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://map.example.org\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: isotherm.v1.bin\r\n\r\n"
)


@pytest.fixture
def connect(bring: Callable[..., Any]) -> Callable[..., Transport]:
    """Opens a connection to a server and returns its transport."""

    def opened(request_timeout_seconds: float = 60.0) -> Transport:
        transport = Transport("10.0.0.1")
        bring(transport, ServerSettings(request_timeout_seconds=request_timeout_seconds))
        return transport

    return opened


async def until_closed(transport: Transport) -> bytes:
    """Wait until the server has closed the connection; return what it has answered."""
    async with asyncio.timeout(10):
        while not transport.closed:  # noqa: ASYNC110 - each turn of the loop is what is waited for
            await asyncio.sleep(0)
    return bytes(transport.written)


async def answered(transport: Transport, count: int = 1) -> bytes:
    """Wait for so many answers."""
    async with asyncio.timeout(10):
        while transport.written.count(b"HTTP/1.1 ") < count:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    return bytes(transport.written)


def problem_of(answer: bytes) -> dict[str, Any]:
    """Return the problem document of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json\r\n" in head.lower() + b"\r\n"
    assert b"x-content-type-options: nosniff" in head.lower()
    document: dict[str, Any] = json.loads(body)
    assert head.split()[1] == str(document["status"]).encode()
    return document


@pytest.mark.contract("H7")
@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"BREW / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 10_000 + b"\r\n", 431),
    ],
)
async def test_what_is_no_request(connect: Callable[..., Transport], request_bytes: bytes, status: int) -> None:
    """What cannot be read, or is longer than any browser's, is answered with a problem document, and the connection closed."""
    transport = connect()
    transport.protocol.data_received(request_bytes)
    assert problem_of(await until_closed(transport))["status"] == status


async def test_a_head_without_end(connect: Callable[..., Transport]) -> None:
    """Nothing is remembered without bound of a head that does not end, in whatever pieces it comes."""
    transport = connect()
    transport.protocol.data_received(b"GET / HTTP/1.1\r\nX: ")
    sent = 0
    while not transport.closed:
        transport.protocol.data_received(b"a" * 1000)
        sent += 1000
        assert sent < 100_000
    assert problem_of(bytes(transport.written))["status"] == 431


@pytest.mark.parametrize(
    "begun", [b"", b"GET /ws HTTP/1.1\r\n", b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n"]
)
async def test_half_a_request(connect: Callable[..., Transport], begun: bytes) -> None:
    """Who does not finish what it asks within the deadline is closed, and who has begun hears why."""
    transport = connect(0.05)
    if begun:
        transport.protocol.data_received(begun)
    answer = await until_closed(transport)
    if begun.startswith(b"GET"):
        assert problem_of(answer)["status"] == 408
    elif not begun:
        assert answer == b""


async def test_half_a_request_after_a_whole_one(connect: Callable[..., Transport]) -> None:
    """The deadline begins anew with each answer, and single bytes do not put it off."""
    transport = connect(0.05)
    transport.protocol.data_received(GET)
    await answered(transport)
    transport.protocol.data_received(b"GET /")
    while not transport.closed:
        transport.protocol.data_received(b"a")
        await asyncio.sleep(0)
    _, _, last = bytes(transport.written).rpartition(b"HTTP/1.1 ")
    assert problem_of(b"HTTP/1.1 " + last)["status"] == 408


async def test_an_answer_that_is_not_read(connect: Callable[..., Transport]) -> None:
    """A connection that is closed but whose client never reads the rest is given up."""
    transport = connect(0.05)
    transport.unread = 100_000
    transport.protocol.data_received(GET)
    await answered(transport)
    async with asyncio.timeout(10):
        while not transport.aborted:  # noqa: ASYNC110 - each turn of the loop is what is waited for
            await asyncio.sleep(0)


async def test_an_answer_that_is_read_slowly(connect: Callable[..., Transport]) -> None:
    """A client that reads, however slowly, is waited for."""
    transport = connect(0.05)
    transport.unread = 100_000
    transport.protocol.data_received(GET)
    await answered(transport)
    while transport.unread:
        assert not transport.aborted
        transport.unread -= 500
        await asyncio.sleep(0.001)
    assert not transport.aborted


async def test_requests_in_one_go(connect: Callable[..., Transport]) -> None:
    """A few requests may come at once and are answered in order; very many end the connection."""
    transport = connect()
    transport.protocol.data_received(GET * 3)
    assert (await answered(transport, 3)).count(b"HTTP/1.1 200") == 3
    flood = connect()
    flood.protocol.data_received(GET * 100)
    assert flood.closed


async def test_a_client_that_goes_before_its_answers(
    connect: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When a client goes while several requests wait, nothing is written any more, and it is no error of the server's."""
    transport = connect()
    protocol, before = transport.protocol, len(asyncio.all_tasks())
    protocol.data_received(GET * 3)
    transport.close()
    monkeypatch.setattr(transport, "write", lambda _: pytest.fail("written to a connection that is gone"))
    protocol.connection_lost(None)
    async with asyncio.timeout(10):
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - each turn of the loop is what is waited for
            await asyncio.sleep(0)
    assert not caplog.records


@pytest.mark.parametrize("extra", [b"", b"Content-Length: 0\r\n"], ids=["direct", "asgi"])
async def test_a_websocket_behind_a_request_that_waits(
    connect: Callable[..., Transport], hub: Hub, extra: bytes
) -> None:
    """A handshake that comes before the last answer has left is refused: that answer would be no frame of a websocket."""
    transport = connect()
    transport.protocol.data_received(GET + UPGRADE.replace(b"\r\n\r\n", b"\r\n" + extra + b"\r\n"))
    await until_closed(transport)
    assert not hub.clients
    assert b"HTTP/1.1 101" not in transport.written


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_websocket_without_an_upgrade(connect: Callable[..., Transport], method: str) -> None:
    """Who asks for the websocket as if it were a page is told what it is."""
    transport = connect()
    transport.protocol.data_received(GET.replace(b"GET /api/v1/grid", method.encode() + b" /ws"))
    answer = await answered(transport)
    assert answer.startswith(b"HTTP/1.1 426" if method == "GET" else b"HTTP/1.1 405")
    if method == "GET":
        assert b"upgrade: websocket" in answer.lower()
        assert "websocket" in problem_of(answer)["detail"]


async def test_head_and_options(connect: Callable[..., Transport]) -> None:
    """HEAD is answered like GET, without the body; OPTIONS says what there is."""
    whole, head, options = connect(), connect(), connect()
    whole.protocol.data_received(GET)
    head.protocol.data_received(GET.replace(b"GET", b"HEAD"))
    options.protocol.data_received(GET.replace(b"GET", b"OPTIONS"))
    got = (await answered(whole)).partition(b"\r\n\r\n")
    assert (await answered(head)).partition(b"\r\n\r\n")[::2] == (got[0], b"")
    assert b"content-length: %d" % len(got[2]) in got[0].lower()
    assert b"allow: " in (await answered(options)).lower()
