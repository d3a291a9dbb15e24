"""From the bytes of a connection to events: MySQL's packets and the events' headers and checksums, a chunk at a time.

Whole chunks, because what is read with one call to the system should cost one call of everything else too.
"""

from __future__ import annotations

import struct
import zlib

from isotherm_cdc.binlog import events
from isotherm_cdc.binlog.events import CHECKSUM_BYTES, FORMAT_DESCRIPTION, HEADER, Event

_PACKET_CONTINUES = 0xFFFFFF
_PACKET_HEADER_BYTES = 4
_OK = 0x00
_FRONT = struct.Struct("<IB4xB4xI4xH")
"""A packet's size and number, its status, and of the event's header the type, the size and the flags."""
_BODY_AT = _FRONT.size
_CHECKED = 0x2144DF1C
"""The CRC-32 of whatever is followed by its own CRC-32 (RFC 1952 uses the same polynomial; the residue is its property)."""


class Refusal(Exception):  # noqa: N818 - the server's, not an error of ours
    """A packet that holds no event: the server ends the stream."""

    def __init__(self, packet: bytes) -> None:
        super().__init__(packet)
        self.packet = packet


class Framer:
    """Cuts what a connection brings into events; a new connection needs a new one."""

    def __init__(self, *, checksum: bool = True) -> None:
        """Begin between two packets.

        Args:
            checksum: whether events have checksums until an event says otherwise.
        """
        self._checksum = checksum
        self._rest: list[bytes] = []
        self._parts: list[bytes] = []
        self.missing_bytes = 0
        """How many more bytes the packet needs that has come in part."""
        self.refusal: Refusal | None = None
        """Why the server ends the stream, once it has said so; the events before it count."""

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that are whole with these bytes.

        Raises:
            UnsupportedEvent: one has a wrong length or checksum.
        """
        self._rest.append(data)
        if len(data) < self.missing_bytes:
            self.missing_bytes -= len(data)
            return []
        buffer = b"".join(self._rest) if len(self._rest) > 1 else data
        found, at = self._cut(buffer)
        rest = buffer[at:]
        self._rest = [rest] if rest else []
        return found

    def _cut(self, buffer: bytes) -> tuple[list[Event], int]:
        """Return the events in a buffer, and where the packet begins that is not whole."""
        found: list[Event] = []
        append, new, event_class, crc32, front = found.append, tuple.__new__, Event, zlib.crc32, _FRONT.unpack_from
        view = memoryview(buffer)
        checksums = self._checksum and not self._parts
        at, size = 0, len(buffer)
        self.missing_bytes = _PACKET_HEADER_BYTES
        while size - at > _BODY_AT and self.refusal is None:
            length, status, kind, event_bytes, flags = front(buffer, at)
            length &= _PACKET_CONTINUES
            end = at + _PACKET_HEADER_BYTES + length
            if end > size:
                break
            if (
                event_bytes != length - 1
                or status
                or kind == FORMAT_DESCRIPTION
                or length == _PACKET_CONTINUES
                or not checksums
            ):
                self._slow(buffer[at + _PACKET_HEADER_BYTES : end], found)
                checksums = self._checksum and not self._parts
                at = end
                continue
            if crc32(view[at + 5 : end]) != _CHECKED:
                # Says what is wrong with it.
                events.parse_event(buffer[at + 5 : end], checksum=True)
            append(new(event_class, (kind, flags, buffer[at + _BODY_AT : end - CHECKSUM_BYTES])))
            at = end
        while size - at >= _PACKET_HEADER_BYTES and self.refusal is None:
            length = int.from_bytes(buffer[at : at + 3], "little")
            end = at + _PACKET_HEADER_BYTES + length
            if end > size:
                self.missing_bytes = end - size
                return found, at
            self._slow(buffer[at + _PACKET_HEADER_BYTES : end], found)
            at = end
        self.missing_bytes = max(_PACKET_HEADER_BYTES - (size - at), 1)
        return found, at

    def _slow(self, payload: bytes, found: list[Event]) -> None:
        """Take a packet that is rare: a part of a larger one, a refusal, or an event that is not like most."""
        self._parts.append(payload)
        if len(payload) == _PACKET_CONTINUES:
            return
        packet = b"".join(self._parts)
        self._parts = []
        if packet[:1] != bytes([_OK]):
            self.refusal = Refusal(packet)
            return
        data = packet[1:]
        if len(data) >= HEADER.size:
            described = events.described_checksum(data)
            if described is not None:
                self._checksum = described
        found.append(events.parse_event(data, checksum=self._checksum))
