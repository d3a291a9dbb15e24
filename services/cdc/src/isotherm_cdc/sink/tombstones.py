"""What is remembered of deleted documents, for how long, and what is told when it is forgotten (contracts K4 and K5)."""

from __future__ import annotations

import struct
import time
from datetime import UTC
from typing import TYPE_CHECKING, Any

import bson
from bson.int64 import Int64

from isotherm_cdc.sink.documents import whole
from isotherm_cdc.sink.target import TOMBSTONES, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.sink.operations import Operations

PURGE_STEP_TOMBSTONES = 1000
PURGE_EVERY_SECONDS = 60.0
_INT32 = struct.Struct("<i")
_KEY_VALUE_AT = 9


def key_start(table: str) -> bytes:
    """Return the first element of a tombstone's `_id`."""
    name = table.encode()
    return b"\x02collection\0" + _INT32.pack(len(name) + 1) + name + b"\0"


def tail(seq: int, now: datetime) -> bytes:
    """Return what follows the `_id` of every tombstone of a batch."""
    return bson.encode({"seq": Int64(seq), "deleted_at": now})[4:]


def add(operations: Operations, start: bytes, key: bytes, end: bytes) -> None:
    """Remember that the document with `key`, the BSON of `{_id: …}`, is deleted."""
    identity = whole(b"".join((start, key[4:5], b"id\0", key[_KEY_VALUE_AT:-1])))
    element = b"\x03_id\0" + identity
    operations.upsert(TOMBSTONES, whole(element), whole(element, end))


class Purge:
    """Removes old tombstones now and then."""

    def __init__(self, target: Target, retention_seconds: float, clock: Callable[[], datetime]) -> None:
        self._target = target
        self._retention_seconds = retention_seconds
        self._clock = clock
        self._next = 0.0

    def add(self, attempt: Checkpoint, operations: Operations) -> Checkpoint:
        """Remove old tombstones in the transaction that raises the floor over them."""
        if time.monotonic() < self._next:
            return attempt
        self._next = time.monotonic() + PURGE_EVERY_SECONDS
        cutoff = self._clock().timestamp() - self._retention_seconds

        def oldest() -> list[dict[str, Any]]:
            return list(self._target.database[TOMBSTONES].find().sort("seq", 1).limit(PURGE_STEP_TOMBSTONES))

        expired: list[dict[str, Any]] = []
        for tombstone in self._target.until_done(oldest, "reading tombstones"):
            if tombstone["deleted_at"].replace(tzinfo=UTC).timestamp() >= cutoff:
                break
            expired.append(tombstone)
        if not expired:
            return attempt
        floor = int(expired[-1]["seq"])
        for tombstone in expired:
            # A tombstone that this batch renews has a larger seq by then and is not meant any more.
            operations.delete(TOMBSTONES, bson.encode({"_id": tombstone["_id"], "seq": {"$lte": Int64(floor)}}))
        if len(expired) == PURGE_STEP_TOMBSTONES:
            self._next = 0.0
        return attempt.moved(resume_floor=max(attempt.resume_floor, floor))
