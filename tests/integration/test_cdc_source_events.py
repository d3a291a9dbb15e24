"""What a binary log may hold besides whole rows: told right, or the reader stops and names the GTID; never passed over.

Hazards of the library (its numbers in docs/reliability-hazards.md) and the test that shows each guarded:

1  unmapped events: test_compressed_transactions, test_tagged_gtids; made by hand in services/cdc/tests/test_transactions.py
4  tags in GTID sets: test_tagged_gtids, services/cdc/tests/test_gtid.py
9  commit times: test_tagged_gtids
10 JSON differences: test_cdc_partial_images.py
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest

from cdc_support.capture import Capture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """Two tables, in small batches."""
    with Capture.of(stack, CDC_MAX_BATCH_SIZE="50", CDC_HEARTBEAT_INTERVAL_MS="500") as made:
        for table in ("t", "u"):
            made.sql(
                f"CREATE TABLE {table} (a INT PRIMARY KEY, b INT NOT NULL DEFAULT 7, c LONGBLOB, j JSON)",
                f"INSERT INTO {table} (a) VALUES (1), (2), (3), (4)",
            )
        yield made


@contextlib.contextmanager
def other_session(capture: Capture) -> Iterator[Any]:
    """A cursor of a second session."""
    with contextlib.closing(capture.stack.mysql()) as connection, connection.cursor() as cursor:
        yield cursor


def numbers(first: int, count: int) -> str:
    return ", ".join(f"({number}, {number}, REPEAT('x', 100))" for number in range(first, first + count))


def test_compressed_transactions(capture: Capture) -> None:
    """Of any size: a large one goes through in parts."""
    capture.start(CDC_MAX_QUEUE_BYTES="200000", CDC_MAX_BATCH_BYTES="100000")
    capture.wait()
    with other_session(capture) as cursor:
        cursor.execute("SET SESSION binlog_transaction_compression = ON")
        cursor.execute("UPDATE t SET b = 8, j = '[1]' WHERE a = 1")
        cursor.execute("BEGIN")
        for first in range(10, 8_000, 2_000):
            cursor.execute(f"INSERT INTO u (a, b, c) VALUES {numbers(first, 2_000)}")
        cursor.execute("UPDATE u SET b = b + 1 WHERE a > 1000")
        cursor.execute("DELETE FROM u WHERE a < 1000 AND a > 100")
        cursor.execute("COMMIT")
    capture.wait()
    assert capture.differences("t", "u") == []


def test_tagged_gtids(capture: Capture) -> None:
    """Tagged transactions are part of the position, have their commit time, and survive a restart of the reader."""
    process = capture.start()
    capture.wait()
    with other_session(capture) as cursor:
        for tag in ("one", "two"):
            cursor.execute(f"SET gtid_next = 'AUTOMATIC:{tag}'")
            cursor.execute("UPDATE t SET b = b + 1 WHERE a = 1")
            cursor.execute(
                "INSERT INTO u (a) VALUES (100 + (SELECT COUNT(*) FROM t) + LENGTH(UUID()))"
                if tag == "one"
                else "DELETE FROM u WHERE a = 2"
            )
    capture.wait()
    document = capture.collection("t").find_one({"_id": 1})
    assert document is not None
    assert ":two:" in document["_cdc"]["gtid"]
    assert document["_cdc"]["ts"] / 1e6 == pytest.approx(time.time(), abs=60)
    assert ":one:1-2:two:1-2" in capture.checkpoint()["gtid_set"]
    process.stop()
    with other_session(capture) as cursor:
        cursor.execute("SET gtid_next = 'AUTOMATIC:two'")
        cursor.execute("UPDATE t SET b = b + 1 WHERE a = 1")
    capture.start()
    capture.wait()
    assert capture.differences("t", "u") == []


@pytest.mark.contract("K12")
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_xa_transactions(capture: Capture, end: str, restarted: bool) -> None:
    """Prepared rows count once they are committed, and never if they are not; a restart in between changes nothing."""
    process = capture.start(CDC_SNAPSHOT_CHUNK_ROWS="2")
    capture.wait()
    xid = f"'{capture.stack.database}'"
    with other_session(capture) as cursor:
        cursor.execute(f"XA START {xid}")
        cursor.execute("UPDATE t SET b = 99 WHERE a = 1")
        cursor.execute("DELETE FROM u WHERE a = 1")
        cursor.execute(f"XA END {xid}")
        cursor.execute(f"XA PREPARE {xid}")
    capture.sql("UPDATE t SET b = 50 WHERE a = 2", "INSERT INTO u (a) VALUES (9)")
    capture.stack.until(lambda: capture.collection("u").find_one({"_id": 9}) is not None, 30, "what came after PREPARE")
    assert capture.collection("t").find_one({"_id": 1})["b"] == 7
    assert capture.collection("u").find_one({"_id": 1}) is not None
    if restarted:
        process.kill()
        process = capture.start()
    capture.sql(f"XA {end} {xid}", "UPDATE t SET b = b + 1 WHERE a = 1")
    capture.wait()
    assert process.running
    assert capture.differences("t", "u") == []
    assert capture.collection("t").find_one({"_id": 1})["b"] == (100 if end == "COMMIT" else 8)


def test_xa_in_one_phase_and_prepared_before_the_first_start(capture: Capture) -> None:
    """What was prepared when nobody was reading is read from the tables once it is committed."""
    xid = f"'{capture.stack.database}'"
    with other_session(capture) as cursor:
        cursor.execute(f"XA START {xid}")
        cursor.execute("UPDATE t SET b = 99 WHERE a = 1")
        cursor.execute(f"XA END {xid}")
        cursor.execute(f"XA PREPARE {xid}")
    capture.start()
    capture.wait()
    assert capture.collection("t").find_one({"_id": 1})["b"] == 7
    capture.sql(
        f"XA COMMIT {xid}",
        f"XA START {xid}", "UPDATE u SET b = 98 WHERE a = 1", f"XA END {xid}", f"XA COMMIT {xid} ONE PHASE",
    )  # fmt: skip
    capture.wait()
    assert capture.differences("t", "u") == []


UNREADABLE = {
    "statement": ["SET SESSION binlog_format = 'STATEMENT'", "UPDATE t SET b = -1 WHERE a = 1"],
    "mixed": ["SET SESSION binlog_format = 'MIXED'", "DELETE FROM t WHERE a = 1"],
    "metadata": ["SET GLOBAL binlog_row_metadata = 'MINIMAL'", "UPDATE t SET b = -1 WHERE a = 1"],
}  # fmt: skip


@pytest.mark.parametrize("statements", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_not_told_stops_or_is_read_again(capture: Capture, statements: list[str]) -> None:
    """A session that does not log whole rows stops the reader; told so, the next one reads the tables again and goes on."""
    capture.sql("UPDATE t SET j = '{\"a\": 1, \"b\": [1, 2, 3, 4, 5, 6, 7, 8, 9]}', c = 'blob'")
    process = capture.start()
    capture.wait()
    try:
        with other_session(capture) as cursor:
            for statement in statements:
                cursor.execute(statement)
        assert process.wait(30) in (64, 70)
        assert "GTID" in process.tail(5)
        assert capture.scalar("SELECT @@server_uuid") in process.tail(5)
    finally:
        capture.sql("SET GLOBAL binlog_row_metadata = 'FULL'")
    capture.sql("UPDATE u SET b = 12")
    process = capture.start(CDC_UNREADABLE_CHANGES_POLICY="resnapshot")
    capture.wait()
    assert process.running
    assert capture.differences("t", "u") == []


def test_other_tables_may_be_written_as_they_like(capture: Capture) -> None:
    """Partial rows of tables that are not captured are nobody's business."""
    process = capture.start(CDC_TABLE_INCLUDE_LIST=f"{capture.stack.database}.u")
    capture.wait()
    with other_session(capture) as cursor:
        cursor.execute("SET SESSION binlog_row_image = 'MINIMAL', binlog_row_value_options = 'PARTIAL_JSON'")
        cursor.execute("UPDATE t SET b = 5, j = JSON_ARRAY(1)")
        cursor.execute("UPDATE t SET j = JSON_SET(j, '$[0]', 2)")
    capture.sql("UPDATE u SET b = 5")
    capture.wait()
    assert process.running
    assert capture.differences("u") == []


def test_statements_of_every_kind(capture: Capture) -> None:
    """INSERT … SELECT, REPLACE, multi-table statements, triggers, procedures, savepoints and rollbacks, other engines."""
    capture.sql(
        "CREATE TABLE m (a INT PRIMARY KEY, b INT) ENGINE = MyISAM",
        "CREATE TABLE h (a INT PRIMARY KEY, b INT) ENGINE = MEMORY",
        "CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, a INT)",
        "CREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW INSERT INTO log (a) VALUES (NEW.a)",
        "CREATE PROCEDURE p() BEGIN INSERT INTO log (a) VALUES (-1); UPDATE u SET b = b * 2; END",
    )
    process = capture.start()
    capture.wait()
    capture.sql(
        "INSERT INTO u (a, b) SELECT a + 10, b FROM t",
        "REPLACE INTO t (a, b) VALUES (1, 70), (5, 71)",
        "INSERT INTO t (a, b) VALUES (1, 1) ON DUPLICATE KEY UPDATE b = 72",
        "UPDATE t JOIN u ON t.a = u.a SET t.b = 1, u.b = 2",
        "DELETE t, u FROM t JOIN u ON t.a = u.a WHERE t.a = 3",
        "CALL p()",
        "BEGIN", "UPDATE t SET b = 5 WHERE a = 1", "SAVEPOINT s", "UPDATE t SET b = 6 WHERE a = 1",
        "DELETE FROM u WHERE a = 1", "ROLLBACK TO s", "INSERT INTO t (a) VALUES (50)", "RELEASE SAVEPOINT s", "COMMIT",
        "BEGIN", "DELETE FROM t", "ROLLBACK",
        "INSERT INTO m VALUES (1, 1), (2, 2)", "UPDATE m SET b = 3 WHERE a = 1", "DELETE FROM m WHERE a = 2",
        "INSERT INTO h VALUES (1, 1), (2, 2)",
        "CREATE TEMPORARY TABLE tmp AS SELECT a FROM t", "INSERT INTO log (a) SELECT a FROM tmp", "TRUNCATE tmp",
        "DROP TEMPORARY TABLE tmp",
        "CREATE TABLE copy (PRIMARY KEY (a)) SELECT a, b FROM t",
        "CREATE TABLE same LIKE copy", "INSERT INTO same SELECT * FROM copy",
        "FLUSH BINARY LOGS", "UPDATE t SET b = 13 WHERE a = 2",
    )  # fmt: skip
    with contextlib.suppress(Exception):
        capture.sql("INSERT INTO m VALUES (7, 7), (8, 8), (7, 9)")  # MyISAM keeps what came before the error
    capture.wait()
    tables = ("t", "u", "m", "h", "log", "copy", "same")
    assert capture.differences(*tables) == []
    assert capture.collection("m").find_one({"_id": 8}) is not None
    assert capture.collection("h").count_documents({}) == 2
    capture.stack.servers.mysql.kill()
    capture.stack.servers.mysql.start().wait_ready()
    capture.reconnect()
    capture.sql("SELECT * FROM h", "UPDATE t SET b = 14 WHERE a = 2")
    capture.wait()
    assert process.running
    assert capture.collection("h").count_documents({}) == 0
    assert capture.differences(*tables) == []


def test_temporary_tables_of_a_statement_session(capture: Capture) -> None:
    """They are logged like any table; a captured table of the same name keeps its rows."""
    process = capture.start()
    capture.wait()
    with other_session(capture) as cursor:
        cursor.execute("SET SESSION binlog_format = 'STATEMENT'")
        cursor.execute("CREATE TEMPORARY TABLE t (a INT PRIMARY KEY)")
        cursor.execute("TRUNCATE TABLE t")
        cursor.execute("DROP TABLE t")
    capture.sql("UPDATE t SET b = 15 WHERE a = 2")
    capture.wait()
    assert process.running
    assert capture.collection("t").count_documents({}) == 4
    assert capture.differences("t", "u") == []


def test_cascades_are_logged_or_refused(capture: Capture) -> None:
    """MySQL logs what foreign keys change since 9.6; before that such keys are a reason not to start."""
    capture.sql(
        "CREATE TABLE p (id INT PRIMARY KEY)",
        "CREATE TABLE k (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE)",
        "CREATE TABLE n (id INT PRIMARY KEY, k INT, FOREIGN KEY (k) REFERENCES k (id) ON DELETE SET NULL)",
        "INSERT INTO p VALUES (1), (2), (3)",
        "INSERT INTO k VALUES (10, 1), (20, 2), (30, 3)",
        "INSERT INTO n VALUES (100, 10), (200, 20), (300, 30)",
    )
    process = capture.start()
    logged = capture.scalar(
        "SELECT COUNT(*) FROM performance_schema.global_variables WHERE variable_name = 'innodb_native_foreign_keys' AND variable_value = 'OFF'"
    )
    if not logged:
        assert process.wait(30) == 64
        assert "ON DELETE" in process.tail(5)
        return
    capture.wait()
    capture.sql("DELETE FROM p WHERE id = 1", "UPDATE p SET id = 22 WHERE id = 2", "DELETE FROM p WHERE id = 3")
    capture.wait()
    assert capture.differences("p", "k", "n") == []
    assert capture.collection("k").count_documents({}) == 1


def test_checksums_may_change_at_any_time(capture: Capture) -> None:
    """Each file says whether its events have checksums; reading goes on over the change, and through old files."""
    process = capture.start()
    capture.wait()
    try:
        for value in ("NONE", "CRC32", "NONE"):
            capture.sql(f"SET GLOBAL binlog_checksum = {value}", "UPDATE t SET b = b + 1")
        capture.wait()
        process.stop()
        for value in ("CRC32", "NONE"):
            capture.sql(f"SET GLOBAL binlog_checksum = {value}", "UPDATE t SET b = b + 1")
        process = capture.start()
        capture.wait()
        capture.sql("UPDATE t SET b = b + 1")
        capture.wait()
    finally:
        capture.sql("SET GLOBAL binlog_checksum = CRC32")
    assert process.running
    assert capture.differences("t", "u") == []


def test_an_event_larger_than_a_packet(capture: Capture) -> None:
    """An update of a row of 9 MB is one event with both images, which comes in two packets of the protocol."""
    process = capture.start()
    capture.wait()
    capture.sql("INSERT INTO t (a, c) VALUES (50, REPEAT('y', 9000000))")
    capture.sql("UPDATE t SET b = 3, c = CONCAT(c, 'z') WHERE a = 50")
    capture.wait(120)
    document = capture.collection("t").find_one({"_id": 50})
    assert document is not None
    assert len(document["c"]) == 9_000_001
    assert process.running
