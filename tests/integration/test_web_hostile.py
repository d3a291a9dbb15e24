"""A real web process and clients that keep to no rule: half requests, answers unread, spoofed addresses, storms, standstills."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Frame, Opcode

from isotherm_web.client import connect
from web_support.fake_cdc import FakeCdc, location, weather
from web_support.web_process import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from isotherm_local.harness import Mongodb

PLACES = 1500
ESTABLISHED = "01"


@pytest.fixture
def cdc(mongodb: Mongodb) -> Iterator[Any]:
    """A pipeline that has written many locations (seq 1) and the weather of one (seq 2)."""
    database = f"hostile_{secrets.token_hex(4)}"
    with MongoClient(mongodb.uri) as client:
        made = FakeCdc(client, database).create()
        made.commit({"locations": [location(number, 10.0, number / 10) for number in range(PLACES)]}, snapshot=True)
        made.commit({"weather_data": [weather(1, 1.0)]})
        yield made
        client.drop_database(database)


def connections_to(port: int) -> int:
    """Return how many connections a server holds open on a port of this machine."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(local.endswith(f":{port:04X}") and state == ESTABLISHED for _, local, _, state, *_ in lines)


def opened(port: int, sent: bytes) -> socket.socket:
    """Return a connection on which something was sent."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    made.connect(("127.0.0.1", port))
    made.sendall(sent)
    return made


def request(port: int, path: str, *more: str) -> bytes:
    """Return a request."""
    return "\r\n".join((f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *more, "", "")).encode()


def handshake(port: int, *more: str) -> bytes:
    """Return a websocket's handshake."""
    return request(
        port,
        "/ws",
        f"Origin: http://127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: isotherm.v1.json",
        *more,
    )


async def test_who_does_not_finish_or_does_not_read_holds_nothing(
    make_web: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Connections without a request, with a half one, and with an answer that is never read are all given up."""
    web = make_web(WEB_REQUEST_TIMEOUT_SECONDS="1").start()
    async with connect(web.websocket) as client:
        await client.until(2)
        unread = request(web.port, "/api/v1/frames?layer=temperature_2m", "Accept: application/json") * 12
        held = [
            opened(web.port, sent)
            for sent in (b"", b"GET /", handshake(web.port)[:-2], request(web.port, "/")[:-9], unread, unread)
            for _ in range(5)
        ]
        try:
            await asyncio.to_thread(wait_for, lambda: connections_to(web.port) > 20, "the connections", 20)
            await asyncio.to_thread(wait_for, lambda: connections_to(web.port) == 1, "them to be given up", 40)
        finally:
            for connection in held:
                connection.close()
        assert client.socket.close_code is None
    web.stop()
    assert [line for line in capfd.readouterr().err.splitlines() if '"level": "error"' in line] == []


@pytest.mark.contract("W10")
async def test_the_cap_of_an_address_holds(make_web: Callable[..., Any]) -> None:
    """However many come at once, and whatever they say of who they are, an address has so many connections."""
    web = make_web(WEB_MAX_CONNECTIONS_PER_ADDRESS="7").start()
    held = [opened(web.port, handshake(web.port, f"X-Forwarded-For: 192.0.2.{number}")) for number in range(40)]
    try:
        codes: Counter[bytes] = Counter()
        for connection in held:
            connection.settimeout(1)
            answer = b""
            with contextlib.suppress(TimeoutError):
                while not answer.endswith(b"address has as many connections as it may"):
                    part = await asyncio.to_thread(connection.recv, 4096)
                    answer += part
                    if not part:
                        break
            assert answer.startswith(b"HTTP/1.1 101 ")
            codes[answer.partition(b"\r\n\r\n")[2][2:4]] += 1
        assert codes == {b"": 7, (4003).to_bytes(2, "big"): 33}
        assert web.metric('isotherm_web_clients{format="isotherm.v1.json"}') == 7
    finally:
        for connection in held:
            connection.close()


@pytest.mark.contract("W10", "E5")
async def test_sigterm_in_a_storm(make_web: Callable[..., Any], capfd: pytest.CaptureFixture[str]) -> None:
    """A process that ends while clients connect, are half connected or say nothing ends in time and sends everyone elsewhere."""
    web = make_web().start()
    codes: Counter[int] = Counter()
    ended = asyncio.Event()

    async def come_again() -> None:
        while not ended.is_set():
            try:
                async with connect(web.websocket, open_seconds=5) as client:
                    while True:
                        await client.receive()
            except ConnectionClosed as closed:
                codes[closed.rcvd.code if closed.rcvd else 1006] += 1
            except (OSError, WebSocketException, TimeoutError):
                await asyncio.sleep(0.01)  # the server is gone: whoever waits for its end has a turn

    half = [opened(web.port, handshake(web.port)[:-size]) for size in (1, 2, 60) for _ in range(5)]
    silent = [opened(web.port, handshake(web.port)) for _ in range(5)]
    clients = [asyncio.create_task(come_again()) for _ in range(20)]
    try:
        live = 'isotherm_web_clients{format="isotherm.v1.bin"}'
        await asyncio.to_thread(wait_for, lambda: web.metric(live) == 20, "the clients", 30)
        web.signal(signal.SIGTERM)
        assert await asyncio.to_thread(web.wait) == 0
    finally:
        ended.set()
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        for connection in (*half, *silent):
            connection.close()
    assert codes[1012] >= 20
    assert set(codes) <= {1012, 1006}
    assert [line for line in capfd.readouterr().err.splitlines() if '"level": "error"' in line] == []


@pytest.mark.contract("W10", "E5")
async def test_sigterm_with_clients_that_do_not_read(
    make_web: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Clients that went without a word, with much still to be sent to them, keep no process, and are no error in its log."""
    web = make_web().start()
    many = request(web.port, "/api/v1/frames?layer=temperature_2m", "Accept: application/json") * 12
    held = [opened(web.port, sent) for sent in (handshake(web.port), many) for _ in range(3)]
    try:
        for connection in held[:3]:
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += await asyncio.to_thread(connection.recv, 1)
            tiles = [f'{{"type":"subscribe","tile":"{("world", "east")[number % 2]}"}}' for number in range(15)]
            for said in ('{"type":"resume","stream":null,"seq":0,"geometry":null}', *tiles):
                connection.sendall(Frame(Opcode.TEXT, said.encode()).serialize(mask=True))
                await asyncio.sleep(0.01)  # so that each is answered by itself
        taken = 'isotherm_web_messages_received_total{type="subscribe"}'
        await asyncio.to_thread(wait_for, lambda: web.metric(taken) == 45, "the subscriptions", 30)
        web.signal(signal.SIGTERM)
        assert await asyncio.to_thread(web.wait) == 0
    finally:
        for connection in held:
            connection.close()
    assert [line for line in capfd.readouterr().err.splitlines() if '"level": "error"' in line] == []


@pytest.mark.contract("W9")
async def test_a_process_that_stood_still(make_web: Callable[..., Any]) -> None:
    """A process that was paused for longer than a client may be silent closes none of those that answer."""
    web = make_web(WEB_SILENT_AFTER_SECONDS="5", WEB_PING_INTERVAL_SECONDS="0.5").start()
    async with connect(web.websocket) as client:
        answering = asyncio.create_task(_answer(client))
        await asyncio.to_thread(wait_for, lambda: client.received.get("ping", 0) >= 2, "pings")
        web.signal(signal.SIGSTOP)
        stopped_at = time.monotonic()
        await asyncio.to_thread(wait_for, lambda: time.monotonic() > stopped_at + 8, "time to pass")
        web.signal(signal.SIGCONT)
        seen = client.received["ping"]
        await asyncio.to_thread(
            wait_for, lambda: answering.done() or client.received["ping"] > seen + 8, "more pings", 30
        )
        assert not answering.done()
        answering.cancel()


async def _answer(client: Any) -> None:
    """Receive, which answers pings, until the connection ends."""
    while True:
        await client.receive()
