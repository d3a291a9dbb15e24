"""A server's websocket frames (RFC 6455): they are not masked, so one frame is the same for every client."""

from __future__ import annotations

import struct

_FINAL_TEXT, _FINAL_BINARY = 0x81, 0x82
_SHORT, _MEDIUM = 125, 0xFFFF
_MEDIUM_HEADER, _LONG_HEADER = struct.Struct(">BBH"), struct.Struct(">BBQ")
_MEDIUM_FOLLOWS, _LONG_FOLLOWS = 126, 127


def server_frame(payload: str | bytes) -> bytes:
    """Return a whole message as one frame: text for text, bytes as a binary frame."""
    kind, data = (_FINAL_TEXT, payload.encode()) if isinstance(payload, str) else (_FINAL_BINARY, payload)
    size = len(data)
    if size <= _SHORT:
        header = bytes((kind, size))
    elif size <= _MEDIUM:
        header = _MEDIUM_HEADER.pack(kind, _MEDIUM_FOLLOWS, size)
    else:
        header = _LONG_HEADER.pack(kind, _LONG_FOLLOWS, size)
    return header + data
