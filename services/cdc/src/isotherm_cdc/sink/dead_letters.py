"""Rows that MongoDB cannot hold, kept where somebody can look at them (contract K6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson
from bson.int64 import Int64

from isotherm_cdc.sink.target import DEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.pipeline.batch import DeadRow
    from isotherm_cdc.sink.operations import Operations


def add(operations: Operations, dead: Sequence[DeadRow], attempt: Checkpoint, now: datetime) -> None:
    """Put in the dead letters of a batch; when it is in already, unknown to its reader, they are there already."""
    for number, row in enumerate(dead):
        document = _document(row, number, attempt, now)
        operations.upsert(DEAD_LETTERS, bson.encode({"_id": document["_id"]}), bson.encode(document))


def _document(dead: DeadRow, number: int, attempt: Checkpoint, now: datetime) -> dict[str, Any]:
    return {
        "_id": f"{attempt.stream}:{attempt.seq}:{number}",
        "stream": attempt.stream,
        "seq": Int64(attempt.seq),
        "gtid": dead.gtid,
        "event_idx": Int64(dead.event_idx),
        "row_idx": Int64(dead.row_idx),
        "table": dead.table,
        "operation": dead.row.operation,
        "error": dead.row.error,
        "row": dead.row.data,
        "at": now,
    }
