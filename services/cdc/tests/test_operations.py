"""What the sink sends, against the driver's own encoding of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import bson
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from isotherm_cdc.binlog.decode import BadRow
from isotherm_cdc.checkpoint import Checkpoint
from isotherm_cdc.pipeline.batch import SNAPSHOT, DeadRow, Origin
from isotherm_cdc.sink import dead_letters, documents, tombstones
from isotherm_cdc.sink.operations import Operations, add_upsert, command
from isotherm_cdc.sink.target import TOMBSTONES

KEYS = st.one_of(st.integers(-(2**40), 2**40), st.text(), st.binary(), st.fixed_dictionaries({"a": st.integers(0, 9)}))
GTID = "a65333b1-e821-11f1-8912-02fc00000001:17"
NOW = dt.datetime(2026, 11, 24, 15, 45, tzinfo=dt.UTC)


def statements(operations: Operations) -> dict[tuple[str, str], list[dict[str, Any]]]:
    return {(table, verb): bson.decode_all(found.raw) for table, verb, found in operations}


@given(key=KEYS, value=st.text(), number=st.integers(1, 2**40))
def test_statements_are_what_the_driver_would_write(key: Any, value: str, number: int) -> None:
    """Upserts, deletes and inserts are whole BSON documents with the fields of MongoDB's commands."""
    operations = Operations()
    identity = bson.encode({"_id": key})
    elements = bson.encode({"_id": key, "v": value})[4:-1]
    origin = Origin(number, GTID)
    add_upsert(operations.of("d.t", "update"), identity, elements, documents.tail(number, origin))
    operations.upsert("d.t", identity, bson.encode({"_id": key, "w": 1}))
    operations.change("d.t", identity, {"$set": {"w": 2}})
    operations.delete("d.t", identity)
    operations.insert("d.u", {"_id": key, "x": value})
    told = {"seq": Int64(number), "ts": Int64(number), "gtid": GTID}
    assert statements(operations) == {
        ("d.t", "update"): [
            {"q": {"_id": key}, "u": {"_id": key, "v": value, "_cdc": told}, "upsert": True},
            {"q": {"_id": key}, "u": {"_id": key, "w": 1}, "upsert": True},
            {"q": {"_id": key}, "u": {"$set": {"w": 2}}},
        ],
        ("d.t", "delete"): [{"q": {"_id": key}, "limit": 1}],
        ("d.u", "insert"): [{"_id": key, "x": value}],
    }


@given(origin=st.sampled_from([SNAPSHOT, Origin(5, GTID), Origin(None, GTID), Origin(0, "x:y:1")]))
def test_a_document_says_where_it_comes_from(origin: Origin) -> None:
    """`_cdc` is byte for byte what the encoder makes of contract D4, and its numbers are 64 bits wide."""
    told: dict[str, Any] = {"seq": Int64(9), "ts": None if origin.commit_us is None else Int64(origin.commit_us)}
    told["gtid"] = origin.gtid
    if origin.gtid is None:
        told["snapshot"] = True
    expected = bson.encode({"a": 1, "_cdc": told})
    assert documents.whole(bson.encode({"a": 1})[4:-1], documents.tail(9, origin)) == expected


@given(key=KEYS)
def test_a_tombstone_names_collection_and_key(key: Any) -> None:
    """It is found by its `_id` and holds the key with its type."""
    operations = Operations()
    start, end = tombstones.key_start("d.t"), tombstones.tail(7, NOW)
    tombstones.add(operations, start, bson.encode({"_id": key}), end)
    ((statement,),) = statements(operations).values()
    identity = {"collection": "d.t", "id": key}
    moment = NOW.replace(tzinfo=None)
    assert statement["q"] == {"_id": identity}
    assert statement["u"] == {"_id": identity, "seq": 7, "deleted_at": moment}
    assert next(iter(operations))[0] == TOMBSTONES


def test_a_command_carries_all_statements_as_one() -> None:
    """The driver is given the command and, as its one document, the statements one after another."""
    operations = Operations()
    for number in range(3):
        operations.delete("d.t", bson.encode({"_id": number}))
    ((_, verb, found),) = operations
    sent = command("t", verb, found)
    assert list(sent) == ["delete", "ordered", "deletes"]
    assert [statement["q"]["_id"] for statement in bson.decode_all(sent["deletes"][0].raw)] == [0, 1, 2]
    assert found.raw is found.raw, "what is sent again after a failure is the same"


def test_the_bytes_of_a_large_row_stay_out_of_its_dead_letter() -> None:
    """A dead letter is small whatever its row and error are."""
    data = bytes(dead_letters.CHUNK_BYTES * 2 + 1)
    dead = [DeadRow(GTID, 1, 2, "d.t", BadRow("update", "e" * 100_000, data)), DeadRow(GTID, 1, 3, "d.t", BadRow("insert", "e", b"raw"))]  # fmt: skip
    operations = Operations()
    dead_letters.add(operations, dead, Checkpoint("p", "s", 1, seq=4), NOW)
    ((large, small),) = ([one.get("u", one) for one in found] for found in statements(operations).values())
    assert len(bson.encode(large)) < 10_000
    assert (large["row"], large["chunks"]["count"], large["chunks"]["size_bytes"]) == (None, 3, len(data))
    assert (small["row"], "chunks" in small) == (b"raw", False)
