"""The thread that reads the binary log into the pipeline; it waits while too many bytes are queued."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import pymysql

from isotherm_cdc import metrics, mysql, preflight
from isotherm_cdc.binlog.compiled import CompiledDecoder
from isotherm_cdc.binlog.decode import RowDecoder
from isotherm_cdc.binlog.messages import End, Message, Prepared, Rows, Schema, Start, Whole
from isotherm_cdc.binlog.stream import Source
from isotherm_cdc.binlog.transactions import Assembler
from isotherm_cdc.engine.starting import accepts_loss
from isotherm_cdc.errors import Halt, PositionLost, StartAgain
from isotherm_cdc.snapshot.identity import identified, overridden
from isotherm_cdc.snapshot.tables import read_table
from isotherm_common.retry import ShutdownDuringRetry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isotherm_cdc.binlog.events import Event
    from isotherm_cdc.engine.shared import Shared
    from isotherm_cdc.gtid import GtidSet
    from isotherm_cdc.pipeline.pipeline import Pipeline
    from isotherm_cdc.preflight import SourceState
    from isotherm_cdc.values.columns import Table

T = TypeVar("T")

LATE_SECONDS, FEW_EVENTS, FEW_BYTES, GATHER_SECONDS = 1.0, 16, 4096, 0.001
"""While catching up on a source that sends its events one by one, the connection is given a moment to gather some."""

MEMORY_SECONDS = 10.0
"""So often the source is asked whether it still knows what it had executed."""
MOST_WAITING_BYTES = 1 << 20
"""So much of a chunk is given to the pipeline at a time."""


def is_little(chunk: Sequence[Event]) -> bool:
    """Whether so little has come at a time that more is worth a moment.

    Few events alone are not: large ones fill whatever is read at once (a record of TLS holds 16 KiB, two events of rows), and
    waiting after each would set the pace.
    """
    return len(chunk) < FEW_EVENTS and sum(len(event.body) for event in chunk) < FEW_BYTES


class Reader:
    """Reads until a shutdown is requested, over as many connections as it takes."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def run(self) -> None:
        """Read.

        Raises:
            ServiceError: what comes cannot be understood, or the position is lost.
        """
        shared = self._shared
        while not shared.shutdown.requested:
            if shared.paused:
                shared.health.not_ready("mysql", "paused")
                with shared.changed:
                    shared.changed.wait(1.0)
                continue
            try:
                shared.with_mysql("reading the binary log", self._stream)
            except PositionLost as error:
                if not accepts_loss(shared.settings):
                    raise
                message = f"{error} Ending, so that the next start reads the tables again."
                raise StartAgain(message) from error

    def _stream(self) -> None:
        """Read over one connection until it ends."""
        shared = self._shared
        with shared.changed:
            shared.pipeline.reconnected()
            position = shared.pipeline.received
        connection = mysql.connect(shared.settings.mysql)
        try:
            state = preflight.check(connection)
            preflight.check_position(position, state)
            preflight.check_cascades(connection, state, shared.captured, refuse=shared.refuses_cascades)
            charsets = mysql.charsets(connection)
        finally:
            connection.close()
        overrides = shared.settings.overrides
        plain = shared.settings.row_decoder == "plain"

        def decoder(table: Table) -> RowDecoder:
            return (RowDecoder if plain or table.counted else CompiledDecoder)(overridden(table, overrides))

        assembler = Assembler(
            shared.catalogue,
            charsets,
            unreadable=shared.settings.unreadable_changes_policy,
            decoder=decoder,
            identify=self._identify,
            has_primary_key=self._has_primary_key,
        )
        source = Source(shared.settings.mysql, position, shared.settings.server_id)
        executed, asked = state.executed, time.monotonic()
        try:
            shared.health.ready("mysql")
            metrics.connected.set(1)
            for chunk in source:
                if self._told_to_stop:
                    return
                if time.monotonic() - asked > MEMORY_SECONDS:
                    executed, asked = self._check_memory(executed), time.monotonic()
                schema_changed = self._take(chunk, assembler)
                if schema_changed and not state.logs_cascades:
                    self._check_cascades(state)
                if is_little(chunk) and self._is_late():
                    shared.shutdown.wait(GATHER_SECONDS)
        except OSError as error:
            raise ConnectionError(str(error)) from error
        except Halt:
            # A source that was reset may end the stream with an error that does not say so.
            self._check_memory(executed)
            raise
        finally:
            metrics.connected.set(0)
            metrics.disconnects_total.inc()
            shared.health.not_ready("mysql", "not connected")
            source.close()

    def _check_memory(self, executed: GtidSet) -> GtidSet:
        """Ask whether the source still knows what it had executed; when it does not answer, the next time will do."""
        try:
            connection = mysql.connect(self._shared.settings.mysql)
            try:
                return preflight.check_memory(connection, executed)
            finally:
                connection.close()
        except (OSError, pymysql.err.MySQLError):
            return executed

    def _is_late(self) -> bool:
        newest = self._shared.newest_us
        return newest is not None and time.time() - newest / 1e6 > LATE_SECONDS

    @property
    def _told_to_stop(self) -> bool:
        return self._shared.shutdown.requested or self._shared.paused

    def _take(self, chunk: list[Event], assembler: Assembler) -> bool:
        """Give the pipeline what some events mean, all at once: the lock is taken once for many transactions.

        Returns:
            Whether a statement changed the schema.
        """
        messages: list[Message] = []
        waiting_bytes, schema_changed = 0, False
        try:
            for message in assembler.read(chunk):
                messages.append(message)
                if isinstance(message, Rows):
                    waiting_bytes += message.size_bytes
                elif isinstance(message, Schema):
                    schema_changed = True
                if waiting_bytes > MOST_WAITING_BYTES:
                    # A compressed transaction may be far larger than what it came as.
                    self._receive(messages)
                    messages, waiting_bytes = [], 0
        finally:
            # What came before an event that cannot be read counts.
            self._receive(messages)
        return schema_changed

    def _identify(self, table: Table) -> Table:
        """Look up what tells the rows of a table without a primary key apart."""
        keyless = self._shared.settings.keyless
        return self._ask(table.full_name, lambda connection: identified(connection, table, keyless))

    def _has_primary_key(self, name: str) -> bool:
        """Look up whether a table has a primary key, or is not there any more."""

        def look(connection: pymysql.Connection[Any]) -> bool:
            table = read_table(connection, *name.split(".", 1))
            return table is None or bool(table.key)

        return self._ask(name, look)

    def _ask(self, name: str, question: Callable[[pymysql.Connection[Any]], T]) -> T:
        """Ask MySQL about a table, over a connection of its own."""
        shared = self._shared

        def ask() -> T:
            connection = mysql.connect(shared.settings.mysql)
            try:
                return question(connection)
            finally:
                connection.close()

        try:
            return shared.with_mysql(f"looking at {name}", ask)
        except ShutdownDuringRetry as error:
            message = f"The process ends while MySQL is asked about {name}."
            raise StartAgain(message) from error

    def _check_cascades(self, state: SourceState) -> None:
        """Look for a foreign key that a statement may have added."""
        connection = mysql.connect(self._shared.settings.mysql)
        try:
            refuse = self._shared.refuses_cascades
            preflight.check_cascades(connection, state, self._shared.captured, refuse=refuse)
        finally:
            connection.close()

    def _receive(self, messages: list[Message]) -> None:
        if not messages:
            return
        shared = self._shared
        core = shared.pipeline
        with shared.changed:
            for message in messages:
                while core.queued_bytes > shared.settings.max_queue_bytes and not self._told_to_stop:
                    shared.changed.wait(1.0)
                self._give(core, message)
            shared.changed.notify_all()

    def _give(self, core: Pipeline, message: Message) -> None:
        if isinstance(message, Whole):
            gtid = message.gtid
            self._shared.newest_us = gtid.commit_us
            core.start(gtid.origin, gtid.number, gtid.commit_us)
            for rows in message.rows:
                core.rows(rows.table, rows.event_idx, rows.rows, rows.size_bytes, counted=rows.counted)
            core.end()
        elif isinstance(message, Rows):
            core.rows(
                message.table,
                message.event_idx,
                message.rows,
                message.size_bytes,
                counted=message.counted,
                partial=message.partial,
            )
        elif isinstance(message, Start):
            self._shared.newest_us = message.gtid.commit_us
            core.start(message.gtid.origin, message.gtid.number, message.gtid.commit_us)
        elif isinstance(message, Schema):
            core.schema(message.changes)
        elif isinstance(message, Prepared):
            core.prepared(message.gtid.origin, message.gtid.number)
        elif isinstance(message, End):
            done = message.prepared
            core.end((done.origin, done.number) if done else None)
