"""Rows that MongoDB cannot hold, kept where somebody can look at them (contract K6)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import bson
from bson.int64 import Int64

from isotherm_cdc.sink.documents import key_of
from isotherm_cdc.sink.target import DEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.pipeline.batch import DeadRow
    from isotherm_cdc.sink.operations import Operations
    from isotherm_cdc.values.columns import Column, Table


def add(operations: Operations, dead: Sequence[DeadRow], attempt: Checkpoint, now: datetime) -> None:
    """Put in the dead letters of a batch; when it is in already, unknown to its reader, they are there already."""
    for number, row in enumerate(dead):
        document = _document(row, number, attempt, now)
        operations.upsert(DEAD_LETTERS, bson.encode({"_id": document["_id"]}), bson.encode(document))


def layout(table: Table) -> dict[str, Any]:
    """Return what the bytes of a row event's row are read by, so that they can be read later."""
    return {"columns": [_column(column) for column in table.columns], "key": list(table.key)}


def _column(column: Column) -> dict[str, Any]:
    source = None if column.source is None else _column(column.source)
    changed = {"kind": column.kind.name, "labels": list(column.labels), "source": source}
    kept = {field.name: getattr(column, field.name) for field in dataclasses.fields(column) if field.name != "action"}
    return {**kept, **changed}


def settle(operations: Operations, letters: Sequence[str]) -> None:
    """Remove dead letters whose rows are in order again."""
    for letter in letters:
        operations.delete(DEAD_LETTERS, bson.encode({"_id": letter}))


def _document(dead: DeadRow, number: int, attempt: Checkpoint, now: datetime) -> dict[str, Any]:
    return {
        "_id": f"{attempt.stream}:{attempt.seq}:{number}",
        "stream": attempt.stream,
        "seq": Int64(attempt.seq),
        "gtid": dead.gtid,
        "event_idx": Int64(dead.event_idx),
        "row_idx": Int64(dead.row_idx),
        "table": dead.table,
        "key": None if dead.row.key is None else key_of(dead.row.key),
        "operation": dead.row.operation,
        "error": dead.row.error,
        "row": dead.row.data,
        "layout": None if dead.row.table is None else layout(dead.row.table),
        "at": now,
    }
