"""A source transaction on its way through the queue, as runs of rows: one run for each row event."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from isotherm_cdc.binlog.decode import BadRow
from isotherm_cdc.pipeline.batch import DeadRow, Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_cdc.binlog.ddl import TableChange
    from isotherm_cdc.binlog.decode import Row
    from isotherm_cdc.pipeline.batch import Batch, Limits


@dataclass(slots=True)
class Run:
    """The rows of one row event that are still to be written.

    Attributes:
        table: `schema.table`.
        event_idx: the event's number in its transaction.
        rows: all rows of the event.
        row_bytes: the size that each counts with.
        start: the first row that is still to be written.
    """

    table: str
    event_idx: int
    rows: Sequence[Row | BadRow]
    row_bytes: int
    start: int = 0

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
        counts = {"insert": 0, "update": 0, "delete": 0, "failed": 0}
        for row in rows if number == len(rows) else rows[start:end]:
            if row.__class__ is BadRow:
                counts["failed"] += 1
                continue
            operation, key, elements, old_key = row  # type: ignore[misc]
            counts[operation] += 1
            if old_key is not None:
                writes[old_key] = None, origin
            writes[key] = elements, origin
        if counts["failed"]:
            batch.dead.extend(
                DeadRow(origin.gtid or "", self.event_idx, start + number, table, row)
                for number, row in enumerate(rows[start:end])
                if isinstance(row, BadRow)
            )
        for operation, count in counts.items():
            if count:
                batch.count(operation, table, count)
        batch.rows += number
        batch.size_bytes += number * self.row_bytes


@dataclass(slots=True)
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
    """

    origin_id: str
    number: int
    commit_us: int | None
    origin: Origin
    runs: deque[Run] = field(default_factory=deque)
    schema: list[TableChange] = field(default_factory=list)
    rows: int = 0
    size_bytes: int = 0
    ended: bool = False
    split: bool = False
    prepared: tuple[str, int] | None = None

    @classmethod
    def begin(cls, origin_id: str, number: int, commit_us: int | None) -> Transaction:
        """Make one without rows."""
        return cls(origin_id, number, commit_us, Origin(commit_us, f"{origin_id}:{number}"))

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
