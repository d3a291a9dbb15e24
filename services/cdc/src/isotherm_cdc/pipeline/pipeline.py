"""From transactions to batches: a state machine without clocks, threads or sockets.

The reader puts in what the source says (`start`, `rows`, `schema`, `end`, `reconnected`), the snapshot puts in chunks
(`open_window`, `close_window`), the sink takes out batches (`take`) one at a time. Everything that decides which change
wins, where a batch ends and what the checkpoint then says lives here.

- The queue holds whole items in the order in which they must reach MongoDB. Only its last transaction may be open.
- A batch takes as many whole transactions as fit. A transaction that fits a batch is never split; a larger one goes in
  parts, and the checkpoint says where the next part begins.
- Rows that a snapshot has read enter only between two transactions, and only those whose key no transaction touched
  while they were read.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from isotherm_cdc.checkpoint import Checkpoint, Position, TableSnapshot
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.pipeline.batch import Batch, Clear, Limits
from isotherm_cdc.pipeline.transactions import Run, Transaction, row_bytes
from isotherm_cdc.pipeline.window import (
    BadSnapshotRow,
    Chunk,
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


class Pipeline:
    """The state of one pipeline between source and sink."""

    def __init__(self, checkpoint: Checkpoint, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.queued_bytes = self.queued_rows = 0
        self.chunk_state: ChunkState = "none"
        self._queue: deque[Transaction | Chunk | View | Sweep] = deque()
        self._received = GtidSet.parse(checkpoint.gtid_set)
        self._applied = self._received.copy()
        self._prepared = GtidSet()
        self._open: Transaction | None = None
        self._resume = checkpoint.position
        self._source_us: int | None = None
        self._seq = checkpoint.seq
        self._progress = Progress(checkpoint.snapshot)
        self._window: Window | None = None
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
    def oldest_us(self) -> int | None:
        """When the source committed the first transaction that waits; None when none does."""
        first = self._queue[0] if self._queue else None
        return first.commit_us if isinstance(first, Transaction) else None

    @property
    def fills_batch(self) -> bool:
        """Whether what waits is as much as a batch holds."""
        return self.queued_rows >= self.limits.rows or self.queued_bytes >= self.limits.size_bytes

    def start(self, origin: str, number: int, commit_us: int | None) -> None:
        """A transaction begins."""
        if not self._received.contains(origin, number):
            self._open = Transaction(origin, number, commit_us)
            if self._resume is not None and self._resume.gtid == self._open.gtid:
                self._open.resume(self._resume)
            self._queue.append(self._open)

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
        self.queued_bytes += size
        self.queued_rows += run.left

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
            self._queue.pop()
            self.queued_bytes -= transaction.waiting_bytes
            self.queued_rows -= sum(run.left for run in transaction.runs)

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
        self.chunk_state = "reading"
        known = self._received.copy()
        if self._open is not None:
            known.add(self._open.origin_id, self._open.number)
        if self._resume is not None:
            known.add_gtid(self._resume.gtid)
        return known

    def estimated(self, table: str, rows: int | None) -> None:
        """The source thinks that `table`, which is being read, has so many rows."""
        self._progress.estimated(table, rows)

    def close_window(self, rows: Sequence[SnapshotRow | BadSnapshotRow], high: GtidSet, *, last: bool) -> None:
        """The chunk has been read; it waits until the stream has passed `high`."""
        window = self._window
        if window is None:
            self.chunk_state = "again"
            return
        window.held, window.high, window.last = rows, high, last
        self.chunk_state = "held"
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
        self.chunk_state = "none"

    def request_sweep(self, table: str) -> None:
        """The table has been read whole: have the documents deleted that no row stands behind."""
        state = self._progress.get(table)
        before = state.ghosts_before if state is not None else None
        self._sweep = Sweep(table, self._progress.generation(table), before or 0)
        self.chunk_state = "queued"
        if self._open is None:
            self._emit()

    def _emit(self) -> None:
        """Queue what a snapshot has ready, now that no transaction is open."""
        if self._sweep is not None:
            self._queue.append(self._sweep)
            self._sweep = None
        window = self._window
        if window is None or window.held is None or window.high is None:
            return
        if window.is_worthless:
            self._window = None
            self.chunk_state = "again"
            return
        if not window.high - self._prepared <= self._received:
            return
        if window.view:
            self._queue.append(View(window.table, window.generation))
        else:
            chunk = window.chunk()
            self._queue.append(chunk)
            self.queued_bytes += chunk.size_bytes
        self._window = None
        self.chunk_state = "queued"

    def take(self, *, even_if_empty: bool = False, hold: bool = False) -> Batch | None:
        """Return the next batch, or None when there is nothing to write yet.

        Args:
            even_if_empty: return a batch without rows rather than none, so that the checkpoint moves.
            hold: leave in the queue what is there.
        """
        batch = Batch()
        before = self.snapshot
        more = not hold
        while more and self._queue:
            item = self._queue[0]
            if isinstance(item, Transaction):
                more = self._take_transaction(item, batch)
            elif isinstance(item, Chunk):
                more = self._take_chunk(item, batch)
            else:
                more = self._take_clearing(item, batch)
        batch.snapshot = self.snapshot
        if not (batch.rows or batch.clears or even_if_empty or batch.snapshot != before):
            return None
        batch.gtid_set = str(self._applied)
        batch.position = self._resume
        batch.source_us = self._source_us
        return batch

    def committed(self, seq: int) -> None:
        """The batch taken last is in MongoDB, and the checkpoint's `seq` is now this."""
        self._seq = seq

    def _take_transaction(self, item: Transaction, batch: Batch) -> bool:
        """Move what can be moved into the batch; answer whether the batch may grow further."""
        too_large = item.too_large(self.limits)
        if too_large or item.schema:
            return self._take_part(item, batch) if too_large or item.ended else False
        if not item.ended or not batch.has_room(self.limits, item.rows, item.size_bytes):
            return False
        for run in item.runs:
            self._move(run, run.left, item, batch)
        self.queued_bytes -= item.size_bytes
        self.queued_rows -= item.rows
        self._finish(item, batch)
        return True

    def _take_part(self, item: Transaction, batch: Batch) -> bool:
        """Move as much as fits into a batch of its own."""
        if batch.rows or batch.clears:
            return False
        runs = item.runs
        while runs and (number := runs[0].fitting(batch, self.limits)):
            run = runs[0]
            self._move(run, number, item, batch)
            self.queued_bytes -= number * run.row_bytes
            self.queued_rows -= number
            item.split = True
            item.applied[run.table] = item.applied.get(run.table, 0) + number
            self._resume = Position(item.gtid, tuple(item.applied.items()))
            if not run.left:
                runs.popleft()
        if item.ended and not runs:
            before = self.snapshot
            self._apply_schema(item, batch)
            self._finish(item, batch)
            return not batch.rows and not batch.clears and self.snapshot == before
        return False

    def _move(self, run: Run, number: int, item: Transaction, batch: Batch) -> None:
        if not run.counted:
            if run.partial:
                self._progress.read_again(run.table, run.move_partial(number, item.origin, batch))
            else:
                run.move(number, item.origin, batch)
            return
        state = self._progress.get(run.table)
        if state is None or state.live:
            run.count(number, item.origin, batch)
        else:
            run.start += number  # It will be in the view that is still to be read.

    def _apply_schema(self, item: Transaction, batch: Batch) -> None:
        for change in item.schema:
            if change.effect == "truncate" or (change.effect == "drop" and self.limits.clear_dropped):
                batch.clears.append(Clear(change.table, None, change.effect, item.gtid))
            state = self._progress.get(change.table)
            if change.effect == "truncate" and state is not None and state.live:
                self.request_snapshot([TableSnapshot(change.table)])
            being_read = state is not None and not state.is_for_keys
            if change.effect == "reread" or (change.effect == "altered" and being_read):
                self.request_snapshot([TableSnapshot(change.table, ghosts_before=self._seq)])
            elif change.effect == "drop":
                self._progress.cancel(change.table)

    def _finish(self, item: Transaction, batch: Batch) -> None:
        self._queue.popleft()
        self._applied.add(item.origin_id, item.number)
        if item.prepared is not None:
            self._applied.add(*item.prepared)
        if self._resume is not None and self._resume.gtid == item.gtid:
            self._resume = None
        if item.commit_us is not None:
            self._source_us = item.commit_us
            if item.rows or item.split:
                batch.commits_us.append(item.commit_us)

    def _take_chunk(self, item: Chunk, batch: Batch) -> bool:
        current = self._progress.generation(item.table) == item.generation
        if item.counted and not current:
            self.queued_bytes -= item.size_bytes
            item.rows.clear()
        moved_bytes, state = item.move(batch, self.limits, self._progress.get(item.table) if current else None)
        self.queued_bytes -= moved_bytes
        if state is not None:
            self._progress.store(state)
        if item.rows:
            return False
        if item.keyed:
            self._progress.let_others_go_first(item.table)
        self._queue.popleft()
        self.chunk_state = "none"
        return True

    def _take_clearing(self, item: View | Sweep, batch: Batch) -> bool:
        """Begin or end a table's reading by deleting documents: in a batch of its own."""
        if batch.rows or batch.clears:
            return False
        self._queue.popleft()
        self.chunk_state = "none"
        state = self._progress.get(item.table)
        if self._progress.generation(item.table) != item.generation or state is None:
            return False
        if isinstance(item, View):
            batch.clears.append(Clear(item.table, None, "counted", None))
            self._progress.store(TableSnapshot(item.table, estimate=state.estimate, letters=state.letters, live=True))
        else:
            batch.clears.append(Clear(item.table, item.up_to_seq, "ghosts", None))
            batch.settled += state.letters
            self._progress.store(replace(state, ghosts_before=None, letters=()))
        return False
