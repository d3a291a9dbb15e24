"""A source transaction on its way through the queue, as runs of rows: one run for each row event."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isotherm_cdc.binlog.decode import BadRow, Row
from isotherm_cdc.pipeline.batch import DeadRow, Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_cdc.binlog.ddl import TableChange
    from isotherm_cdc.binlog.decode import PartialRow
    from isotherm_cdc.checkpoint import Position
    from isotherm_cdc.pipeline.batch import Batch, Limits

ROW_OVERHEAD_BYTES = 200
LARGE_EVENT_BYTES = 1 << 20


@dataclass(slots=True)
class Run:
    """The rows of one row event that are still to be written.

    Attributes:
        table: `schema.table`.
        event_idx: the event's number in its transaction.
        rows: all rows of the event.
        row_bytes: the size that each counts with.
        start: the first row that is still to be written.
        counted: whether the table has no key, so that its equal rows are counted.
        partial: whether some of the rows may have to be read again.
    """

    table: str
    event_idx: int
    rows: Sequence[Row | PartialRow | BadRow]
    row_bytes: int
    start: int = 0
    counted: bool = False
    partial: bool = False

    @property
    def left(self) -> int:
        """How many rows are still to be written."""
        return len(self.rows) - self.start

    def fitting(self, batch: Batch, limits: Limits) -> int:
        """Return how many of them the batch has room for; an empty one has room for one of any size."""
        room = (limits.size_bytes - batch.size_bytes) // self.row_bytes
        return min(self.left, max(limits.rows - batch.rows, 0), max(room, 0)) or int(not batch.rows)

    def move(self, number: int, origin: Origin, batch: Batch) -> None:
        """Put the next rows into the batch; of a key's changes the last one wins."""
        table, start, rows = self.table, self.start, self.rows
        end = self.start = start + number
        writes = batch.writes.get(table)
        if writes is None:
            writes = batch.writes[table] = {}
        operation, count, failed = "", 0, 0
        for row in rows if number == len(rows) else rows[start:end]:
            if row.__class__ is BadRow:
                failed += 1
                if row.old_key is not None:
                    writes[row.old_key] = None, origin
                continue
            kind, key, elements, old_key = row  # type: ignore[misc]
            if kind is not operation:
                if count:
                    batch.count(operation, table, count)
                operation, count = kind, 0
            count += 1
            if old_key is not None:
                writes[old_key] = None, origin
            writes[key] = elements, origin
        if count:
            batch.count(operation, table, count)
        if failed:
            batch.count("failed", table, failed)
            batch.dead.extend(
                DeadRow(origin.gtid or "", self.event_idx, number, table, row)
                for number, row in enumerate(rows[start:end], start)
                if isinstance(row, BadRow)
            )
        batch.rows += number
        batch.size_bytes += number * self.row_bytes

    def move_partial(self, number: int, origin: Origin, batch: Batch) -> list[bytes]:
        """Put what is known of the next rows into the batch; return the keys of those that have to be read again."""
        start = self.start
        self.start = start + number
        writes = batch.writes.setdefault(self.table, {})
        again = []
        for position, row in enumerate(self.rows[start : start + number], start):
            if row.old_key is not None:
                writes[row.old_key] = None, origin
            if isinstance(row, BadRow):
                batch.dead.append(DeadRow(origin.gtid or "", self.event_idx, position, self.table, row))
                batch.count("failed", self.table)
            elif isinstance(row, Row):
                batch.count(row.operation, self.table)
                writes[row.key] = row.elements, origin
            else:
                again.append(row.key)
        batch.rows += number
        batch.size_bytes += number * self.row_bytes
        return again

    def count(self, number: int, origin: Origin, batch: Batch) -> None:
        """Count the next rows, which have no key: all that is known of a change is which row came and which went."""
        start = self.start
        self.start = start + number
        for position, row in enumerate(self.rows[start : start + number], start):
            if isinstance(row, BadRow):
                batch.dead.append(DeadRow(origin.gtid or "", self.event_idx, position, self.table, row))
                batch.count("failed", self.table)
                gone = row.key if row.operation == "delete" else row.old_key
                if gone is not None:
                    batch.add_rows(self.table, gone, -1, None, origin)
                continue
            batch.count(row.operation, self.table)
            if row.operation == "delete":
                batch.add_rows(self.table, row.key, -1, None, origin)
            elif row.operation == "insert" or row.old_key is not None:
                batch.add_rows(self.table, row.key, 1, row.elements, origin)
                if row.old_key is not None:
                    batch.add_rows(self.table, row.old_key, -1, None, origin)
        batch.rows += number
        batch.size_bytes += number * self.row_bytes


def row_bytes(rows: Sequence[Row | PartialRow | BadRow], event_bytes: int) -> int:
    """Return the size that each row of an event counts with: in the event or as a document, whichever is larger.

    Of a large event's rows each counts as the largest, so that a batch stays within what MongoDB takes whichever come first.
    """
    sizes = [len(row.data) if row.__class__ is BadRow else len(row[2] or b"") for row in rows]  # type: ignore[index]
    if event_bytes > LARGE_EVENT_BYTES and len(rows) > 1:
        return max(*sizes, event_bytes // len(rows)) + ROW_OVERHEAD_BYTES
    return max(sum(sizes), event_bytes) // len(rows) + ROW_OVERHEAD_BYTES


class Transaction:
    """A transaction of the source.

    Attributes:
        origin_id: its GTID without the number.
        number: its GTID's number.
        commit_us: when the source committed it.
        origin: what its writes say of themselves.
        runs: its rows.
        schema: what it does to tables.
        rows: how many rows it has, those taken already counted.
        size_bytes: their size.
        ended: whether it has been received whole.
        split: whether a part of it has been written already.
        prepared: the prepared XA transaction whose outcome it told.
        applied: if it goes in parts, how many rows of each table are written.
        resumed: what was written of it before it came (again).
    """

    __slots__ = (
        "_left_out", "applied", "commit_us", "ended", "number", "origin", "origin_id", "prepared", "resumed", "rows", "runs",
        "schema", "size_bytes", "split",
    )  # fmt: skip

    def __init__(self, origin_id: str, number: int, commit_us: int | None) -> None:
        self.origin_id = origin_id
        self.number = number
        self.commit_us = commit_us
        self.origin = Origin(commit_us, f"{origin_id}:{number}")
        self.runs: deque[Run] = deque()
        self.schema: list[TableChange] = []
        self.rows = self.size_bytes = 0
        self.ended = self.split = False
        self.prepared: tuple[str, int] | None = None
        self.applied: dict[str, int] = {}
        self.resumed: Position | None = None
        self._left_out: dict[str, int] = {}

    def resume(self, position: Position) -> None:
        """It comes from its beginning, but a part of it is written already."""
        self.split, self.resumed = True, position
        self.applied, self._left_out = dict(position.rows), dict(position.rows)

    def applied_of(self, run: Run, position: Position) -> int:
        """Return how many rows of an event, from its first on, are written already."""
        count = len(run.rows)
        if position.rows:
            found = min(self._left_out.get(run.table, 0), count)
            self._left_out[run.table] = self._left_out.get(run.table, 0) - found
            return found
        if run.event_idx > position.event_idx:
            return 0
        found = min(position.row_idx, count) if run.event_idx == position.event_idx else count
        self.applied[run.table] = self.applied.get(run.table, 0) + found
        return found

    @property
    def gtid(self) -> str:
        """Its GTID."""
        return self.origin.gtid or ""

    @property
    def waiting_bytes(self) -> int:
        """The size of the rows that are still to be written."""
        return sum(run.left * run.row_bytes for run in self.runs)

    def too_large(self, limits: Limits) -> bool:
        """Whether it has to go in parts."""
        return self.split or self.rows > limits.rows or self.size_bytes > limits.size_bytes
