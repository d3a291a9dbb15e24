"""The rows that a snapshot has read, on their way between two transactions of the stream.

While a chunk is read its window is open: keys that the stream touches are noted, and their rows of the chunk are dropped,
for what the stream says of them is newer.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from isotherm_cdc.binlog.decode import BadRow, PartialRow
from isotherm_cdc.checkpoint import TableSnapshot
from isotherm_cdc.pipeline.batch import SNAPSHOT, Batch, DeadRow, Limits
from isotherm_cdc.pipeline.transactions import ROW_OVERHEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isotherm_cdc.binlog.decode import Row
    from isotherm_cdc.gtid import GtidSet

ChunkState = Literal["none", "reading", "held", "queued", "again"]
ToRead = Literal["keys", "rows", "sweep"]
"""Rows by themselves, the next ones of the table, or nothing any more: its ghosts are to be removed."""

MOST_KEYS, MOST_KEY_BYTES = 2000, 256 << 10
"""Keys of one table to be read again, and their size: with more the whole table is read."""


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

    @property
    def size_bytes(self) -> int:
        """What it counts with."""
        return len(self.elements) + ROW_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class BadSnapshotRow:
    """A row that a snapshot has read and no document can hold.

    Attributes:
        key: the BSON of `{_id: …}`; None when it is the key that cannot be told.
        row: what goes to the dead letters.
        cursor: its key as SQL literals.
    """

    key: bytes | None
    row: BadRow
    cursor: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """What it counts with."""
        return len(self.row.data) + ROW_OVERHEAD_BYTES


@dataclass(slots=True)
class Sweep:
    """The end of a table's snapshot: documents up to a `seq` that are still there have no row any more."""

    table: str
    generation: int
    up_to_seq: int


@dataclass(slots=True)
class View:
    """From here on the changes of a table without a key count; before it they are in the view that is being read."""

    table: str
    generation: int


@dataclass(slots=True)
class Chunk:
    """Rows of a closed window; of those that the stream has touched only the cursor.

    Attributes:
        table: `schema.table`.
        generation: which reading it is of.
        rows: what was read.
        last: whether the table ends here.
        counted: whether the table has no key.
        keyed: whether it is of rows that were read by themselves; it says nothing of where the table's reading stands.
        done: keys that need not be read again when it is written.
        given_up: why the rows after it cannot be read; None when they can.
    """

    table: str
    generation: int
    rows: deque[SnapshotRow | BadSnapshotRow | tuple[str, ...]]
    last: bool
    counted: bool = False
    keyed: bool = False
    done: frozenset[bytes] = frozenset()
    given_up: str | None = None

    @property
    def size_bytes(self) -> int:
        """What is still to be written."""
        return sum(map(_size, self.rows))

    def move(self, batch: Batch, limits: Limits, state: TableSnapshot | None) -> tuple[int, TableSnapshot | None]:
        """Put the rows that fit into the batch; return their size, and the table's state after them."""
        cursor: tuple[str, ...] | None = None
        written = moved_bytes = 0
        writes = {} if self.counted else batch.writes.setdefault(self.table, {})
        while self.rows:
            row = self.rows[0]
            size = _size(row)
            if batch.rows and not batch.has_room(limits, 1, size):
                break
            self.rows.popleft()
            moved_bytes += size
            if isinstance(row, SnapshotRow):
                if self.counted:
                    batch.add_rows(self.table, row.key, 1, row.elements, SNAPSHOT)
                else:
                    writes[row.key] = row.elements, SNAPSHOT
                batch.rows += 1
                batch.size_bytes += size
                cursor, written = row.cursor, written + 1
            elif isinstance(row, BadSnapshotRow):
                batch.dead.append(DeadRow("", 0, 0, self.table, row.row))
                batch.count("failed", self.table)
                batch.rows += 1
                batch.size_bytes += size
                cursor = row.cursor
            else:
                cursor = row
        if written:
            batch.count("snapshot", self.table, written)
        if state is None:
            return moved_bytes, None
        done = not self.rows
        if self.keyed:
            left = tuple(key for key in state.keys if key not in self.done) if done else state.keys
            return moved_bytes, replace(state, rows=state.rows + written, chunks=state.chunks + done, keys=left)
        if done and self.last and state.ghosts_before is None:
            batch.settled += state.letters
        return moved_bytes, replace(
            state,
            cursor=cursor or state.cursor,
            rows=state.rows + written,
            chunks=state.chunks + done,
            read=done and self.last,
        )


@dataclass(slots=True)
class Window:
    """A chunk that is being read, or waits until the stream has passed what it was read after.

    Attributes:
        table: `schema.table`.
        generation: which reading it is of.
        keys: those of the rows that are read by themselves; empty for a chunk of the table.
        touched: keys of rows that the stream tells anew.
        changed: keys of rows that it says have changed, but not how.
        valid: whether nothing happened to the table that makes the chunk worthless.
        held: what was read.
        high: what the source had executed by then.
        last: whether the table ends here.
        counted: whether it is the next part of the view of a table without a key.
        view: whether it is the opening of that view.
        given_up: why the rows after it cannot be read; None when they can.
    """

    table: str
    generation: int
    keys: tuple[bytes, ...] = ()
    touched: set[bytes] = field(default_factory=set)
    changed: set[bytes] = field(default_factory=set)
    valid: bool = True
    held: Sequence[SnapshotRow | BadSnapshotRow] | None = None
    high: GtidSet | None = None
    last: bool = False
    counted: bool = False
    view: bool = False
    given_up: str | None = None

    @property
    def is_worthless(self) -> bool:
        """Whether what was read cannot be used: for a view, already when any row has changed since."""
        return not self.valid or (self.view and bool(self.touched))

    def touch(self, rows: Sequence[Row | PartialRow | BadRow]) -> None:
        """Note the keys of rows that the stream brings; a row without a known key makes the chunk worthless.

        Of a row that the stream does not tell whole the chunk's is written: nothing newer is known. It may be older than
        the change, so that it has to be read once more.
        """
        for row in rows:
            if isinstance(row, BadRow):
                self.valid = False
                return
            (self.changed if isinstance(row, PartialRow) else self.touched).add(row.key)
            if row.old_key is not None:
                self.touched.add(row.old_key)

    def chunk(self) -> Chunk:
        """Return what is left of the rows that were read."""
        rows: deque[SnapshotRow | BadSnapshotRow | tuple[str, ...]] = deque(
            row if self.counted or row.key not in self.touched else row.cursor for row in self.held or ()
        )
        done = frozenset(self.keys) - self.changed
        return Chunk(
            self.table, self.generation, rows, self.last, self.counted, bool(self.keys), done, given_up=self.given_up
        )


class Progress:
    """How far each table has been read, and which reading of it counts."""

    def __init__(self, tables: Sequence[TableSnapshot]) -> None:
        # The view that a table without a key was read in is gone with its reader: it is read again.
        self._tables = {table.table: replace(table, live=False) for table in tables}
        self._generations: dict[str, int] = {}

    def all(self) -> tuple[TableSnapshot, ...]:
        """Return the tables that are being read."""
        return tuple(self._tables.values())

    def get(self, table: str) -> TableSnapshot | None:
        """Return a table's state; None when it is not being read."""
        return self._tables.get(table)

    def generation(self, table: str) -> int:
        """Return the number of the reading that counts; what an earlier one has read is worthless."""
        return self._generations.get(table, 0)

    def begin(self, state: TableSnapshot) -> None:
        """Have a table read from the start; what its reading was to settle is settled by this one."""
        before = self._tables.get(state.table)
        if before is not None and before.letters:
            state = replace(state, letters=(*before.letters, *state.letters))
        if before is not None and state.where is not None:
            state = replace(state, keys=before.keys, again=before.again)
        self._tables[state.table] = state
        self._generations[state.table] = self.generation(state.table) + 1

    def read_again(self, table: str, keys: Sequence[bytes]) -> None:
        """Have rows read by their keys, or the whole table when they are too many.

        A reading of the whole table that is under way goes on first: begun anew each time, it might never come to the end.
        """
        state = self._tables.get(table)
        if not keys or (state is not None and state.again):
            return
        if state is None:
            state = TableSnapshot(table, read=True)
            self._generations[table] = self.generation(table) + 1
        wanted = tuple(dict.fromkeys((*state.keys, *keys)))
        if len(wanted) <= MOST_KEYS and sum(map(len, wanted)) <= MOST_KEY_BYTES:
            self._tables[table] = replace(state, keys=wanted)
        elif state.is_for_keys:
            self.begin(TableSnapshot(table, estimate=state.estimate))
        else:
            self._tables[table] = replace(state, keys=(), again=True)

    def cancel(self, table: str) -> None:
        """The table is gone."""
        self._tables.pop(table, None)
        self._generations[table] = self.generation(table) + 1

    def estimated(self, table: str, rows: int | None) -> None:
        """Note how many rows the source thinks a table has."""
        state = self._tables.get(table)
        if state is not None and rows is not None:
            self._tables[table] = replace(state, estimate=rows)

    def finish(self, table: str) -> None:
        """The table has been read, and nothing is left to do."""
        del self._tables[table]

    def store(self, state: TableSnapshot) -> None:
        """Note how far a table has been read."""
        if not state.is_for_keys or state.keys:
            self._tables[state.table] = state
            return
        self.finish(state.table)
        if state.again:
            self.begin(TableSnapshot(state.table, estimate=state.estimate))

    def let_others_go_first(self, table: str) -> None:
        """Some rows of a table have been read by themselves: more of them must not keep other tables waiting."""
        state = self._tables.get(table)
        if state is not None and state.is_for_keys:
            self._tables[table] = self._tables.pop(table)


def _size(row: SnapshotRow | BadSnapshotRow | tuple[str, ...]) -> int:
    return ROW_OVERHEAD_BYTES if isinstance(row, tuple) else row.size_bytes
