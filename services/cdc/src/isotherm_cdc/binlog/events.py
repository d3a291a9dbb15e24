"""The framing of binary log events: headers, GTID events, statements, compressed transactions."""

from __future__ import annotations

import contextlib
import functools
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import zstandard

from isotherm_cdc.binlog.table_map import packed_integer
from isotherm_cdc.errors import UnsupportedEvent
from isotherm_cdc.values.charsets import decoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUERY, STOP, ROTATE, INTVAR, RAND, USER_VAR, FORMAT_DESCRIPTION, XID = 2, 3, 4, 5, 13, 14, 15, 16
BEGIN_LOAD_QUERY, EXECUTE_LOAD_QUERY, TABLE_MAP, INCIDENT, HEARTBEAT, IGNORABLE, ROWS_QUERY = 17, 18, 19, 26, 27, 28, 29
GTID, ANONYMOUS_GTID, PREVIOUS_GTIDS, TRANSACTION_CONTEXT, VIEW_CHANGE, XA_PREPARE = 33, 34, 35, 36, 37, 38
PARTIAL_UPDATE_ROWS, TRANSACTION_PAYLOAD, HEARTBEAT_V2, GTID_TAGGED = 39, 40, 41, 42
WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS = (23, 30), (24, 31), (25, 32)
IGNORABLE_FLAG, THREAD_SPECIFIC_FLAG = 0x80, 0x4

HEADER = struct.Struct("<IBIIIH")
CHECKSUM_BYTES = 4
_HAS_ORIGINAL_TIMESTAMP = 1 << 55
_BEGIN = b"\0BEGIN"
_PAYLOAD_END, _PAYLOAD_SIZE, _PAYLOAD_COMPRESSION, _PAYLOAD_PLAIN_SIZE = 0, 1, 2, 3
_ZSTD, _UNCOMPRESSED = 0, 255
_NO_CHECKSUM, _CRC32 = 0, 1
_TAG_UUID, _TAG_NUMBER, _TAG_TAG, _TAG_COMMITTED, _TAG_SEQUENCE, _TAG_TIMESTAMP = 1, 2, 3, 4, 5, 6


class Event(NamedTuple):
    """One event.

    Attributes:
        kind: its type code.
        flags: of its header.
        body: what follows the header, without the checksum.
    """

    kind: int
    flags: int
    body: bytes


def described_checksum(data: bytes) -> bool | None:
    """Return whether the events after this one have checksums; None when it does not describe its file.

    `binlog_checksum` may be changed at any time; every file says for itself, and has room for a checksum where it does.

    Raises:
        UnsupportedEvent: they have checksums of a kind that is not known.
    """
    if data[4] != FORMAT_DESCRIPTION:
        return None
    algorithm = data[-CHECKSUM_BYTES - 1]
    if algorithm not in (_NO_CHECKSUM, _CRC32):
        message = f"The binary log has checksums of kind {algorithm}, which is not known."
        raise UnsupportedEvent(message)
    return algorithm == _CRC32


def parse_event(data: bytes, *, checksum: bool) -> Event:
    """Read an event (without the protocol's status byte in front).

    Raises:
        UnsupportedEvent: its length or checksum is wrong.
    """
    if len(data) < HEADER.size:
        message = f"An event of {len(data)} bytes is too short to be one."
        raise UnsupportedEvent(message)
    _, kind, _, size, _, flags = HEADER.unpack_from(data)
    if size != len(data):
        message = f"An event of type {kind} says that it has {size} bytes, but has {len(data)}."
        raise UnsupportedEvent(message)
    if not checksum:
        return Event(kind, flags, data[HEADER.size :])
    view = memoryview(data)
    if zlib.crc32(view[:-CHECKSUM_BYTES]) != int.from_bytes(view[-CHECKSUM_BYTES:], "little"):
        message = f"An event of type {kind} has a wrong checksum."
        raise UnsupportedEvent(message)
    return Event(kind, flags, data[HEADER.size : -CHECKSUM_BYTES])


class Gtid(NamedTuple):
    """What a GTID event says.

    Attributes:
        origin: uuid, or uuid:tag.
        number: the transaction's.
        commit_us: when the source committed it, in µs since 1970.
    """

    origin: str
    number: int
    commit_us: int | None

    def __str__(self) -> str:
        return f"{self.origin}:{self.number}"


def parse_gtid(body: bytes) -> Gtid:
    """Read a GTID event; the commit time stands in what the library leaves unread."""
    commit_us = None
    if len(body) >= 49:  # noqa: PLR2004 - up to and with immediate_commit_timestamp
        commit_us = int.from_bytes(body[42:49], "little") & ~_HAS_ORIGINAL_TIMESTAMP
    return Gtid(_uuid(body[1:17]), int.from_bytes(body[17:25], "little"), commit_us)


@functools.lru_cache(maxsize=256)
def _uuid(data: bytes) -> str:
    return str(UUID(bytes=data))


def parse_tagged_gtid(body: bytes) -> Gtid:
    """Read a tagged GTID event (MySQL's serialisation format: field numbers and variable-length integers)."""
    try:
        return _tagged_gtid(body)
    except IndexError:
        message = f"A tagged GTID event cannot be read: {body.hex()}"
        raise UnsupportedEvent(message) from None


def _tagged_gtid(body: bytes) -> Gtid:
    _, at = variable_integer(body, 0)
    _, at = variable_integer(body, at)
    _, at = variable_integer(body, at)
    uuid = tag = ""
    number = 0
    commit_us = None
    while at < len(body):
        field, at = variable_integer(body, at)
        if field == _TAG_UUID:
            parts = bytearray()
            for _ in range(16):
                byte, at = variable_integer(body, at)
                parts.append(byte)
            uuid = str(UUID(bytes=bytes(parts)))
        elif field == _TAG_NUMBER:
            value, at = variable_integer(body, at)
            number = value >> 1
        elif field == _TAG_TAG:
            size, at = variable_integer(body, at)
            tag = body[at : at + size].decode("ascii")
            at += size
        elif field == _TAG_TIMESTAMP:
            commit_us, at = variable_integer(body, at)
            break
        else:
            _, at = variable_integer(body, at)
    if not uuid or number < 1:
        message = f"A tagged GTID event names no transaction: {body.hex()}"
        raise UnsupportedEvent(message)
    return Gtid(f"{uuid}:{tag}" if tag else uuid, number, commit_us)


def variable_integer(data: bytes, at: int) -> tuple[int, int]:
    """Read an integer whose first byte's trailing ones say how many bytes follow."""
    first = data[at]
    extra = ((first + 1) & ~first).bit_length() - 1
    if extra == 8:  # noqa: PLR2004 - all bits set: eight whole bytes follow
        return int.from_bytes(data[at + 1 : at + 9], "little"), at + 9
    if at + extra >= len(data):
        raise IndexError
    return int.from_bytes(data[at : at + 1 + extra], "little") >> extra + 1, at + 1 + extra


@dataclass(frozen=True, slots=True)
class Query:
    """A statement as it was written.

    Attributes:
        schema: the default schema.
        sql: the statement.
        sql_mode: the session's, as bits.
    """

    schema: str
    sql: str
    sql_mode: int = 0


def is_begin(body: bytes) -> bool:
    """Whether a QUERY event is the BEGIN that nearly every transaction has."""
    return body.endswith(_BEGIN) and int.from_bytes(body[11:13], "little") + body[8] + 13 + len(_BEGIN) == len(body)


def parse_query(body: bytes, charsets: Mapping[int, str]) -> Query:
    """Read a QUERY event.

    Args:
        body: the event's body.
        charsets: the character set of each collation's id.
    """
    schema_size = body[8]
    schema_at = 13 + int.from_bytes(body[11:13], "little")
    statement_at = schema_at + schema_size + 1
    raw = body[statement_at:]
    schema = body[schema_at : schema_at + schema_size].decode(errors="replace")
    if raw in _FREQUENT:
        return Query(schema, _FREQUENT[raw])
    sql_mode, collation = _session(body[13:schema_at])
    return Query(schema, _text(raw, charsets.get(collation or 0)), sql_mode)


_FREQUENT = {b"BEGIN": "BEGIN", b"COMMIT": "COMMIT"}
_FLAGS, _SQL_MODE, _CATALOG_NUL, _AUTO_INCREMENT, _CHARSET, _CATALOG = 0, 1, 2, 3, 4, 6
_FIXED_BYTES = {_FLAGS: 4, _SQL_MODE: 8, _AUTO_INCREMENT: 4, _CHARSET: 6}


def _session(status: bytes) -> tuple[int, int | None]:
    """Return `sql_mode` and the client's collation; both stand before everything whose form depends on the version."""
    sql_mode, collation, at = 0, None, 0
    while at < len(status):
        field = status[at]
        at += 1
        if field == _SQL_MODE:
            sql_mode = int.from_bytes(status[at : at + 8], "little")
        elif field == _CHARSET:
            return sql_mode, int.from_bytes(status[at : at + 2], "little")
        if field in (_CATALOG, _CATALOG_NUL):
            at += 1 + status[at] + (field == _CATALOG_NUL)
        elif field in _FIXED_BYTES:
            at += _FIXED_BYTES[field]
        else:
            break
    return sql_mode, collation


def _text(raw: bytes, charset: str | None) -> str:
    """Decode a statement: what the server wrote itself is UTF-8, what a client sent is in the client's character set."""
    if raw.isascii():
        return raw.decode("ascii")
    if charset is not None and not raw.endswith(_BY_THE_SERVER):
        with contextlib.suppress(UnsupportedEvent):
            text = decoder(charset)(raw)
            if isinstance(text, str):
                return text
    return raw.decode(errors="replace")


_BY_THE_SERVER = b"/* generated by server */"


def unpack_transaction(body: bytes) -> Iterator[Event]:
    """Yield the events in a compressed transaction.

    Raises:
        UnsupportedEvent: it is compressed in a way that is not known, or is broken.
    """
    compression, at = _UNCOMPRESSED, 0
    while True:
        field, at = packed_integer(body, at)
        if field == _PAYLOAD_END:
            break
        size, at = packed_integer(body, at)
        if field == _PAYLOAD_COMPRESSION:
            compression, _ = packed_integer(body, at)
        at += size
    if compression not in (_ZSTD, _UNCOMPRESSED):
        message = f"A transaction is compressed by method {compression}, which is not known."
        raise UnsupportedEvent(message)
    reader = _Reader(body[at:], compressed=compression == _ZSTD)
    while header := reader.read(HEADER.size):
        size = HEADER.unpack(header)[3]
        yield parse_event(header + reader.read(size - HEADER.size), checksum=False)


class _Reader:
    def __init__(self, data: bytes, *, compressed: bool) -> None:
        self._data = data
        self._at = 0
        self._stream = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) if compressed else None

    def read(self, size: int) -> bytes:
        if self._stream is None:
            self._at += size
            return self._data[self._at - size : self._at]
        parts = []
        try:
            while size and (part := self._stream.read(size)):
                parts.append(part)
                size -= len(part)
        except zstandard.ZstdError as error:
            message = f"A compressed transaction cannot be unpacked: {error}"
            raise UnsupportedEvent(message) from None
        return b"".join(parts)
