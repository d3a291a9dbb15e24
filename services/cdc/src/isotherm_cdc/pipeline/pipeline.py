"""From transactions to batches: a state machine without clocks, threads or sockets.

The reader puts in what the source says (`start`, `rows`, `schema`, `end`, `reconnected`), the snapshot puts in chunks
(`open_window`, `close_window`), the sink takes out batches (`take`, see `outlet`) one at a time. Everything that decides
which change wins lives here.

What waits stands in the order in which it must reach MongoDB. Rows that a snapshot has read enter only between two
transactions, and only those whose key no transaction touched while they were read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.pipeline.batch import Limits
from isotherm_cdc.pipeline.outlet import Outlet, Waiting
from isotherm_cdc.pipeline.transactions import Run, Transaction, row_bytes
from isotherm_cdc.pipeline.window import (
    BadSnapshotRow,
    ChunkState,
    Progress,
    SnapshotRow,
    Sweep,
    ToRead,
    View,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_cdc.binlog.ddl import TableChange
    from isotherm_cdc.binlog.decode import BadRow, PartialRow, Row
    from isotherm_cdc.checkpoint import Checkpoint, TableSnapshot
    from isotherm_cdc.pipeline.batch import Batch


class Pipeline:
    """The state of one pipeline between source and sink."""

    def __init__(self, checkpoint: Checkpoint, limits: Limits | None = None) -> None:
        self._received = GtidSet.parse(checkpoint.gtid_set)
        self._prepared = GtidSet()
        self._open: Transaction | None = None
        self._progress = Progress(checkpoint.snapshot)
        self._waiting = Waiting()
        self._limits = limits or Limits()
        self._outlet = Outlet(checkpoint, self._limits, self._waiting, self._progress)
        self._window: Window | None = None
        self._window_state: ChunkState = "none"
        self._keys_before = False
        self._sweep: Sweep | None = None

    @property
    def received(self) -> GtidSet:
        """The transactions that have been received whole: where a new connection goes on."""
        return self._received.copy()

    @property
    def snapshot(self) -> tuple[TableSnapshot, ...]:
        """How far the tables have been read, as of the last batch taken."""
        return self._progress.all()

    @property
    def chunk_state(self) -> ChunkState:
        """What has become of the chunk that was asked for last."""
        return "queued" if self._waiting.chunk else self._window_state

    @property
    def queued_bytes(self) -> int:
        """How large what waits is."""
        return self._waiting.size_bytes

    @property
    def queued_rows(self) -> int:
        """How many rows of transactions wait."""
        return self._waiting.rows

    @property
    def oldest_us(self) -> int | None:
        """When the source committed the first transaction that waits; None when none does."""
        return self._waiting.oldest_us

    @property
    def fills_batch(self) -> bool:
        """Whether what waits is as much as a batch holds."""
        waiting, limits = self._waiting, self._limits
        return waiting.rows >= limits.rows or waiting.size_bytes >= limits.size_bytes

    def start(self, origin: str, number: int, commit_us: int | None) -> None:
        """A transaction begins."""
        if not self._received.contains(origin, number):
            self._open = Transaction(origin, number, commit_us)
            resume = self._outlet.resume
            if resume is not None and resume.gtid == self._open.gtid:
                self._open.resume(resume)
            self._waiting.items.append(self._open)

    def rows(
        self,
        table: str,
        event_idx: int,
        rows: Sequence[Row | PartialRow | BadRow],
        size_bytes: int,
        *,
        counted: bool = False,
        partial: bool = False,
    ) -> None:
        """Rows of the open transaction arrive; `counted`: of a table without a key; `partial`: some may not be whole."""
        transaction = self._open
        if transaction is None or not rows:
            return
        run = Run(table, event_idx, rows, row_bytes(rows, size_bytes), counted=counted, partial=partial)
        if transaction.resumed is not None:
            run.start = transaction.applied_of(run, transaction.resumed)
            if not run.left:
                return
        if self._window is not None and self._window.table == table:
            # Not the rows that were applied before: they do not come again, so the chunk's have to stay.
            self._window.touch(rows[run.start :] if run.start else rows)
        transaction.runs.append(run)
        transaction.rows += run.left
        size = run.left * run.row_bytes
        transaction.size_bytes += size
        self._waiting.size_bytes += size
        self._waiting.rows += run.left

    def schema(self, changes: Sequence[TableChange]) -> None:
        """The open transaction changes the schema."""
        window = self._window
        if window is not None and any(change.table == window.table for change in changes):
            window.valid = False
        if self._open is not None:
            self._open.schema.extend(changes)

    def prepared(self, origin: str, number: int) -> None:
        """An XA transaction is prepared; it is received whole only with the transaction that tells its outcome."""
        self._prepared.add(origin, number)
        self._emit()

    def end(self, prepared: tuple[str, int] | None = None) -> None:
        """The open transaction is whole.

        Args:
            prepared: the prepared transaction whose outcome it told.
        """
        transaction, self._open = self._open, None
        if transaction is None:
            return
        transaction.ended = True
        transaction.prepared = prepared
        self._received.add(transaction.origin_id, transaction.number)
        if prepared is not None:
            self._received.add(*prepared)
        if self._window is not None or self._sweep is not None:
            self._emit()

    def reconnected(self) -> None:
        """The source begins anew after what was received whole: the open transaction will come again."""
        transaction, self._open = self._open, None
        self._prepared = GtidSet()
        if transaction is not None:
            self._waiting.items.pop()
            self._waiting.size_bytes -= transaction.waiting_bytes
            self._waiting.rows -= sum(run.left for run in transaction.runs)

    def request_snapshot(self, tables: Sequence[TableSnapshot]) -> None:
        """Have tables read from their first row; takes effect with the next batch."""
        for table in tables:
            self._progress.begin(table)

    def to_read(self) -> ToRead | None:
        """Return what comes next of the table that is first to be read; None when none is.

        Rows that are read by themselves and the rest of the table take turns: as many as may come, neither keeps the other
        from its end.
        """
        state = next(iter(self.snapshot), None)
        if state is None:
            return None
        ends = state.read and not state.is_for_keys
        if state.keys and not ends and (state.read or not self._keys_before):
            return "keys"
        return "sweep" if state.read else "rows"

    def open_window(self, table: str, *, counted: bool = False, keys: Sequence[bytes] = ()) -> GtidSet:
        """A chunk of `table` is about to be read.

        Args:
            table: `schema.table`.
            counted: whether it is the next part of the view of a table without a key.
            keys: the rows that are to be read by themselves; none: the next ones of the table.

        Returns:
            What must be in the source's executed set before the chunk is read: transactions can be received before the
            source has committed them, and a chunk read between the two would be older than what was received.
        """
        self._window = Window(table, self._progress.generation(table), tuple(keys), counted=counted)
        self._keys_before = bool(keys)
        self._window_state = "reading"
        known = self._received.copy()
        if self._open is not None:
            known.add(self._open.origin_id, self._open.number)
        if self._outlet.resume is not None:
            known.add_gtid(self._outlet.resume.gtid)
        return known

    def estimated(self, table: str, rows: int | None) -> None:
        """The source thinks that `table`, which is being read, has so many rows."""
        self._progress.estimated(table, rows)

    def close_window(
        self,
        rows: Sequence[SnapshotRow | BadSnapshotRow],
        high: GtidSet,
        *,
        last: bool,
        given_up: str | None = None,
    ) -> None:
        """The chunk has been read; it waits until the stream has passed `high`.

        Args:
            rows: what was read.
            high: what the source had executed by then.
            last: whether nothing comes after it.
            given_up: why nothing can, though there may be more rows.
        """
        window = self._window
        if window is None:
            self._window_state = "again"
            return
        window.held, window.high, window.last, window.given_up = rows, high, last, given_up
        self._window_state = "held"
        if self._open is None:
            self._emit()

    def close_view(self, high: GtidSet) -> None:
        """A view of a whole table without a key is open, and may hold what is in `high`.

        It counts if no row of the table changes from the opening of the window until the stream has passed `high`: then
        it is known which changes are in it.
        """
        if self._window is not None:
            self._window.view = True
        self.close_window((), high, last=False)

    def abandon_window(self) -> None:
        """The chunk could not be read."""
        self._window = None
        self._window_state = "none"

    def request_sweep(self, table: str) -> None:
        """The table has been read whole: have the documents deleted that no row stands behind."""
        state = self._progress.get(table)
        before = state.ghosts_before if state is not None else None
        self._sweep = Sweep(table, self._progress.generation(table), before or 0)
        self._window_state = "queued"
        if self._open is None:
            self._emit()

    def _emit(self) -> None:
        """Queue what a snapshot has ready, now that no transaction is open."""
        if self._sweep is not None:
            self._waiting.put(self._sweep)
            self._sweep, self._window_state = None, "none"
        window = self._window
        if window is None or window.held is None or window.high is None:
            return
        if window.is_worthless:
            self._window, self._window_state = None, "again"
        elif window.high - self._prepared <= self._received:
            self._waiting.put(View(window.table, window.generation) if window.view else window.chunk())
            self._window, self._window_state = None, "none"

    def take(self, *, even_if_empty: bool = False, hold: bool = False) -> Batch | None:
        """Return the next batch, or None when there is nothing to write yet.

        Args:
            even_if_empty: return a batch without rows rather than none, so that the checkpoint moves.
            hold: leave what waits.
        """
        return self._outlet.take(even_if_empty=even_if_empty, hold=hold)

    def committed(self, seq: int) -> None:
        """The batch taken last is in MongoDB, and the checkpoint's `seq` is now this."""
        self._outlet.seq = seq
