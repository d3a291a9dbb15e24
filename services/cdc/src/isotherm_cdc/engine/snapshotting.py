"""The thread that reads tables whole, a chunk at a time, while the stream goes on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pymysql
import structlog

from isotherm_cdc import metrics, mysql
from isotherm_cdc.checkpoint import TableSnapshot
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.snapshot.reader import Chunk, KeysUnknown, TableChanged, TableReader
from isotherm_cdc.snapshot.sizing import ChunkSize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_cdc.engine.shared import Shared
    from isotherm_cdc.pipeline.window import BadSnapshotRow, SnapshotRow

POLL_SECONDS = 0.005
KEYS_AT_ONCE = 200
"""Rows that are read by their keys with one question."""


class _Step(NamedTuple):
    """What is to be read next.

    Attributes:
        state: how far the table has been read.
        keys: the rows to be read by themselves; none: the next ones of the table.
        received: what the source must have committed before.
    """

    state: TableSnapshot
    keys: tuple[bytes, ...]
    received: GtidSet


class Snapshotter:
    """Reads whatever tables the checkpoint says are to be read, the first of them first."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def run(self) -> None:
        """Read until a shutdown is requested.

        Raises:
            ServiceError: a table cannot be read.
        """
        shared = self._shared
        while not shared.shutdown.requested:
            with shared.changed:
                idle = shared.pipeline.chunk_state in ("none", "again")
                tables = shared.pipeline.snapshot if idle and not shared.snapshot_held else ()
                if not tables:
                    shared.changed.wait(1.0)
                    continue
            shared.with_mysql(f"reading {tables[0].table}", partial(self._table, tables[0].table))

    def _table(self, table: str) -> None:
        """Read chunks of one table for as long as it is the first to be read."""
        shared = self._shared
        with shared.changed:
            shared.pipeline.abandon_window()
        reader = TableReader(shared.settings.mysql, table, shared.settings.overrides, shared.settings.keyless)
        try:
            estimate, row_bytes = reader.estimate() if reader.table is not None else (None, None)
            size = ChunkSize(shared.settings.snapshot_chunk_rows, shared.settings.max_batch_bytes, row_bytes)
            with shared.changed:
                shared.pipeline.estimated(table, estimate)
            while (step := self._next_chunk(table, size.limit)) is not None:
                if reader.table is not None and reader.table.counted:
                    self._read_counted(reader, table, size)
                    return
                if not self._chunk(reader, step, size):
                    return
        finally:
            reader.close()

    def _next_chunk(self, table: str, limit: int, *, counted: bool = False) -> _Step | None:
        """Wait until the chunk before is on its way, and open the window of the next.

        Both under one lock: were the table to be read anew between the two, the chunk would count as one of the new reading.

        Returns:
            What to read; None when another table is first, or none.
        """
        shared = self._shared
        with shared.changed:
            while True:
                while shared.pipeline.chunk_state not in ("none", "again") and not shared.shutdown.requested:
                    shared.changed.wait(1.0)
                first = next(iter(shared.pipeline.snapshot), None) if not shared.snapshot_held else None
                if first is None or first.table != table or shared.shutdown.requested:
                    return None
                to_read = shared.pipeline.to_read()
                if to_read != "sweep":
                    keys = first.keys[: min(limit, KEYS_AT_ONCE)] if to_read == "keys" else ()
                    return _Step(first, keys, shared.pipeline.open_window(table, counted=counted, keys=keys))
                shared.pipeline.request_sweep(table)
                shared.changed.notify_all()

    def _chunk(self, reader: TableReader, step: _Step, size: ChunkSize) -> bool:
        """Read one chunk; answer whether the reader may be used for the next."""
        shared, state = self._shared, step.state
        while not step.received <= reader.executed():
            if shared.shutdown.wait(POLL_SECONDS):
                return False
        given_up: str | None = None
        try:
            # Within the window, so that any statement that changes the table from here on makes the chunk worthless.
            reader.look()
            if reader.table is not None and reader.table.counted:
                return self._abandon(usable=True)
            chunk = reader.read_keys(step.keys) if step.keys else reader.read(state.cursor, size.limit, state.where)
        except TableChanged:
            return self._abandon(usable=False)
        except KeysUnknown as unknown:
            structlog.get_logger().warning("read_again", reason=str(unknown), table=state.table, gtid="none")
            with shared.changed:
                shared.pipeline.request_snapshot([TableSnapshot(state.table, ghosts_before=state.ghosts_before)])
            return self._abandon(usable=True)
        except pymysql.err.MySQLError as error:
            if state.where is None or state.letters or step.keys or mysql.is_transient(error):
                raise
            # An operator's condition that some row is too much for must not end the reader, nor each start after it.
            given_up = f"The reading of {state.table} was given up: MySQL cannot read its rows where {state.where}: {mysql.reason(error)}."
            structlog.get_logger().warning("request_refused", reason=given_up)
            chunk = Chunk([], reader.executed(), last=True)
        _learn(size, chunk.rows)
        with shared.changed:
            shared.pipeline.close_window(chunk.rows, chunk.high, last=chunk.last, given_up=given_up)
        return self._handed_over(state.table)

    def _read_counted(self, reader: TableReader, table: str, size: ChunkSize) -> None:
        """Read a table without a key: in one view, of which it is known which changes are in it.

        When it ends early (a pause, a statement that changes the table, a lost connection) it begins anew.
        """
        shared = self._shared
        with shared.changed:
            before = next((state for state in shared.pipeline.snapshot if state.table == table), None)
            shared.pipeline.request_snapshot([TableSnapshot(table, estimate=before.estimate if before else None)])
            received = shared.pipeline.open_window(table)
        while not received <= reader.executed():
            if shared.shutdown.wait(POLL_SECONDS):
                return
        try:
            reader.look()
            if reader.table is None or not reader.table.counted:
                self._abandon(usable=False)
                return
            high = reader.open_view()
        except TableChanged:
            self._abandon(usable=False)
            return
        with shared.changed:
            shared.pipeline.close_view(high)
        while self._handed_over(table):
            step = self._next_chunk(table, size.limit, counted=True)
            if step is None:
                return
            if not step.state.live:
                self._abandon(usable=False)
                return
            limit = size.limit
            rows = reader.next_rows(limit)
            _learn(size, rows)
            with shared.changed:
                shared.pipeline.close_window(rows, GtidSet(), last=len(rows) < limit)

    def _handed_over(self, table: str) -> bool:
        """Wait until what was read has its place in the queue; answer whether it may be written."""
        shared = self._shared
        with shared.changed:
            shared.changed.notify_all()
            while shared.pipeline.chunk_state == "held" and not shared.shutdown.requested:
                shared.changed.wait(1.0)
            again = shared.pipeline.chunk_state == "again"
        metrics.snapshot_chunks_total.labels(table, "again" if again else "written").inc()
        return not again and not shared.shutdown.requested

    def _abandon(self, *, usable: bool) -> bool:
        with self._shared.changed:
            self._shared.pipeline.abandon_window()
        return usable


def _learn(size: ChunkSize, rows: Sequence[SnapshotRow | BadSnapshotRow]) -> None:
    size.read(len(rows), sum(row.size_bytes for row in rows))
