"""Tables without a key: one document for equal rows, with their number (contract D11).

What a batch knows is how many more or fewer there are. The number that there was is read before the transaction: only
this reader writes, and if another one has taken over by then, the transaction does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson
import structlog
from bson.int64 import Int64

from isotherm_cdc.sink import tombstones
from isotherm_cdc.sink.documents import key_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from isotherm_cdc.pipeline.batch import Batch, Origin
    from isotherm_cdc.sink.operations import Operations
    from isotherm_cdc.sink.target import Target


def add(target: Target, batch: Batch, seq: int, now: datetime, operations: Operations) -> None:
    """Write the new numbers of a batch's rows."""
    being_read = {table.table for table in batch.snapshot}
    tombstone_end = tombstones.tail(seq, now)
    for table, rows in batch.counted.items():
        changed = {key: change for key, change in rows.items() if change.rows}
        numbers = _numbers(target, table, [key_of(key) for key in changed])
        tombstone_start = tombstones.key_start(table)
        for key, change in changed.items():
            before = numbers.get(key_of(key), 0)
            after = before + change.rows
            if after < 0 and table not in being_read:
                structlog.get_logger().warning("unknown_row_deleted", table=table, key=key_of(key))
                after = 0
            if not after:
                if before:
                    operations.delete(table, key)
                    tombstones.add(operations, tombstone_start, key, tombstone_end)
            elif change.elements is None and before:
                operations.upsert(table, key, bson.encode({"$set": {"_cdc": _stamp(seq, change.origin, after)}}))
            else:
                end = bson.encode({"_cdc": _stamp(seq, change.origin, after)})[4:]
                operations.upsert(table, key, whole(change.elements or key[4:-1], end))


def _numbers(target: Target, table: str, keys: Iterable[Any]) -> dict[Any, int]:
    def read() -> dict[Any, int]:
        found = target.collection(table).find({"_id": {"$in": list(keys)}}, {"_cdc.rows": 1})
        return {document["_id"]: int(document["_cdc"]["rows"]) for document in found}

    return target.until_done(read, "reading the number of equal rows")


def _stamp(seq: int, origin: Origin, rows: int) -> dict[str, Any]:
    stamp = {
        "seq": Int64(seq),
        "ts": None if origin.commit_us is None else Int64(origin.commit_us),
        "gtid": origin.gtid,
    }
    return {**stamp, **({"snapshot": True} if origin.gtid is None else {}), "rows": Int64(rows)}
