"""The source no longer has what the checkpoint needs: binary logs purged or reset while nobody, or somebody, was reading.

Hazard ("What breaks such systems" in docs/reliability-hazards.md): a reader that fails for ever, or that goes on with a
hole. Policies: CDC_BINLOG_PURGED_POLICY fail (name the transactions) and resnapshot (read again, drop ghosts), and
CDC_SNAPSHOT_MODE=when_needed, which means the latter.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from cdc_support.capture import Capture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """Two tables with rows."""
    with Capture.of(stack, CDC_SNAPSHOT_CHUNK_ROWS="50", CDC_HEARTBEAT_INTERVAL_MS="500") as made:
        values = ", ".join(f"({number}, 0)" for number in range(200))
        for table in ("t", "u"):
            made.sql(f"CREATE TABLE {table} (a INT PRIMARY KEY, b INT)", f"INSERT INTO {table} VALUES {values}")
        yield made


def purge(capture: Capture) -> None:
    """Change rows, and have the binary logs of it deleted."""
    capture.sql(
        "DELETE FROM t WHERE a < 50", "UPDATE t SET b = 1 WHERE a < 100", "INSERT INTO t VALUES (1000, 1)", "DELETE FROM u",
        "FLUSH BINARY LOGS",
    )  # fmt: skip
    with contextlib.closing(capture.stack.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW BINARY LOG STATUS")
        cursor.execute(f"PURGE BINARY LOGS TO '{cursor.fetchone()[0]}'")


@pytest.mark.parametrize("settings", [{"CDC_BINLOG_PURGED_POLICY": "resnapshot"}, {"CDC_SNAPSHOT_MODE": "when_needed"}],
                         ids=["resnapshot", "when_needed"])  # fmt: skip
def test_purged_while_the_reader_was_down(capture: Capture, settings: dict[str, str]) -> None:
    """It stops and names the transactions; told to read again, it ends equal, and without documents that have no row."""
    process = capture.start()
    capture.wait()
    process.stop()
    seen = capture.checkpoint()
    purge(capture)
    missing = capture.scalar(f"SELECT GTID_SUBTRACT(@@GLOBAL.gtid_purged, '{seen['gtid_set']}')")
    process = capture.start(ready=False)
    assert process.wait(30) == 70
    assert missing.replace("\n", "") in process.tail(5)
    assert capture.checkpoint()["gtid_set"] == seen["gtid_set"]
    process = capture.start(**settings)
    capture.sql("UPDATE t SET b = 2 WHERE a = 60")
    capture.wait()
    assert process.running
    assert capture.differences("t", "u") == []
    assert capture.collection("t").count_documents({"_id": {"$lt": 50}}) == 0
    assert capture.collection("u").count_documents({}) == 0
    after = capture.checkpoint()
    assert after["stream"] == seen["stream"]
    assert after["resume_floor"] > seen["resume_floor"], "browsers must not resume over ghosts without tombstones"


def test_purged_in_the_middle_of_a_large_transaction(capture: Capture) -> None:
    """A part of a transaction is in MongoDB, the rest is gone: reading again makes it whole."""
    process = capture.start(CDC_MAX_BATCH_SIZE="20")
    capture.wait()
    capture.sql("BEGIN", "UPDATE t SET b = 7", "UPDATE u SET b = 8", "COMMIT")
    capture.stack.until(lambda: capture.collection("t").count_documents({"b": 7}) > 20, 30, "a part")
    process.kill()
    purge(capture)
    capture.start(CDC_BINLOG_PURGED_POLICY="resnapshot", CDC_MAX_BATCH_SIZE="20")
    capture.wait()
    assert capture.differences("t", "u") == []
    assert capture.checkpoint()["txn"] is None


def test_a_first_start_on_a_source_that_has_purged(capture: Capture) -> None:
    """Nothing is missing to a reader that begins now, whatever was purged before; also when it reads no tables."""
    purge(capture)
    capture.start(CDC_SNAPSHOT_MODE="no_data")
    capture.wait()
    capture.sql("INSERT INTO t VALUES (3000, 1)")
    capture.wait()
    assert [document["_id"] for document in capture.collection("t").find()] == [3000]


def test_reset_while_reading(capture: Capture) -> None:
    """RESET BINARY LOGS AND GTIDS makes the source forget: the reader stops and names what is gone, then starts over.

    Whether the source ends the stream depends on where in its logs it was; the reader notices in either case.
    """
    process = capture.start()
    capture.wait()
    before = capture.checkpoint()
    capture.sql("RESET BINARY LOGS AND GTIDS", "DELETE FROM t WHERE a < 10")
    assert process.wait(60) == 70
    forgotten = f"has forgotten transactions while it was read: {capture.scalar('SELECT @@server_uuid')}:2"
    assert forgotten in process.tail(50)
    capture.start(CDC_BINLOG_PURGED_POLICY="resnapshot")
    capture.wait()
    after = capture.checkpoint()
    assert capture.differences("t", "u") == []
    assert after["seq"] > before["seq"]
    assert after["stream"] == before["stream"]
