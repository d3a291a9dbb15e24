"""Rows around and far above what a document may hold: each ends as a document or as a dead letter with all its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from cdc_support.capture import Capture
from cdc_support.operator import ask
from isotherm_cdc.sink.dead_letters import row_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline

LARGEST = 16 << 20
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """A table of large values, and connections that may send them."""
    with Capture.of(stack) as made:
        made.sql("CREATE TABLE t (a INT PRIMARY KEY, b LONGBLOB)")
        limit = int(made.scalar("SELECT @@GLOBAL.max_allowed_packet"))
        made.sql(f"SET GLOBAL max_allowed_packet = {160 << 20}")
        made.reconnect()
        yield made
        made.sql(f"SET GLOBAL max_allowed_packet = {limit}")


def stored_bytes(capture: Capture, key: int) -> int:
    """Return the size of a document; 0 when there is none."""
    found: Any = capture.collection("t").with_options(codec_options=_RAW).find_one({"_id": key})
    return len(found.raw) if found is not None else 0


@pytest.mark.contract("K6")
def test_a_document_at_the_limit_and_above(capture: Capture) -> None:
    """Up to 16 MiB to the byte it is stored; one byte more makes a dead letter, whose bytes are found again; so does 64 MiB."""
    process = capture.start()
    capture.wait()
    capture.sql("INSERT INTO t VALUES (1, repeat('x', 1000))")
    capture.wait()
    # GTIDs of the same number of digits make `_cdc` as long.
    overhead = stored_bytes(capture, 1) - 1000
    for key, size in ((2, LARGEST - 1), (3, LARGEST), (4, LARGEST + 1)):
        capture.sql(f"INSERT INTO t VALUES ({key}, repeat('x', {size - overhead}))")
    capture.sql(
        "BEGIN", "INSERT INTO t VALUES (5, 'before')", f"INSERT INTO t VALUES (6, repeat('y', {64 << 20}))",
        "INSERT INTO t VALUES (7, 'after')", "COMMIT",
    )  # fmt: skip
    capture.wait(120)
    assert process.running
    assert [stored_bytes(capture, key) for key in (2, 3, 4)] == [LARGEST - 1, LARGEST, 0]
    assert sorted(capture.collection("t").distinct("_id")) == [1, 2, 3, 5, 7]
    letters = list(capture.collection("_cdc_dead_letters").find().sort("_id"))
    assert sorted(letter["key"] for letter in letters) == [4, 6]
    database = capture.client[capture.stack.database]
    for letter in letters:
        size = {4: LARGEST + 1 - overhead, 6: 64 << 20}[letter["key"]]
        assert (letter["row"], letter["table"]) == (None, f"{capture.stack.database}.t")
        assert str(LARGEST) in letter["error"]
        assert letter["chunks"]["count"] == -(-letter["chunks"]["size_bytes"] // (8 << 20))
        row = bson.decode(row_of(database, letter))
        assert (row["a"], len(row["b"]), set(row["b"])) == (letter["key"], size, {ord("x" if size < 64 << 20 else "y")})


def test_a_snapshot_passes_large_rows(capture: Capture) -> None:
    """A row too large for a document does not keep a table from being read."""
    capture.sql(f"INSERT INTO t VALUES (1, 'small'), (2, repeat('z', {LARGEST})), (3, 'small')")
    capture.start()
    capture.wait(120)
    assert sorted(capture.collection("t").distinct("_id")) == [1, 3]
    (letter,) = capture.collection("_cdc_dead_letters").find()
    assert (letter["key"], letter["operation"], letter["gtid"]) == (2, "snapshot", "")
    chunks = capture.collection("_cdc_dead_letter_chunks")
    before = chunks.count_documents({})
    assert before == letter["chunks"]["count"]
    # Put back as it is it fails again, with the same bytes; mended, neither the letter nor its bytes stay.
    assert ask(capture, "requeue", "--all", code=70)["settled"] == []
    assert chunks.count_documents({}) == before
    capture.sql("UPDATE t SET b = 'short' WHERE a = 2")
    assert len(ask(capture, "requeue", "--all")["settled"]) == 1
    assert (chunks.count_documents({}), sorted(capture.collection("t").distinct("_id"))) == (0, [1, 2, 3])


def test_a_row_larger_than_a_packet_may_be(capture: Capture) -> None:
    """The limit holds for values and statements: a row of two values goes above it, in the log and when it is read."""
    capture.sql(f"SET GLOBAL max_allowed_packet = {64 << 20}")
    capture.reconnect()
    size = 40 << 20
    capture.sql("CREATE TABLE w (a INT PRIMARY KEY, b LONGBLOB, c LONGBLOB)")
    capture.sql(f"INSERT INTO w VALUES (1, repeat('x', {size}), repeat('y', {size})), (2, '', '')")
    process = capture.start(CDC_TABLE_EXCLUDE_LIST=f"{capture.stack.database}.t")
    capture.wait(120)
    capture.sql("UPDATE w SET a = a + 10")
    capture.wait(120)
    assert process.running
    letters = {letter["key"]: letter for letter in capture.collection("_cdc_dead_letters").find()}
    assert {(key, letter["operation"]) for key, letter in letters.items()} == {(1, "snapshot"), (11, "update")}
    assert all(letter["chunks"]["size_bytes"] > 2 * size for letter in letters.values())
    assert capture.collection("w").distinct("_id") == [12]


def test_a_pipeline_may_stop_instead(capture: Capture) -> None:
    """By setting it stops with the table, the key and the size, and goes on when the setting is changed."""
    process = capture.start(CDC_OVERSIZED_ROW_POLICY="halt")
    capture.wait()
    capture.sql(f"INSERT INTO t VALUES (5, repeat('x', {LARGEST}))")
    assert process.wait(60) == 70
    told = process.tail(5)
    assert f"{capture.stack.database}.t" in told
    assert "row 5 of" in told
    assert "CDC_OVERSIZED_ROW_POLICY" in told
    capture.start()
    capture.wait()
    assert capture.collection("_cdc_dead_letters").count_documents({"key": 5}) == 1
