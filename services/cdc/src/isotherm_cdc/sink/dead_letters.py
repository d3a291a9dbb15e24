"""Rows that MongoDB cannot hold, kept where somebody can look at them (contract K6).

The bytes of a large row are not in its dead letter but in chunks beside it, for they may be more than a document or a
transaction holds. Chunks are named after what is in them: writing them again changes nothing, and nothing is lost when
the dead letter's transaction does not come about.
"""

from __future__ import annotations

import dataclasses
import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

import bson
from bson.binary import Binary
from bson.int64 import Int64

from isotherm_cdc.sink.documents import key_of
from isotherm_cdc.sink.target import DEAD_LETTER_CHUNKS, DEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pymongo.database import Database

    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.pipeline.batch import DeadRow
    from isotherm_cdc.sink.operations import Operations
    from isotherm_cdc.sink.target import Target
    from isotherm_cdc.values.columns import Column, Table


LARGEST_INLINE_BYTES = 256 << 10
CHUNK_BYTES = 8 << 20
LONGEST_ERROR = 4_000


def store_chunks(target: Target, dead: Sequence[DeadRow]) -> None:
    """Write the bytes of large rows, before the transaction that writes their dead letters."""
    for row in dead:
        data = row.row.data
        if len(data) <= LARGEST_INLINE_BYTES:
            continue
        collection, name = target.database[DEAD_LETTER_CHUNKS], _name(data)
        for number, start in enumerate(range(0, len(data), CHUNK_BYTES)):
            chunk = Binary(data[start : start + CHUNK_BYTES])
            call = partial(
                collection.replace_one,
                {"_id": f"{name}:{number}"},
                {"_id": f"{name}:{number}", "data": chunk},
                upsert=True,
            )
            target.until_done(call, "writing the bytes of a dead letter", "dead_letter")


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


def settle(target: Target, operations: Operations, letters: Sequence[str], dead: Sequence[DeadRow]) -> None:
    """Remove dead letters whose rows have been read again, and their bytes where no other letter has the same.

    Args:
        target: where they are.
        operations: of the batch that settles them.
        letters: their `_id`s.
        dead: the dead letters that come with the batch.
    """
    if not letters:
        return
    for letter in letters:
        operations.delete(DEAD_LETTERS, bson.encode({"_id": letter}))
    unused = target.until_done(lambda: _unused_chunks(target.database, letters), "reading dead letters")
    for row in dead:
        unused.pop(_name(row.row.data), None)
    for name, count in unused.items():
        for number in range(count):
            operations.delete(DEAD_LETTER_CHUNKS, bson.encode({"_id": f"{name}:{number}"}))


def _unused_chunks(database: Database[dict[str, Any]], letters: Sequence[str]) -> dict[str, int]:
    """Return the chunks (the number of each name) that these letters have and no other letter."""
    collection = database[DEAD_LETTERS]
    mine = collection.find({"_id": {"$in": list(letters)}, "chunks": {"$exists": True}}, {"chunks": 1})
    found = {letter["chunks"]["name"]: int(letter["chunks"]["count"]) for letter in mine}
    others = collection.find({"chunks.name": {"$in": list(found)}, "_id": {"$nin": list(letters)}}, {"chunks": 1})
    for letter in others if found else ():
        found.pop(letter["chunks"]["name"], None)
    return found


def row_of(database: Database[dict[str, Any]], letter: Mapping[str, Any]) -> bytes:
    """Return the bytes of a dead letter's row, wherever they are."""
    chunks = letter.get("chunks")
    if chunks is None:
        return bytes(letter["row"])
    collection = database[DEAD_LETTER_CHUNKS]
    parts = (collection.find_one({"_id": f"{chunks['name']}:{number}"}) for number in range(chunks["count"]))
    data = b"".join(part["data"] for part in parts if part is not None)
    if len(data) != chunks["size_bytes"]:
        message = f"Of the row of dead letter {letter['_id']} {len(data)} bytes of {chunks['size_bytes']} are there."
        raise ValueError(message)
    return data


def _name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _document(dead: DeadRow, number: int, attempt: Checkpoint, now: datetime) -> dict[str, Any]:
    data, error = dead.row.data, dead.row.error
    document = {
        "_id": f"{attempt.stream}:{attempt.seq}:{number}",
        "stream": attempt.stream,
        "seq": Int64(attempt.seq),
        "gtid": dead.gtid,
        "event_idx": Int64(dead.event_idx),
        "row_idx": Int64(dead.row_idx),
        "table": dead.table,
        "key": None if dead.row.key is None else key_of(dead.row.key),
        "operation": dead.row.operation,
        "error": error if len(error) <= LONGEST_ERROR else f"{error[:LONGEST_ERROR]}…",
        "row": data,
        "layout": None if dead.row.table is None else layout(dead.row.table),
        "at": now,
    }
    if len(data) > LARGEST_INLINE_BYTES:
        count = -(-len(data) // CHUNK_BYTES)
        document["row"] = None
        document["chunks"] = {"name": _name(data), "count": count, "size_bytes": Int64(len(data))}
    return document
