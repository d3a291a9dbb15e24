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
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from isotherm_cdc.binlog.decode import BadRow, Operation, Row
from isotherm_cdc.checkpoint import Checkpoint, Position, TableSnapshot
from isotherm_cdc.gtid import GtidSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_cdc.binlog.ddl import TableChange

ROW_OVERHEAD_BYTES = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """What a batch holds at most, in rows and bytes, and whether DROP TABLE empties the collection."""

    rows: int = 1000
    size_bytes: int = 8 << 20
    clear_dropped: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """The last change of one key within a batch.

    Attributes:
        elements: the document's BSON elements without `_cdc`; None for a delete.
        commit_us: when the source committed it; None for a snapshot's row.
        gtid: its transaction; None for a snapshot's row.
    """

    elements: bytes | None
    commit_us: int | None
    gtid: str | None


@dataclass(frozen=True, slots=True)
class DeadRow:
    """A row for the dead letters."""

    gtid: str
    event_idx: int
    row_idx: int
    table: str
    row: BadRow


@dataclass(frozen=True, slots=True)
class Clear:
    """All documents of a table, or those up to a `seq`, are to be deleted before the batch's checkpoint counts.

    Attributes:
        table: `schema.table`.
        up_to_seq: the largest `seq` to delete; None: all.
        reason: what is written into the checkpoint meanwhile.
        gtid: the transaction that asked for it; None for a snapshot's end.
    """

    table: str
    up_to_seq: int | None
    reason: str
    gtid: str | None


@dataclass(slots=True)
class Batch:
    """What one transaction in MongoDB does, and the checkpoint after it (seq and attempt are the sink's)."""

    writes: dict[tuple[str, bytes], Write] = field(default_factory=dict)
    dead: list[DeadRow] = field(default_factory=list)
    clears: list[Clear] = field(default_factory=list)
    gtid_set: str = ""
    position: Position | None = None
    snapshot: tuple[TableSnapshot, ...] = ()
    source_us: int | None = None
    commits_us: list[int] = field(default_factory=list)
    rows: int = 0
    size_bytes: int = 0
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def count(self, operation: str, table: str) -> None:
        """Count a change for the metrics."""
        self.counts[operation, table] = self.counts.get((operation, table), 0) + 1


@dataclass(slots=True)
class _Change:
    table: str
    event_idx: int
    row_idx: int
    row: Row | BadRow
    size_bytes: int


@dataclass(slots=True)
class _Transaction:
    origin: str
    number: int
    commit_us: int | None
    changes: deque[_Change] = field(default_factory=deque)
    schema: list[TableChange] = field(default_factory=list)
    rows: int = 0
    size_bytes: int = 0
    ended: bool = False
    split: bool = False

    @property
    def gtid(self) -> str:
        return f"{self.origin}:{self.number}"


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A row that a snapshot has read.

    Attributes:
        key: the BSON of `{_id: …}`.
        elements: the document's elements without `_cdc`.
        cursor: its key as SQL literals.
    """

    key: bytes
    elements: bytes
    cursor: tuple[str, ...]


@dataclass(slots=True)
class _Chunk:
    table: str
    generation: int
    rows: deque[SnapshotRow | tuple[str, ...]]
    last: bool


@dataclass(slots=True)
class _Sweep:
    table: str
    generation: int
    up_to_seq: int


@dataclass(slots=True)
class _Window:
    table: str
    generation: int
    touched: set[bytes] = field(default_factory=set)
    valid: bool = True
    held: list[SnapshotRow] | None = None
    high: GtidSet | None = None
    last: bool = False


ChunkState = Literal["none", "reading", "held", "queued", "again"]


class Pipeline:
    """The state of one pipeline between source and sink."""

    def __init__(self, checkpoint: Checkpoint, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.queued_bytes = 0
        self.chunk_state: ChunkState = "none"
        self._queue: deque[_Transaction | _Chunk | _Sweep] = deque()
        self._received = GtidSet.parse(checkpoint.gtid_set)
        self._applied = self._received.copy()
        self._open: _Transaction | None = None
        self._skipping = False
        self._resume = checkpoint.position
        self._seq = checkpoint.seq
        self._snapshot: dict[str, TableSnapshot] = {table.table: table for table in checkpoint.snapshot}
        self._generations: dict[str, int] = {}
        self._window: _Window | None = None
        self._sweep: _Sweep | None = None

    @property
    def received(self) -> GtidSet:
        """The transactions that have been received whole: where a new connection goes on."""
        return self._received.copy()

    @property
    def snapshot(self) -> tuple[TableSnapshot, ...]:
        """How far the tables have been read, as of the last batch taken."""
        return tuple(self._snapshot.values())

    def start(self, origin: str, number: int, commit_us: int | None) -> None:
        """A transaction begins."""
        self._skipping = self._received.contains(origin, number)
        if not self._skipping:
            self._open = _Transaction(origin, number, commit_us)
            self._queue.append(self._open)

    def rows(self, table: str, event_idx: int, rows: Sequence[Row | BadRow], size_bytes: int) -> None:
        """Rows of the open transaction arrive."""
        transaction = self._open
        if transaction is None or not rows:
            return
        resume = self._resume if self._resume and self._resume.gtid == transaction.gtid else None
        share = size_bytes // len(rows) + ROW_OVERHEAD_BYTES
        window = self._window if self._window and self._window.table == table else None
        for row_idx, row in enumerate(rows):
            if window is not None:
                _touch(window, row)
            if resume and (event_idx, row_idx) < (resume.event_idx, resume.row_idx):
                transaction.split = True
                continue
            transaction.changes.append(_Change(table, event_idx, row_idx, row, share))
            transaction.rows += 1
            transaction.size_bytes += share
            self.queued_bytes += share

    def schema(self, changes: Sequence[TableChange]) -> None:
        """The open transaction changes the schema."""
        if self._window is not None:
            self._window.valid = False
        if self._open is not None:
            self._open.schema.extend(changes)

    def end(self) -> None:
        """The open transaction is whole."""
        transaction, self._open = self._open, None
        self._skipping = False
        if transaction is None:
            return
        transaction.ended = True
        self._received.add(transaction.origin, transaction.number)
        self._emit_chunk()

    def reconnected(self) -> None:
        """The source begins anew after what was received whole: the open transaction will come again."""
        transaction, self._open = self._open, None
        self._skipping = False
        if transaction is not None:
            self._queue.pop()
            self.queued_bytes -= sum(change.size_bytes for change in transaction.changes)

    def request_snapshot(self, tables: Sequence[TableSnapshot]) -> None:
        """Have tables read from their first row; takes effect with the next batch."""
        for table in tables:
            self._snapshot[table.table] = table
            self._generations[table.table] = self._generations.get(table.table, 0) + 1

    def open_window(self, table: str) -> GtidSet:
        """A chunk of `table` is about to be read.

        Returns:
            What must be in the source's executed set before the chunk is read: transactions can be received before the
            source has committed them, and a chunk read between the two would be older than what was received.
        """
        self._window = _Window(table, self._generations.get(table, 0))
        self.chunk_state = "reading"
        known = self._received.copy()
        if self._open is not None:
            known.add(self._open.origin, self._open.number)
        return known

    def close_window(self, rows: list[SnapshotRow], high: GtidSet, *, last: bool) -> None:
        """The chunk has been read; it waits until the stream has passed `high`."""
        window = self._window
        if window is None:
            self.chunk_state = "again"
            return
        window.held, window.high, window.last = rows, high, last
        self.chunk_state = "held"
        if self._open is None:
            self._emit_chunk()

    def abandon_window(self) -> None:
        """The chunk could not be read."""
        self._window = None
        self.chunk_state = "none"

    def request_sweep(self, table: str) -> None:
        """The table has been read whole: have the documents deleted that no row stands behind."""
        state = self._snapshot[table]
        self._sweep = _Sweep(table, self._generations.get(table, 0), state.ghosts_before or 0)
        self.chunk_state = "queued"
        if self._open is None:
            self._emit_chunk()

    def _emit_chunk(self) -> None:
        if self._sweep is not None:
            self._queue.append(self._sweep)
            self._sweep = None
        window = self._window
        if window is None or window.held is None or window.high is None:
            return
        if not window.valid:
            self._window = None
            self.chunk_state = "again"
            return
        if not window.high <= self._received:
            return
        rows: deque[SnapshotRow | tuple[str, ...]] = deque(
            row.cursor if row.key in window.touched else row for row in window.held
        )
        self._queue.append(_Chunk(window.table, window.generation, rows, window.last))
        self.queued_bytes += sum(_size(row) for row in rows)
        self._window = None
        self.chunk_state = "queued"

    def take(self, *, even_if_empty: bool = False) -> Batch | None:
        """Return the next batch, or None when there is nothing to write yet.

        Args:
            even_if_empty: return a batch without rows rather than none, so that the checkpoint moves.
        """
        batch = Batch()
        resumable = True
        snapshot_before = tuple(self._snapshot.values())
        while resumable and self._queue:
            item = self._queue[0]
            if isinstance(item, _Transaction):
                resumable = self._take_transaction(item, batch)
            elif isinstance(item, _Chunk):
                resumable = self._take_chunk(item, batch)
            else:
                resumable = self._take_sweep(item, batch)
        batch.gtid_set = str(self._applied)
        batch.snapshot = tuple(self._snapshot.values())
        batch.position = self._resume
        if batch.rows or batch.clears or even_if_empty or batch.snapshot != snapshot_before:
            return batch
        return None

    def committed(self, seq: int) -> None:
        """The batch taken last is in MongoDB, and the checkpoint's `seq` is now this."""
        self._seq = seq

    def _fits(self, batch: Batch, rows: int, size_bytes: int) -> bool:
        return batch.rows + rows <= self.limits.rows and batch.size_bytes + size_bytes <= self.limits.size_bytes

    def _take_transaction(self, item: _Transaction, batch: Batch) -> bool:
        """Move what can be moved into the batch; answer whether the batch may grow further."""
        too_large = item.split or item.rows > self.limits.rows or item.size_bytes > self.limits.size_bytes
        if too_large or item.schema:
            return self._take_part(item, batch) if too_large or item.ended else False
        if not item.ended or not self._fits(batch, item.rows, item.size_bytes):
            return False
        for change in item.changes:
            self._put(item, change, batch)
        self._finish(item, batch)
        return True

    def _take_part(self, item: _Transaction, batch: Batch) -> bool:
        """Move as much as fits into a batch of its own."""
        if batch.rows or batch.clears:
            return False
        changes = item.changes
        while changes and (not batch.rows or self._fits(batch, 1, changes[0].size_bytes)):
            change = changes.popleft()
            self._put(item, change, batch)
            item.split = True
            self._resume = Position(item.gtid, change.event_idx, change.row_idx + 1)
        if item.ended and not changes:
            before = self.snapshot
            self._apply_schema(item, batch)
            self._finish(item, batch)
            return not batch.rows and not batch.clears and self.snapshot == before
        return False

    def _apply_schema(self, item: _Transaction, batch: Batch) -> None:
        for change in item.schema:
            if change.effect == "truncate" or (change.effect == "drop" and self.limits.clear_dropped):
                batch.clears.append(Clear(change.table, None, change.effect, item.gtid))
            if change.effect == "reread":
                self.request_snapshot([TableSnapshot(change.table, ghosts_before=self._seq)])
            elif change.effect == "drop":
                self._snapshot.pop(change.table, None)
                self._generations[change.table] = self._generations.get(change.table, 0) + 1

    def _finish(self, item: _Transaction, batch: Batch) -> None:
        self._queue.popleft()
        self._applied.add(item.origin, item.number)
        if self._resume is not None and self._resume.gtid == item.gtid:
            self._resume = None
        if item.commit_us is not None:
            batch.source_us = item.commit_us
            if item.rows or item.split:
                batch.commits_us.append(item.commit_us)

    def _put(self, item: _Transaction, change: _Change, batch: Batch) -> None:
        row, table = change.row, change.table
        batch.rows += 1
        batch.size_bytes += change.size_bytes
        self.queued_bytes -= change.size_bytes
        batch.count(_operation(row), table)
        if isinstance(row, BadRow):
            batch.dead.append(DeadRow(item.gtid, change.event_idx, change.row_idx, table, row))
            return
        if row.old_key is not None:
            batch.writes[table, row.old_key] = Write(None, item.commit_us, item.gtid)
        batch.writes[table, row.key] = Write(row.elements, item.commit_us, item.gtid)

    def _take_chunk(self, item: _Chunk, batch: Batch) -> bool:
        cursor: tuple[str, ...] | None = None
        written = 0
        while item.rows:
            row = item.rows[0]
            size = _size(row)
            if batch.rows and not self._fits(batch, 1, size):
                break
            item.rows.popleft()
            self.queued_bytes -= size
            if isinstance(row, SnapshotRow):
                batch.writes[item.table, row.key] = Write(row.elements, None, None)
                batch.rows += 1
                batch.size_bytes += size
                batch.count("snapshot", item.table)
                cursor, written = row.cursor, written + 1
            else:
                cursor = row
        state = self._snapshot.get(item.table)
        if state is not None and self._generations.get(item.table, 0) == item.generation:
            done = not item.rows
            state = replace(
                state,
                cursor=cursor or state.cursor,
                rows=state.rows + written,
                chunks=state.chunks + done,
                read=done and item.last,
            )
            self._store(state)
        if item.rows:
            return False
        self._queue.popleft()
        self.chunk_state = "none"
        return True

    def _store(self, state: TableSnapshot) -> None:
        if state.read and state.ghosts_before is None:
            del self._snapshot[state.table]
        else:
            self._snapshot[state.table] = state

    def _take_sweep(self, item: _Sweep, batch: Batch) -> bool:
        if batch.rows or batch.clears:
            return False
        self._queue.popleft()
        self.chunk_state = "none"
        if self._generations.get(item.table, 0) == item.generation and item.table in self._snapshot:
            batch.clears.append(Clear(item.table, item.up_to_seq, "ghosts", None))
            del self._snapshot[item.table]
        return False


def _touch(window: _Window, row: Row | BadRow) -> None:
    if isinstance(row, BadRow):
        window.valid = False
        return
    window.touched.add(row.key)
    if row.old_key is not None:
        window.touched.add(row.old_key)


def _operation(row: Row | BadRow) -> Operation | Literal["failed"]:
    return row.operation if isinstance(row, Row) else "failed"


def _size(row: SnapshotRow | tuple[str, ...]) -> int:
    return len(row.elements) + ROW_OVERHEAD_BYTES if isinstance(row, SnapshotRow) else ROW_OVERHEAD_BYTES
