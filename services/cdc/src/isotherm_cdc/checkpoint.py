"""The checkpoint: where a pipeline stands, and what is to be thought when it is not where it was left (contracts K1 to K3)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import bson
from bson.int64 import Int64

from isotherm_cdc.gtid import GtidSet


@dataclass(frozen=True)
class Position:
    """The place within a source transaction that was applied in part.

    Rows are counted, not events: another server cuts the same rows into other events. And each table for itself: which tables
    are captured may change.

    Attributes:
        gtid: the transaction.
        rows: for each table, how many of its rows are applied.
        event_idx: in a checkpoint of version 0.1, which has no such numbers, the row event that goes on; those before it
            are applied.
        row_idx: there, its first row that is not applied yet.
    """

    gtid: str
    rows: tuple[tuple[str, int], ...] = ()
    event_idx: int = 0
    row_idx: int = 0

    def to_document(self) -> dict[str, Any]:
        """Return what is stored as `txn`."""
        return {"gtid": self.gtid, "rows": [{"table": table, "rows": Int64(rows)} for table, rows in self.rows]}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Position | None:
        """Read what the checkpoint says; None between two transactions."""
        txn = document.get("txn")
        if txn is None:
            return None
        rows = tuple((one["table"], int(one["rows"])) for one in txn.get("rows", ()))
        return cls(txn["gtid"], rows, int(document["event_idx"]), int(document["row_idx"]))


@dataclass(frozen=True)
class TableSnapshot:
    """How far one table has been read.

    Attributes:
        table: `schema.table`.
        cursor: the last key written, as SQL literals; None before the first chunk.
        read: whether the last chunk has been written.
        ghosts_before: documents with a `seq` up to this that are still there when the table has been read have no row
            any more; None when there can be none.
        rows: rows written.
        chunks: chunks written.
        estimate: rows that the source thinks the table has.
        where: the condition of the rows to read; None: all of them.
        letters: dead letters that are settled when the table has been read.
        live: for a table without a key, whether its view is being read: changes count from there on.
        keys: the BSON of `{_id: …}` of rows that are to be read (again) by themselves, in turns with the rest of the table.
        request: the operator's request for it that is told when the reading of a condition is given up.
        again: whether more such rows came meanwhile than are remembered, so that the table is read once more after this.
    """

    table: str
    cursor: tuple[str, ...] | None = None
    read: bool = False
    ghosts_before: int | None = None
    rows: int = 0
    chunks: int = 0
    estimate: int | None = None
    where: str | None = None
    letters: tuple[str, ...] = ()
    live: bool = False
    keys: tuple[bytes, ...] = ()
    again: bool = False
    request: Any = None

    @property
    def is_for_keys(self) -> bool:
        """Whether only some rows are to be read by themselves."""
        return self.read and self.ghosts_before is None

    def to_document(self) -> dict[str, Any]:
        """Return what is stored."""
        return {
            **({"where": self.where} if self.where is not None else {}),
            **({"letters": list(self.letters)} if self.letters else {}),
            **({"live": True} if self.live else {}),
            **({"keys": [bson.decode(key)["_id"] for key in self.keys]} if self.keys else {}),
            **({"again": True} if self.again else {}),
            **({"request": self.request} if self.request is not None else {}),
            "table": self.table,
            "cursor": None if self.cursor is None else list(self.cursor),
            "read": self.read,
            "ghosts_before": None if self.ghosts_before is None else Int64(self.ghosts_before),
            "rows": Int64(self.rows),
            "chunks": Int64(self.chunks),
            "estimate": None if self.estimate is None else Int64(self.estimate),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> TableSnapshot:
        """Read what is stored."""
        cursor = document["cursor"]
        read = {
            "cursor": None if cursor is None else tuple(cursor),
            "letters": tuple(document.get("letters", ())),
            "keys": tuple(bson.encode({"_id": key}) for key in document.get("keys", ())),
        }
        return cls(**{**document, **read})


@dataclass(frozen=True)
class Checkpoint:
    """One pipeline's state; the attributes are contract K1's fields.

    Attributes:
        also: fields that change seldom (K10), written only by the batch that changes them.
    """

    name: str
    stream: str
    term: int
    seq: int = 0
    attempt_id: str = ""
    gtid_set: str = ""
    position: Position | None = None
    ddl: dict[str, Any] | None = None
    snapshot: tuple[TableSnapshot, ...] = ()
    resume_floor: int = 0
    committed_at: Any = None
    source_ts: int | None = None
    started: bool = field(default=False)
    paused: bool = False
    snapshot_paused: bool = False
    tables: tuple[str, ...] | None = None
    also: dict[str, Any] = field(default_factory=dict)

    def moved(self, **changes: Any) -> Checkpoint:
        """Return a copy with changes."""
        return replace(self, **changes)

    def ddl_after(self, gtid_set: str) -> dict[str, Any] | None:
        """Return what is still to be said of a table that is being emptied once `gtid_set` is applied.

        Another reader may have begun the emptying: it stays begun until the transaction that asked for it is applied. What
        no transaction asked for belongs to a snapshot, which says itself that it is not at its end.
        """
        if self.ddl is None or self.ddl["gtid"] is None or self.ddl["gtid"] in GtidSet.parse(gtid_set):
            return None
        return self.ddl

    def fields(self) -> dict[str, Any]:
        """Return what a batch writes; term and name never change by a batch."""
        position = self.position
        return {
            "seq": Int64(self.seq),
            "attempt_id": self.attempt_id,
            "gtid_set": self.gtid_set,
            "txn": None if position is None else position.to_document(),
            "event_idx": Int64(position.event_idx if position else 0),
            "row_idx": Int64(position.row_idx if position else 0),
            "ddl": self.ddl,
            "snapshot": {"tables": [table.to_document() for table in self.snapshot]} if self.snapshot else None,
            "resume_floor": Int64(self.resume_floor),
            "committed_at": self.committed_at,
            "source_ts": None if self.source_ts is None else Int64(self.source_ts),
            **self.also,
        }


def initial_fields(stream: str) -> dict[str, Any]:
    """Return what the first takeover writes besides name and term."""
    return {"stream": stream, **Checkpoint("", stream, 0).fields()}


def from_document(document: dict[str, Any]) -> Checkpoint:
    """Read a checkpoint from MongoDB."""
    snapshot = document.get("snapshot")
    return Checkpoint(
        name=document["_id"],
        stream=document["stream"],
        term=int(document["term"]),
        seq=int(document["seq"]),
        attempt_id=document["attempt_id"],
        gtid_set=document["gtid_set"],
        position=Position.from_document(document),
        ddl=document.get("ddl"),
        snapshot=tuple(TableSnapshot.from_document(table) for table in snapshot["tables"]) if snapshot else (),
        resume_floor=int(document["resume_floor"]),
        committed_at=document.get("committed_at"),
        source_ts=document.get("source_ts"),
        started=document.get("committed_at") is not None,
        paused=bool(document.get("paused")),
        snapshot_paused=bool(document.get("snapshot_paused")),
        tables=None if document.get("tables") is None else tuple(document["tables"]),
    )


Verdict = Literal["committed", "fenced", "retry", "conflict"]


def judge(found: Checkpoint | None, mine: Checkpoint, attempt: Checkpoint) -> Verdict:
    """Say what has become of a batch whose compare-and-set matched nothing, or whose commit is unknown.

    Args:
        found: the checkpoint as it is now, read with majority; None when it is gone.
        mine: the checkpoint as this reader left it.
        attempt: the checkpoint that the batch was to write.

    Returns:
        `committed`: the batch is in; `fenced`: another reader has taken over; `retry`: nothing has happened yet;
        `conflict`: somebody else has changed the checkpoint.
    """
    if found is None or found.stream != mine.stream:
        return "conflict"
    if found.term > mine.term:
        return "fenced"
    if found.term == mine.term and found.seq == attempt.seq and found.attempt_id == attempt.attempt_id:
        return "committed"
    if found.term == mine.term and found.seq == mine.seq and found.attempt_id == mine.attempt_id:
        return "retry"
    return "conflict"
