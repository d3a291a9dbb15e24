"""Binary log events made by hand, byte by byte as MySQL's source describes them."""

from __future__ import annotations

import struct
from uuid import UUID

import zstandard

from isotherm_cdc.binlog import events
from isotherm_cdc.binlog.events import Event

ORIGIN = "a65333b1-e821-11f1-8912-02fc00000001"


def gtid(number: int) -> Event:
    """The beginning of transaction `number`."""
    body = (
        b"\x01"
        + UUID(ORIGIN).bytes
        + struct.pack("<Q", number)
        + b"\x02"
        + bytes(16)
        + (1_000_000).to_bytes(7, "little")
    )
    return Event(events.GTID, 0, body)


def query(sql: str, *, flags: int = 0, schema: str = "d", status: bytes = b"", encoding: str = "utf-8") -> Event:
    """A statement."""
    head = struct.pack("<IIBHH", 1, 0, len(schema), 0, len(status))
    return Event(events.QUERY, flags, head + status + schema.encode() + b"\0" + sql.encode(encoding))


def xid() -> Event:
    """COMMIT."""
    return Event(events.XID, 0, bytes(8))


def table_map(table_id: int = 1, name: str = "t", *, schema: str = "d", metadata: bool = True) -> Event:
    """The table (a INT PRIMARY KEY, b INT)."""
    body = table_id.to_bytes(6, "little") + b"\1\0"
    body += bytes([len(schema)]) + schema.encode() + b"\0" + bytes([len(name)]) + name.encode() + b"\0"
    body += b"\2\3\3\0\2"
    if metadata:
        body += b"\x01\x01\0" + b"\x04\x04\x01a\x01b" + b"\x08\x01\0"
    return Event(events.TABLE_MAP, 0, body)


def rows(kind: int, *images: bytes, table_id: int = 1, present: bytes = b"\3") -> Event:
    """A row event of version 2; `images` are `image()`s."""
    bitmaps = present * (2 if kind == events.UPDATE_ROWS[1] else 1)
    return Event(kind, 0, table_id.to_bytes(6, "little") + b"\1\0\2\0\2" + bitmaps + b"".join(images))


def image(a: int, b: int) -> bytes:
    """A row."""
    return b"\0" + struct.pack("<ii", a, b)


def insert(a: int, b: int = 0, table_id: int = 1) -> Event:
    """One row inserted."""
    return rows(events.WRITE_ROWS[1], image(a, b), table_id=table_id)


def xa_prepare(*, one_phase: bool = False) -> Event:
    """XA PREPARE, or XA COMMIT … ONE PHASE."""
    return Event(events.XA_PREPARE, 0, bytes([one_phase]) + bytes(12))


def framed(event: Event) -> bytes:
    """An event with its header, without a checksum."""
    size = events.HEADER.size + len(event.body)
    return events.HEADER.pack(0, event.kind, 1, size, 0, event.flags) + event.body


def payload(*inner: Event) -> Event:
    """A compressed transaction."""
    data = zstandard.ZstdCompressor().compress(b"".join(map(framed, inner)))
    fields = b"\x02\x01\x00" + b"\x01\x03\xfc" + struct.pack("<H", len(data)) + b"\x00"
    return Event(events.TRANSACTION_PAYLOAD, 0, fields + data)
