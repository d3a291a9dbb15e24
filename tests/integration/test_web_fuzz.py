"""Rubbish on the wire of a real web process: requests and frames that are none, too large, cut short, or of the wrong kind."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from isotherm_web.client import connect
from web_support import fake_cdc
from web_support.web_process import WebProcess, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Mongodb

ROUNDS = 80
RESUME = b'{"type":"resume","stream":null,"seq":0,"geometry":null}'
PATIENCE_SECONDS = 0.05


@pytest.fixture
def web(mongodb: Mongodb) -> Iterator[Any]:
    """A web process over three locations, with patience for many connections."""
    with MongoClient(mongodb.uri) as client:
        cdc = fake_cdc.FakeCdc(client, f"fuzz_{secrets.token_hex(4)}").create()
        cdc.commit({"locations": [fake_cdc.location(number, 10.0, number) for number in range(3)]})
        cdc.commit({"weather_data": [fake_cdc.weather(1)]})
        started = WebProcess(mongodb.uri, cdc.db.name, WEB_MAX_CONNECTIONS_PER_ADDRESS="1000").start()
        yield started
        started.stop()
        client.drop_database(cdc.db.name)


def frame(chance: random.Random, payload: bytes) -> bytes:
    """Return a frame that is right, or wrong in one way or another."""
    first = chance.choice((0x81, 0x82, 0x01, 0x80, 0x88, 0x89, 0x8A, 0xF1, 0x83, chance.randrange(256)))
    masked = 0x80 if chance.random() < 0.9 else 0
    length = chance.choice((len(payload), len(payload), len(payload), 125, 126, 127))
    if length == 126:
        header = bytes([first, masked | 126]) + struct.pack(">H", chance.randrange(65536))
    elif length == 127:
        header = bytes([first, masked | 127]) + struct.pack(">Q", chance.getrandbits(chance.choice((13, 30, 63))))
    else:
        header = bytes([first, masked | min(length, 125)])
    return header + (bytes(4) if masked else b"") + payload


def rubbish(chance: random.Random) -> bytes:
    """Return what one client sends after the handshake."""
    parts = [RESUME, b'{"type":"pong"}', b"[" * 120, b"\xff\xfe", chance.randbytes(chance.randrange(120)), b""]
    sent = b"".join(frame(chance, chance.choice(parts)) for _ in range(chance.randrange(1, 40)))
    return sent[: chance.randrange(1, len(sent) + 1)]


def nearly_http(chance: random.Random, port: int) -> bytes:
    """Return requests that are right, or wrong in one way or another, one after the other."""
    path = chance.choice(
        ("/", "/ws", "/api/v1/grid", "/api/v1/frames?layer=temperature_2m&step=900", "*", "/%00", "/" + "a" * 9000)
    )
    fields = [
        f"Host: 127.0.0.1:{port}",
        "Accept-Encoding: br",
        "Content-Length: " + chance.choice(("0", "5", "-1", "99999999999", "x")),
        "Transfer-Encoding: chunked",
        "Connection: " + chance.choice(("close", "keep-alive", "Upgrade", "\x00")),
        "Upgrade: " + chance.choice(("websocket", "h2c")),
        "Expect: 100-continue",
        "If-None-Match: *",
        "X: " + "y" * chance.choice((1, 9000, 40_000)),
    ]
    chosen = chance.sample(fields, chance.randrange(len(fields)))
    method = chance.choice(("GET", "GET", "HEAD", "POST", "OPTIONS", "TRACE", "CONNECT", "PRI", "\xff"))
    version = chance.choice(("HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", ""))
    head = "\r\n".join((f"{method} {path} {version}", *chosen, "", "")).encode("latin-1")
    whole = (head + chance.choice((b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n"))) * chance.randrange(1, 4)
    return whole[: chance.choice((len(whole), chance.randrange(1, len(whole) + 1)))]


def attack(port: int, chance: random.Random) -> None:
    """Connect, shake hands or nearly so, send, read a little, and go."""
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: isotherm.v1.json",
    ]
    if chance.random() < 0.4:
        lines.append("Content-Length: 0")  # unusual, so that it goes through Quart
    if chance.random() < 0.2:
        lines[chance.randrange(len(lines))] = chance.choice(("", "X: " + "y" * 9000, "Upgrade: h2c", "\x00"))
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as client:
        if chance.random() < 0.3:
            client.sendall(nearly_http(chance, port))
        else:
            client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        client.settimeout(PATIENCE_SECONDS)
        with contextlib.suppress(TimeoutError):
            client.recv(4096)
        client.sendall(rubbish(chance))
        with contextlib.suppress(TimeoutError):
            client.recv(65536)


@pytest.mark.contract("W10")
@pytest.mark.parametrize("seed", [1, 2])
async def test_rubbish_disturbs_nobody(web: Any, seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    """The process lives and logs no error, a client that behaves never notices, and no connection is left over."""
    chance = random.Random(seed)
    async with connect(web.websocket) as witness:
        async with asyncio.timeout(20):
            await witness.until(2)
        for _ in range(ROUNDS):
            await asyncio.to_thread(attack, web.port, chance)
        assert web.process.poll() is None
        assert web.status("/healthz", web.metrics_port) == 200
        open_now = 'isotherm_web_clients{format="isotherm.v1.json"}'
        await asyncio.to_thread(wait_for, lambda: web.metric(open_now) == 0, "the connections to be gone")
        assert witness.socket.close_code is None
    assert [line for line in capfd.readouterr().err.splitlines() if '"level": "error"' in line] == []
