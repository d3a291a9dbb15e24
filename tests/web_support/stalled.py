"""A browser that asks for the map and then never reads."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import TYPE_CHECKING

from isotherm_local.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECEIVE_BUFFER_BYTES = 2048


@contextlib.contextmanager
def stalled_client(port: int) -> Iterator[None]:
    """Hold such a browser's connection to the web server on `port`, uncompressed JSON."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        connection.connect((HOST, port))
        connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {HOST}:{port}\r\nOrigin: http://{HOST}:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Protocol: isotherm.v1.json\r\n\r\n".encode()
        )
        # The resume comes after the answer to the handshake, as of any client that keeps to the rules.
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1)
        said = json.dumps({"type": "resume", "stream": None, "seq": 0, "geometry": None}).encode()
        connection.sendall(bytes([0x81, 0x80 | len(said), 0, 0, 0, 0]) + said)
        yield
