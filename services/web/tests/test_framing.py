"""Frames: what the server prepares for everyone, and what it reads itself instead of the websocket library."""

from __future__ import annotations

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from isotherm_web.framing import client_text, deflated_frame, payload_bytes, server_frame

LARGEST = 4096


def client(*, deflate: bool = False) -> ClientProtocol:
    """Return a client that is connected."""
    made = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    if deflate:
        made.extensions = [PerMessageDeflate(True, True, 15, 15)]
    return made


def read(protocol: Protocol, data: bytes) -> list[Frame]:
    """Return what one side reads from bytes."""
    protocol.receive_data(data)
    return [event for event in protocol.events_received() if isinstance(event, Frame)]


@given(payload=st.binary(max_size=300) | st.text(max_size=300), deflate=st.booleans())
def test_frames_are_what_clients_read(payload: str | bytes, *, deflate: bool) -> None:
    """A payload comes out as it went in, text as text, compressed or not."""
    frame = deflated_frame(payload) if deflate else server_frame(payload)
    (event,) = read(client(deflate=deflate), frame)
    assert event.opcode is (Opcode.TEXT if isinstance(payload, str) else Opcode.BINARY)
    assert bytes(event.data) == (payload.encode() if isinstance(payload, str) else payload)
    assert event.fin


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536])
def test_frames_of_every_length(size: int) -> None:
    """The three forms of a length meet where they should."""
    assert len(read(client(), server_frame(bytes(size)))[0].data) == size
    assert payload_bytes(server_frame(bytes(size))) == size


def test_each_message_is_compressed_by_itself() -> None:
    """So that one frame serves a client that has had others, or none, before."""
    frames = [deflated_frame(text * 100) for text in ("warm", "cold")]
    old, new = client(deflate=True), client(deflate=True)
    read(old, frames[0])
    assert read(old, frames[1]) == read(new, frames[1])
    assert len(frames[1]) < 40


@given(text=st.text(max_size=200), deflate=st.booleans())
def test_what_clients_send_is_read(text: str, *, deflate: bool) -> None:
    """A whole text message is read as it was sent."""
    sender = client(deflate=deflate)
    sender.send_text(text.encode())
    assert client_text(b"".join(sender.data_to_send()), LARGEST, deflate=deflate) == text.encode()


@st.composite
def nearly_frames(draw: st.DrawFn) -> bytes:
    """Bytes that may be a message: one in any form, damaged, cut or followed by more."""
    size = draw(st.sampled_from([0, 1, 5, 125, 126, 127, 4096, 4097]) | st.integers(0, 300))
    first = draw(st.sampled_from([0x81, 0xC1, 0x01, 0x80, 0x82, 0x89, 0x8A, 0x88, 0xA1, 0xF1]))
    form = draw(st.sampled_from(["right", "right", "long", "longest"]))
    masked = draw(st.sampled_from([0x80, 0x80, 0x80, 0]))
    if form == "right" and size <= 125:
        header = bytes((first, masked | size))
    elif form == "longest":
        header = bytes((first, masked | 127)) + size.to_bytes(8, "big")
    else:
        header = bytes((first, masked | 126)) + size.to_bytes(2, "big")
    body = draw(st.binary(min_size=4, max_size=4)) + draw(st.binary(max_size=16)).ljust(size, b"a")[:size]
    return (header + body)[: draw(st.none() | st.integers(0, 12))] + draw(st.just(b"") | st.binary(max_size=3))


@given(data=nearly_frames() | st.binary(max_size=20), deflate=st.booleans())
def test_nothing_is_read_that_the_library_reads_otherwise(data: bytes, *, deflate: bool) -> None:
    """Whatever the bytes: what is read here is exactly what the websocket library reads from them."""
    text = client_text(data, LARGEST, deflate=deflate)
    if text is None:
        return
    library = ServerProtocol(state=State.OPEN, max_size=LARGEST)
    if deflate:
        library.extensions = [PerMessageDeflate(True, True, 15, 15)]
    (event,) = read(library, data)
    assert (event.opcode, event.fin, bytes(event.data)) == (Opcode.TEXT, True, text)
    assert library.parser_exc is None


def test_what_unpacks_to_much_is_not_read() -> None:
    """A compressed message is never unpacked beyond what a message may have."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = (compressor.compress(bytes(10_000_000)) + compressor.flush(zlib.Z_SYNC_FLUSH))[:4000]
    mask = os.urandom(4)
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(packed))
    data = b"\xc1\xfe" + len(packed).to_bytes(2, "big") + mask + body
    assert client_text(data, LARGEST, deflate=True) is None
