"""Websocket frames (RFC 6455, RFC 7692): what a server sends is not masked, so one frame is the same for every client.

Compressed messages are too, as long as each is compressed by itself.
"""

from __future__ import annotations

import struct
import zlib

_FINAL_TEXT, _FINAL_BINARY = 0x81, 0x82
_COMPRESSED = 0x40
_MASKED = 0x80
_SHORT, _MEDIUM = 125, 0xFFFF
_MEDIUM_HEADER, _LONG_HEADER = struct.Struct(">BBH"), struct.Struct(">BBQ")
_MEDIUM_FOLLOWS, _LONG_FOLLOWS = 126, 127
_MASK_BYTES = 4
_SMALLEST = 2 + _MASK_BYTES
_RAW_DEFLATE = -15
_LEVEL = 1
"""Better levels save a few percent of the bytes for several times the time, which everyone waits for."""
_END_OF_BLOCK = b"\x00\x00\xff\xff"


def server_frame(payload: str | bytes) -> bytes:
    """Return a whole message as one frame: text for text, bytes as a binary frame."""
    kind, data = _content(payload)
    return _framed(kind, data)


def deflated_frame(payload: str | bytes) -> bytes:
    """Return a whole message as one compressed frame."""
    kind, data = _content(payload)
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW_DEFLATE)
    compressed = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return _framed(kind | _COMPRESSED, compressed.removesuffix(_END_OF_BLOCK))


def payload_bytes(frame: bytes) -> int:
    """Return how much of a frame is not its header."""
    length = frame[1]
    return len(frame) - (2 if length <= _SHORT else 4 if length == _MEDIUM_FOLLOWS else 10)


def client_text(data: bytes, largest: int, *, deflate: bool) -> bytes | None:
    """Return the text that a client sent, when `data` is one whole message of the usual form; None: anything else.

    Args:
        data: what was received.
        largest: bytes that a message may have.
        deflate: whether the client may compress.
    """
    size = len(data)
    if size < _SMALLEST or data[0] & ~_COMPRESSED != _FINAL_TEXT:
        return None
    length, at = data[1] - _MASKED, 2
    shortest, longest = 0, _SHORT
    if length == _MEDIUM_FOLLOWS:
        length, at = int.from_bytes(data[2:4], "big"), 4
        shortest, longest = _SHORT + 1, _MEDIUM
    if not shortest <= length <= min(longest, largest) or size != at + _MASK_BYTES + length:
        return None
    text = _unmask(data, at, length)
    if data[0] & _COMPRESSED:
        return _inflate(text, largest) if deflate else None
    return text


def _content(payload: str | bytes) -> tuple[int, bytes]:
    return (_FINAL_TEXT, payload.encode()) if isinstance(payload, str) else (_FINAL_BINARY, payload)


def _framed(kind: int, data: bytes) -> bytes:
    size = len(data)
    if size <= _SHORT:
        header = bytes((kind, size))
    elif size <= _MEDIUM:
        header = _MEDIUM_HEADER.pack(kind, _MEDIUM_FOLLOWS, size)
    else:
        header = _LONG_HEADER.pack(kind, _LONG_FOLLOWS, size)
    return header + data


def _unmask(data: bytes, at: int, length: int) -> bytes:
    mask = data[at : at + _MASK_BYTES] * (length // _MASK_BYTES + 1)
    masked = int.from_bytes(data[at + _MASK_BYTES :], "big")
    return (masked ^ int.from_bytes(mask[:length], "big")).to_bytes(length, "big")


def _inflate(compressed: bytes, largest: int) -> bytes | None:
    """Return what was compressed; None when it is damaged or too large: the websocket library says so."""
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    try:
        text = inflater.decompress(compressed + _END_OF_BLOCK, largest + 1)
    except zlib.error:
        return None
    return None if len(text) > largest or inflater.unconsumed_tail else text
