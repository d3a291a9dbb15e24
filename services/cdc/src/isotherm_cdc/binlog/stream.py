"""The adapter on mysql-replication: connection and protocol by the library, every event as bytes from there on.

The library registers as a replica, agrees on checksums and heartbeats and asks for the stream; its event classes are not
used, because they drop what they do not know and read some values wrongly. What of it has no public name is used in this
module only, and the library's version is pinned.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pymysql
from pymysqlreplication import BinLogStreamReader, binlogstream  # type: ignore[import-untyped]

from isotherm_cdc.binlog.framing import Framer
from isotherm_cdc.errors import Halt, PositionLost
from isotherm_cdc.mysql import connection_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_cdc.binlog.events import Event
    from isotherm_cdc.gtid import GtidSet
    from isotherm_common.settings import MysqlSettings

HEARTBEAT_SECONDS = 1.0
SILENCE_SECONDS = 10.0
"""After this long without even a heartbeat the connection is taken for lost."""
_SOCKET_BUFFER_BYTES = 256 << 10
_SERVER_WRITE_TIMEOUT_SECONDS = 3600
_ERROR = 0xFF
_FATAL_READING_BINLOG = 1236


class _Position:
    """Takes the place of the library's GtidSet, which knows no tags."""

    def __init__(self, gtids: GtidSet) -> None:
        self._encoded = gtids.encode()
        self.encoded_length = len(self._encoded)

    def encoded(self) -> bytes:
        return self._encoded

    def __bool__(self) -> bool:
        """An empty set is a position too: taken for none, the library would ask the server for its own."""
        return True


class Source:
    """One connection that streams the binary log from behind a set of GTIDs. Any error ends it; make a new one then."""

    def __init__(self, settings: MysqlSettings, position: GtidSet, server_id: int | None = None) -> None:
        """Connect and ask for the stream.

        Args:
            settings: the server.
            position: the transactions not to send.
            server_id: what to register as; None: a random one.
        """
        binlogstream.MYSQL_EXPECTED_ERROR_CODES = []
        binlogstream.GtidSet = lambda gtids: gtids
        arguments = connection_arguments(settings) | {
            "read_timeout": SILENCE_SECONDS,
            # Checksums are asked for whatever the source writes now: older files may have them, and newer ones will.
            "init_command": f"SET SESSION net_write_timeout = {_SERVER_WRITE_TIMEOUT_SECONDS}, sql_big_selects = ON, "
            "@source_binlog_checksum = 'CRC32', @master_binlog_checksum = 'CRC32', "
            f"@source_heartbeat_period = {int(HEARTBEAT_SECONDS * 1e9)}",
        }
        self._reader: Any = BinLogStreamReader(
            connection_settings=arguments,
            server_id=server_id or random.randrange(1 << 30, 1 << 32),  # noqa: S311 - not a secret
            blocking=True,
            auto_position=_Position(position),
            filter_non_implemented_events=False,
            slave_heartbeat=HEARTBEAT_SECONDS,
            slave_uuid=str(uuid4()),
            use_column_name_cache=False,
            enable_logging=False,
        )
        try:
            self._reader._BinLogStreamReader__connect_to_stream()  # noqa: SLF001
        except BaseException:
            self.close()
            raise
        self._connection: Any = self._reader._stream_connection  # noqa: SLF001
        self._connection._sock.settimeout(SILENCE_SECONDS)  # noqa: SLF001

    def __iter__(self) -> Iterator[list[Event]]:
        """Yield the events, heartbeats included, as many at a time as have come.

        Raises:
            OSError: the connection is lost.
            PositionLost: the source cannot send what is missing.
        """
        framer = Framer()
        receive = self._connection._sock.recv  # noqa: SLF001
        while True:
            data = receive(_SOCKET_BUFFER_BYTES)
            if not data:
                message = "the server has closed the connection"
                raise EOFError(message)
            found = framer.feed(data)
            if found:
                yield found
            if framer.refusal is not None:
                _raise(framer.refusal.packet)

    def close(self) -> None:
        """Close the connection (without QUIT, which has no place in the middle of a stream)."""
        connection = getattr(self._reader, "_stream_connection", None)
        if connection is not None:
            connection._force_close()  # noqa: SLF001


def _raise(packet: bytes) -> None:
    if packet[0] != _ERROR:
        message = "the server has ended the stream"
        raise EOFError(message)
    code = int.from_bytes(packet[1:3], "little")
    text = packet[9:].decode(errors="replace") if packet[3:4] == b"#" else packet[3:].decode(errors="replace")
    if code != _FATAL_READING_BINLOG:
        raise pymysql.err.OperationalError(code, text)
    lowered = text.lower()
    if "purged" in lowered:
        message = f"The source cannot send what is missing: {text}"
        raise PositionLost(message)
    if "same server_uuid/server_id" in lowered:
        message = f"{text} (another reader has taken this server id; it is chosen anew)"
        raise pymysql.err.OperationalError(2013, message)
    message = f"The source has ended the stream: {text}"
    raise Halt(message)
