"""From the bytes of a connection to events, however they are cut."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isotherm_cdc.binlog import events
from isotherm_cdc.binlog.events import Event
from isotherm_cdc.binlog.framing import Framer
from isotherm_cdc.errors import UnsupportedEvent

LARGEST_PACKET = 0xFFFFFF


def event(kind: int, body: bytes, *, checksum: bool = True) -> bytes:
    data = events.HEADER.pack(0, kind, 1, events.HEADER.size + len(body) + 4 * checksum, 0, 8) + body
    return data + struct.pack("<I", zlib.crc32(data)) if checksum else data


def packets(payload: bytes) -> bytes:
    parts = [payload[at : at + LARGEST_PACKET] for at in range(0, len(payload) + 1, LARGEST_PACKET)]
    return b"".join(len(part).to_bytes(3, "little") + bytes([number]) + part for number, part in enumerate(parts))


@given(
    bodies=st.lists(st.binary(max_size=60), max_size=12),
    cuts=st.lists(st.integers(1, 90), min_size=1, max_size=40),
)
def test_however_the_bytes_come(bodies: list[bytes], cuts: list[int]) -> None:
    """Events come out whole and in order, wherever the connection cuts them."""
    stream = b"".join(packets(b"\0" + event(100 + number, body)) for number, body in enumerate(bodies))
    framer, found, at = Framer(), [], 0
    while at < len(stream):
        size = cuts[at % len(cuts)]
        found += framer.feed(stream[at : at + size])
        at += size
    assert found == [Event(100 + number, 8, body) for number, body in enumerate(bodies)]


@pytest.mark.parametrize("difference", [-1, 0, 1, LARGEST_PACKET])
def test_an_event_larger_than_a_packet(difference: int) -> None:
    """An event of 16 MiB and more comes in several packets; the one after it is read too."""
    body = bytes(LARGEST_PACKET - 1 - events.HEADER.size - 4 + difference)
    stream = packets(b"\0" + event(30, body)) + packets(b"\0" + event(16, b"next"))
    framer = Framer()
    found = [one for at in range(0, len(stream), 1 << 18) for one in framer.feed(stream[at : at + (1 << 18)])]
    assert [(one.kind, len(one.body)) for one in found] == [(30, len(body)), (16, 4)]


def test_a_damaged_event_is_refused() -> None:
    """A wrong checksum is never passed over."""
    stream = bytearray(packets(b"\0" + event(30, b"some body")))
    stream[30] ^= 1
    with pytest.raises(UnsupportedEvent, match="checksum"):
        Framer().feed(bytes(stream))


def test_a_file_says_whether_it_has_checksums() -> None:
    """Events after a description without checksums are read without."""
    description = event(events.FORMAT_DESCRIPTION, bytes(20) + b"\0", checksum=True)
    stream = packets(b"\0" + description) + packets(b"\0" + event(16, b"body", checksum=False))
    first, second = Framer().feed(stream)
    assert (first.kind, second) == (events.FORMAT_DESCRIPTION, Event(16, 8, b"body"))


def test_the_events_before_a_refusal_count() -> None:
    """The server's error ends the stream, after what it sent before."""
    framer = Framer()
    (only,) = framer.feed(packets(b"\0" + event(16, b"body")) + packets(b"\xff\xd4\x04#HY000purged"))
    assert only.body == b"body"
    assert framer.refusal is not None
    assert framer.refusal.packet.endswith(b"purged")
