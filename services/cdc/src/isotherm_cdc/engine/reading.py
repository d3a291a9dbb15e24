"""The thread that reads the binary log into the pipeline; it waits while too many bytes are queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_cdc import metrics, mysql, preflight
from isotherm_cdc.binlog.stream import Source
from isotherm_cdc.binlog.transactions import Assembler, End, Message, Prepared, Rows, Schema, Start

if TYPE_CHECKING:
    from isotherm_cdc.engine.shared import Shared


class Reader:
    """Reads until a shutdown is requested, over as many connections as it takes."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def run(self) -> None:
        """Read.

        Raises:
            ServiceError: what comes cannot be understood, or the position is lost.
        """
        while not self._shared.shutdown.requested:
            self._shared.with_mysql("reading the binary log", self._stream)

    def _stream(self) -> None:
        """Read over one connection until it ends."""
        shared = self._shared
        with shared.changed:
            shared.pipeline.reconnected()
            position = shared.pipeline.received
        connection = mysql.connect(shared.settings.mysql)
        try:
            preflight.check_position(position, preflight.check(connection))
            charsets = mysql.charsets(connection)
        finally:
            connection.close()
        assembler = Assembler(shared.catalogue, charsets, unreadable=shared.settings.unreadable_changes_policy)
        source = Source(shared.settings.mysql, position, shared.settings.server_id)
        try:
            shared.health.ready("mysql")
            metrics.connected.set(1)
            for event in source:
                if shared.shutdown.requested:
                    return
                for part in assembler.unpacked(event):
                    messages = assembler.feed(part)
                    if messages:
                        self._receive(messages)
        except OSError as error:
            raise ConnectionError(str(error)) from error
        finally:
            metrics.connected.set(0)
            shared.health.not_ready("mysql", "not connected")
            source.close()

    def _receive(self, messages: list[Message]) -> None:
        shared = self._shared
        core = shared.pipeline
        with shared.changed:
            for message in messages:
                while core.queued_bytes > shared.settings.max_queue_bytes and not shared.shutdown.requested:
                    shared.changed.wait(1.0)
                if isinstance(message, Rows):
                    core.rows(message.table, message.event_idx, message.rows, message.size_bytes)
                elif isinstance(message, Start):
                    shared.newest_us = message.gtid.commit_us
                    core.start(message.gtid.origin, message.gtid.number, message.gtid.commit_us)
                elif isinstance(message, Schema):
                    core.schema(message.changes)
                elif isinstance(message, Prepared):
                    core.prepared(message.gtid.origin, message.gtid.number)
                elif isinstance(message, End):
                    done = message.prepared
                    core.end((done.origin, done.number) if done else None)
            shared.changed.notify_all()
