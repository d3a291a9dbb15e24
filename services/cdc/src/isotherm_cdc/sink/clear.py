"""Deleting many documents before a batch's checkpoint counts: TRUNCATE, DROP, and documents without a row.

MongoDB has no `drop` in a transaction, and one transaction holds only so much: the documents go in steps, each fenced by
the checkpoint and each raising the floor, so that a crash in between only means to begin with what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import bson
import structlog
from bson.int64 import Int64

from isotherm_cdc.sink.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.pipeline.batch import Clear
    from isotherm_cdc.sink.target import Target

CLEAR_STEP_DOCUMENTS = 1000


def keys_in_steps(target: Target, clear: Clear) -> Iterator[list[Any]]:
    """Yield the keys of the documents to delete, a step at a time; each step is gone when the next is asked for."""
    collection = target.collection(clear.table)
    query = {} if clear.up_to_seq is None else {"_cdc.seq": {"$lte": Int64(clear.up_to_seq)}}

    def step() -> list[Any]:
        return [document["_id"] for document in collection.find(query, {"_id": 1}).limit(CLEAR_STEP_DOCUMENTS)]

    while keys := target.until_done(step, "reading the keys to delete"):
        yield keys


def clear_all(
    target: Target,
    clear: Clear,
    current: Callable[[], Checkpoint],
    write: Callable[[Checkpoint, Operations], object],
    clock: Callable[[], datetime],
) -> None:
    """Delete the documents.

    Args:
        target: where.
        clear: which.
        current: the checkpoint as of the last commit.
        write: commits a checkpoint and operations.
        clock: the time.
    """
    total = 0
    for keys in keys_in_steps(target, clear):
        seq = current().seq + 1
        attempt = current().moved(
            seq=seq,
            attempt_id=uuid4().hex,
            ddl={"gtid": clear.gtid, "op": clear.reason, "table": clear.table, "stage": "clearing"},
            resume_floor=seq,
            committed_at=clock(),
        )
        operations = Operations()
        for key in keys:
            operations.delete(clear.table, bson.encode({"_id": key}))
        write(attempt, operations)
        total += len(keys)
    structlog.get_logger().info("collection_cleared", table=clear.table, reason=clear.reason, documents=total)
