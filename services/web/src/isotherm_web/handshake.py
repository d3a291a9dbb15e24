"""The websocket's handshake (RFC 6455), as every browser does it, and its compression (RFC 7692). Pure.

What is unusual in a request is not read here: `read_upgrade` answers None, and the websocket library has its say.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from isotherm_web.protocol import Format

_READ = frozenset(
    (
        b"connection",
        b"host",
        b"origin",
        b"sec-websocket-extensions",
        b"sec-websocket-key",
        b"sec-websocket-protocol",
        b"sec-websocket-version",
        b"upgrade",
    )
)
_BODY = frozenset((b"content-length", b"transfer-encoding"))
_MOST_HEADERS = 128
_LONGEST_HOST_BYTES = 512
_REMEMBERED_OFFERS = 64
_KEY_BYTES = 16
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_DEFLATE = "permessage-deflate"
_ACCEPTED_PARAMETERS = frozenset(("client_max_window_bits", "client_no_context_takeover", "server_no_context_takeover"))
_ANSWERED_DEFLATE = f"{_DEFLATE}; server_no_context_takeover; client_no_context_takeover".encode()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A handshake's request.

    Attributes:
        key: the Sec-WebSocket-Key.
        host: the Host header.
        origin: the Origin header.
        offered: the subprotocols.
        deflate: whether messages may be compressed, each by itself.
    """

    key: bytes
    host: str
    origin: str | None
    offered: list[str]
    deflate: bool


def read_upgrade(headers: Sequence[tuple[bytes, bytes]]) -> Upgrade | None:
    """Read the headers of a GET over HTTP/1.1 that asks for the websocket, their names in lower case; None: unusual."""
    fields = dict(headers)
    if len(headers) > _MOST_HEADERS or not _BODY.isdisjoint(fields):
        return None
    if len(fields) < len(headers):
        names = [name for name, _ in headers if name in _READ]
        if len(set(names)) < len(names):
            return None
    key, host = fields.get(b"sec-websocket-key"), fields.get(b"host")
    if (
        key is None
        or host is None
        or len(host) > _LONGEST_HOST_BYTES
        or not _is_key(key)
        or fields.get(b"sec-websocket-version") != b"13"
        or fields.get(b"upgrade", b"").lower() != b"websocket"
        or b"upgrade" not in [token.strip() for token in fields.get(b"connection", b"").lower().split(b",")]
    ):
        return None
    origin = fields.get(b"origin")
    return Upgrade(
        key,
        host.decode("latin-1"),
        None if origin is None else origin.decode("latin-1"),
        _tokens(fields.get(b"sec-websocket-protocol", b"")),
        deflate=_can_deflate(fields.get(b"sec-websocket-extensions", b"")),
    )


def answer_upgrade(upgrade: Upgrade, wire: Format, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the response that opens the websocket.

    Args:
        upgrade: the request.
        wire: the subprotocol.
        headers: what the server says with every response.
    """
    digest = hashlib.sha1(upgrade.key + _MAGIC, usedforsecurity=False).digest()
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest),
        b"Sec-WebSocket-Protocol: " + wire.value.encode(),
    ]
    if upgrade.deflate:
        lines.append(b"Sec-WebSocket-Extensions: " + _ANSWERED_DEFLATE)
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join((*lines, b"", b""))


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == _KEY_BYTES
    except binascii.Error:
        return False


def _tokens(value: bytes) -> list[str]:
    return [token.strip() for token in value.decode("latin-1").split(",")]


@lru_cache(_REMEMBERED_OFFERS)  # browsers offer one of two or three things
def _can_deflate(offers: bytes) -> bool:
    """Answer whether compression is offered without conditions on what the server's compressor remembers."""
    for offer in _tokens(offers):
        name, *parameters = (part.strip() for part in offer.split(";"))
        names = {parameter.partition("=")[0].strip() for parameter in parameters}
        if name == _DEFLATE and names <= _ACCEPTED_PARAMETERS:
            return True
    return False
