"""What the sink takes out of a pipeline: one batch, which is one transaction in MongoDB."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from isotherm_cdc.binlog.decode import BadRow
    from isotherm_cdc.checkpoint import Position, TableSnapshot


@dataclass(frozen=True, slots=True)
class Limits:
    """What a batch holds at most, in rows and bytes, and whether DROP TABLE empties the collection."""

    rows: int = 1000
    size_bytes: int = 8 << 20
    clear_dropped: bool = False


class Origin(NamedTuple):
    """Where a write comes from; all rows of a transaction share one.

    Attributes:
        commit_us: when the source committed it; None for a snapshot's row.
        gtid: its transaction; None for a snapshot's row.
    """

    commit_us: int | None
    gtid: str | None


SNAPSHOT = Origin(None, None)
"""The origin of rows that a snapshot has read."""

Write = tuple[bytes | None, Origin]
"""The last change of one key within a batch: the document's BSON elements without `_cdc` (None: a delete), its origin."""


class Counted(NamedTuple):
    """How the number of equal rows of a table without a key changes.

    Attributes:
        rows: how many more there are; less than 0: fewer.
        elements: the document's BSON elements without `_cdc`; None when rows have only gone.
        origin: of the last change.
    """

    rows: int
    elements: bytes | None
    origin: Origin


NONE_COUNTED = Counted(0, None, SNAPSHOT)


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
    """What one transaction in MongoDB does, and the checkpoint after it (seq and attempt are the sink's).

    Attributes:
        writes: by table and by the BSON of `{_id: …}`.
        counted: for tables without a key, how many more (or fewer) rows each key has, by table and key.
        dead: rows for the dead letters.
        clears: tables to empty first.
        gtid_set: the transactions that are applied whole with it.
        position: where the transaction that it ends in goes on.
        snapshot: how far tables have been read with it.
        source_us: when the source committed the newest transaction that is applied whole with it, in it or before.
        commits_us: when the source committed each that has captured rows and ends in it.
        rows: how many changes it has, before the last of each key won.
        size_bytes: how large they are.
        counts: changes by operation and table, for the metrics.
        settled: dead letters that are settled with it.
        answers: requests of operators that are answered with it, whole.
        given_up: operators' requests whose reading it ends before its end, each with the reason.
        also: further fields of the checkpoint that it changes (contract K10).
    """

    writes: dict[str, dict[bytes, Write]] = field(default_factory=dict)
    counted: dict[str, dict[bytes, Counted]] = field(default_factory=dict)
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
    settled: list[str] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    given_up: list[tuple[Any, str]] = field(default_factory=list)
    also: dict[str, Any] = field(default_factory=dict)

    @property
    def documents(self) -> int:
        """How many documents it writes or deletes."""
        return sum(map(len, self.writes.values())) + sum(map(len, self.counted.values()))

    def transactions(self) -> set[str]:
        """Return the GTIDs of the transactions whose rows it writes."""
        origins = [origin for writes in self.writes.values() for _, origin in writes.values()]
        origins += [counted.origin for rows in self.counted.values() for counted in rows.values()]
        return {origin.gtid for origin in origins if origin.gtid is not None}

    def add_rows(self, table: str, key: bytes, number: int, elements: bytes | None, origin: Origin) -> None:
        """Count rows of a table without a key that have come (with their elements) or gone."""
        rows = self.counted.setdefault(table, {})
        before = rows.get(key, NONE_COUNTED)
        rows[key] = Counted(before.rows + number, elements or before.elements, origin)

    def count(self, operation: str, table: str, number: int = 1) -> None:
        """Count changes for the metrics."""
        self.counts[operation, table] = self.counts.get((operation, table), 0) + number

    def has_room(self, limits: Limits, rows: int, size_bytes: int) -> bool:
        """Whether it can take so much more."""
        return self.rows + rows <= limits.rows and self.size_bytes + size_bytes <= limits.size_bytes
