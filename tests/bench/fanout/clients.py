"""Clients that cost little: bare sockets that look at nothing but the seq of what comes."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import struct
import time
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 512 * 1024
_HEAD_BYTES = 160
_COMPRESSED = 0x40
_HANDSHAKES_AT_A_TIME = 128
_SEQ = re.compile(rb'"seq":(\d+)')


@dataclass
class Seen:
    """What the clients have seen.

    Attributes:
        last_at: when the last client had a change, by seq.
        counts: how many clients have it, by seq.
        ready: how many clients have what they begin with.
        lost: how many connections have ended.
        bytes_received: all of it, frames included.
    """

    last_at: dict[int, float] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    ready: int = 0
    lost: int = 0
    bytes_received: int = 0

    def arrived(self, seq: int) -> None:
        """Note that a client has a change."""
        self.last_at[seq] = time.time()
        self.counts[seq] = self.counts.get(seq, 0) + 1


class Reader(asyncio.BufferedProtocol):
    """One client; all share one buffer, since each chunk is looked at before the next is read."""

    buffer = bytearray(_CHUNK_BYTES)

    def __init__(self, host: str, path: str, protocol: str | None, seen: Seen, *, compression: bool) -> None:
        self.host, self.path, self.protocol, self.seen, self.compression = host, path, protocol, seen, compression
        self.upgraded = False
        self.carry = b""
        self.left = 0
        self.seq = 0

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return where the next chunk goes."""
        del sizehint
        return self.buffer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        subprotocol = f"Sec-WebSocket-Protocol: {self.protocol}\r\n" if self.protocol else ""
        # As Chromium offers it.
        extensions = (
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" if self.compression else ""
        )
        self.transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\nOrigin: http://{self.host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{subprotocol}{extensions}\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it."""
        del exc
        self.seen.lost += 1

    def buffer_updated(self, nbytes: int) -> None:
        """Look at a chunk: skip what is left of a message, then begin with the next."""
        self.seen.bytes_received += nbytes
        if self.left >= nbytes and self.upgraded:
            self.left -= nbytes
            if not self.left:
                self._done()
            return
        data = self.carry + self.buffer[:nbytes]
        self.carry = b""
        at = 0
        if not self.upgraded:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.carry = bytes(data)
                return
            assert data.startswith(b"HTTP/1.1 101"), bytes(data[:200])
            self.upgraded, at = True, end + 4
            self.opened()
        while at < len(data):
            if self.left:
                taken = min(self.left, len(data) - at)
                self.left -= taken
                at += taken
                if not self.left:
                    self._done()
                continue
            header = _header(data, at)
            if header is None or len(data) - at < header[0] + min(header[1], _HEAD_BYTES):
                self.carry = bytes(data[at:])
                return
            compressed = data[at] & _COMPRESSED
            at += header[0]
            self.left = header[1]
            head = bytes(data[at : at + min(header[1], _HEAD_BYTES)])
            self.begin(_inflated(head) if compressed else head)
            if not self.left:
                self._done()

    def _done(self) -> None:
        if self.seq:
            self.seen.arrived(self.seq)
            self.seq = 0

    def send(self, text: bytes) -> None:
        """Send a text message of any length, masked with zeros."""
        size = len(text)
        length = bytes((0x80 | size,)) if size < 126 else bytes((0xFE,)) + struct.pack(">H", size)
        self.transport.write(b"\x81" + length + bytes(4) + text)

    def opened(self) -> None:
        """Say what the client has."""

    def begin(self, head: bytes) -> None:
        """Look at the beginning of a message."""


@lru_cache(256)
def _inflated(head: bytes) -> bytes:
    """Return the beginning of a compressed message; all clients get the same."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(head, _HEAD_BYTES)


def _header(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Return the sizes of a frame's header and payload."""
    if len(data) - at < 2:
        return None
    length = data[at + 1] & 0x7F
    if length < 126:
        return 2, length
    size, code = (4, ">H") if length == 126 else (10, ">Q")
    return None if len(data) - at < size else (size, struct.unpack_from(code, data, at + 2)[0])


def _seq(head: bytes) -> int:
    found = _SEQ.search(head)
    assert found is not None
    return int(found[1])


class IsothermReader(Reader):
    """A client of Isotherm, in either format."""

    resume: bytes

    def opened(self) -> None:
        """Resume."""
        self.send(self.resume)

    def begin(self, head: bytes) -> None:
        """Find the seq of a delta; answer pings; a snapshot, or hello to who resumes, makes ready."""
        if head[0] == 2:
            self.seq = struct.unpack_from("<Q", head, 16)[0]
        elif head.startswith(b'{"type":"delta"'):
            self.seq = _seq(head)
        elif head.startswith(b'{"type":"ping"'):
            self.send(b'{"type":"pong"}')
        elif head[0] == 1 or head.startswith(b'{"type":"snapshot"') or b'"mode":"resumed"' in head:
            self.seen.ready += 1


class FlaskReader(Reader):
    """A client of Flask-SocketIO: Engine.IO's and Socket.IO's packets over a websocket."""

    resume: bytes

    def begin(self, head: bytes) -> None:
        """Find the seq of a delta; answer what Engine.IO asks."""
        if head.startswith(b'42["delta"'):
            self.seq = _seq(head)
        elif head.startswith(b"0{"):
            self.send(b"40")
        elif head.startswith(b"40"):
            self.send(b'42["resume",' + self.resume + b"]")
        elif head == b"2":
            self.send(b"3")
        elif head.startswith(b"42["):
            self.seen.ready += 1


def resume_message(stream: str | None, seq: int, geometry: str | None) -> bytes:
    """Return what a client says that it has."""
    return json.dumps({"type": "resume", "stream": stream, "seq": seq, "geometry": geometry}).encode()


async def connect(count: int, port: int, make: Any, seen: Seen) -> tuple[list[Reader], float]:
    """Connect so many clients and return them, and how long it took until all were ready."""
    loop = asyncio.get_running_loop()
    readers: list[Reader] = []
    began, ready = time.monotonic(), seen.ready

    async def worker(numbers: Iterator[int]) -> None:
        for _ in numbers:
            _, reader = await loop.create_connection(make, "127.0.0.1", port)
            readers.append(reader)

    numbers = iter(range(count))
    await asyncio.gather(*(worker(numbers) for _ in range(_HANDSHAKES_AT_A_TIME)))
    while seen.ready - ready < count:
        assert not seen.lost, f"{seen.lost} connections ended while connecting"
        await asyncio.sleep(0.005)
    return readers, time.monotonic() - began
