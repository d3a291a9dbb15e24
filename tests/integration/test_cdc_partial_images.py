"""Sessions that do not log whole rows: the reader goes on, and documents end equal to rows.

What the log tells is applied; rows that it does not tell whole are read again by their keys.
"""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

import pytest

from cdc_support.capture import Capture
from cdc_support.workload import changing, more

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline

ROWS = 300
TABLES = ("t", "c", "v")


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """A table with a key of one column, one with a key of two, one with generated columns; in small pieces."""
    settings = {"CDC_MAX_BATCH_SIZE": "50", "CDC_SNAPSHOT_CHUNK_ROWS": "20", "CDC_HEARTBEAT_INTERVAL_MS": "500"}
    with Capture.of(stack, **settings) as made:
        made.sql(
            "CREATE TABLE t (a INT PRIMARY KEY, b INT NOT NULL DEFAULT 7, s VARCHAR(20) DEFAULT 'dflt', x TEXT, j JSON, g POINT)",
            "CREATE TABLE c (v INT DEFAULT 1, d DATE, s VARCHAR(10), x BLOB, PRIMARY KEY (s, d))",
            "CREATE TABLE v (a INT PRIMARY KEY, b INT, p INT AS (b + 1) VIRTUAL, q INT AS (b + 2) STORED, x TEXT)",
        )
        for first in range(0, ROWS, 100):
            values = ", ".join(
                f"""({n}, {n}, 's{n}', 'text', '{{"n": {n}, "l": [1, {n}.5], "o": {{"k": "v"}}}}')"""
                for n in range(first, first + 100)
            )
            made.sql(f"INSERT INTO t (a, b, s, x, j) VALUES {values}")
        made.sql(
            "INSERT INTO c SELECT a, DATE '2026-01-01' + INTERVAL a DAY, CONCAT('é', a % 7), 'blob' FROM t",
            "INSERT INTO v (a, b, x) SELECT a, b, x FROM t",
        )
        yield made


@contextlib.contextmanager
def session(capture: Capture, image: str, options: str = "") -> Iterator[Any]:
    """A cursor of a session that logs so."""
    with contextlib.closing(capture.stack.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET SESSION binlog_row_image = '{image}', binlog_row_value_options = '{options}'")
        yield cursor


STATEMENTS = (
    "UPDATE t SET b = -1 WHERE a < 5",
    "UPDATE t SET x = 'other' WHERE a = 6",
    "UPDATE t SET s = NULL WHERE a = 7",
    "INSERT INTO t (a) VALUES (1000), (1001)",
    "INSERT INTO t (a, x) VALUES (1002, 'given')",
    "REPLACE INTO t (a, b) VALUES (8, 80), (1003, 1)",
    "INSERT INTO t (a, b) VALUES (9, 1) ON DUPLICATE KEY UPDATE b = b + 1000",
    "DELETE FROM t WHERE a BETWEEN 20 AND 30",
    "UPDATE t SET a = 2000 WHERE a = 40",
    "UPDATE t SET a = a + 3000, b = 0 WHERE a BETWEEN 41 AND 45",
    "UPDATE c SET v = -5 WHERE v < 5",
    "UPDATE c SET d = d + INTERVAL 1000 DAY WHERE v BETWEEN 10 AND 20",
    "DELETE FROM c WHERE v = 30",
    "INSERT INTO c (s, d) VALUES ('new', '2030-01-01')",
    "UPDATE v SET b = b * 2 WHERE a < 10",
    "UPDATE v SET x = 'y' WHERE a = 11",
    "INSERT INTO v (a) VALUES (5000)",
    "BEGIN",
    "UPDATE t SET b = 5 WHERE a = 50",
    "UPDATE t SET a = 60000 WHERE a = 50",
    "DELETE FROM t WHERE a = 51",
    "INSERT INTO t (a) VALUES (51)",
    "UPDATE t SET b = b + 1 WHERE a >= 100",
    "COMMIT",
    "UPDATE t SET j = JSON_SET(j, '$.n', 'changed'), b = 1 WHERE a = 60",
)  # fmt: skip


@pytest.mark.parametrize(
    ("image", "options"), [("MINIMAL", ""), ("MINIMAL", "PARTIAL_JSON"), ("NOBLOB", "PARTIAL_JSON")]
)
def test_rows_end_equal(capture: Capture, image: str, options: str) -> None:
    """Inserts with defaults, changes, changed keys, deletes, mixed with whole rows: nothing stops, nothing is lost."""
    process = capture.start()
    capture.wait()
    with session(capture, image, options) as cursor:
        for number, statement in enumerate(STATEMENTS):
            cursor.execute(statement)
            if statement != "BEGIN" and number % 3 == 0:
                capture.sql(f"UPDATE v SET b = b + 1 WHERE a = {200 + number}")
    capture.wait()
    assert process.running
    assert capture.differences(*TABLES) == []
    assert capture.collection("_cdc_dead_letters").count_documents({}) == 0


JSON_CHANGES = (
    "JSON_SET(j, '$.n', 5)",
    "JSON_SET(j, '$.n', 5.25)",
    "JSON_SET(j, '$.n', CAST(7.50 AS DECIMAL(10,2)))",
    "JSON_SET(j, '$.n', CAST('2026-01-02 03:04:05.000006' AS DATETIME(6)))",
    "JSON_SET(j, '$.longer_name', 'x', '$.z', NULL, '$.\"a.b$\"', true, '$.é', 1)",
    "JSON_SET(j, '$.l[1]', JSON_OBJECT('deep', JSON_ARRAY(1, 2)))",
    "JSON_SET(j, '$.l[1].deep[0]', -1, '$.o.k', 'w')",
    "JSON_SET(j, '$.l[7]', 'past the end')",
    "JSON_REMOVE(j, '$.l[0]')",
    "JSON_REMOVE(j, '$.o', '$.z')",
    "JSON_REPLACE(j, '$.\"a.b$\"', JSON_OBJECT('\"quoted\"', 1))",
    "JSON_SET(j, '$.\"a.b$\".\"\\\\\"quoted\\\\\"\"', 'again')",
    "JSON_SET(j, '$.\"tab\\\\t\"', 1, '$.\"\\\\u65e5本\"', 2)",
    "JSON_ARRAY_INSERT(j, '$.l[0]', 'first')",
    "JSON_ARRAY_APPEND(j, '$.l', 1, '$.n', 2)",
    "JSON_MERGE_PATCH(j, '{\"n\": null, \"m\": 1}')",
    "JSON_SET(j, '$.m', REPEAT('long ', 20000))",
    "JSON_SET(j, '$', 'scalar')",
    "JSON_SET(j, '$[1]', 'wrapped')",
)  # fmt: skip


def test_json_differences_are_applied(capture: Capture) -> None:
    """Replaced, inserted and removed values at paths of every form, from the log alone: no row is read again."""
    capture.sql(
        "CREATE TABLE w (a INT PRIMARY KEY, k JSON, j JSON, n JSON)",
        """INSERT INTO w SELECT a, '{"k": [1]}', JSON_SET(j, '$.pad', REPEAT('x', 400)), NULL FROM t WHERE a < 20""",
    )
    process = capture.start()
    capture.wait()
    before = capture.collection("w").find_one({"_id": 1})["_cdc"]["seq"]
    with session(capture, "FULL", "PARTIAL_JSON") as cursor:
        for change in JSON_CHANGES:
            cursor.execute(f"UPDATE w SET j = {change} WHERE a < 10")
            cursor.execute(f"UPDATE w SET j = {change}, k = JSON_SET(k, '$.k[0]', LENGTH(j)), n = k WHERE a >= 10")
            capture.wait()
            assert capture.differences("w") == [], change
        cursor.execute("UPDATE w SET a = a + 100, k = JSON_SET(k, '$.k[0]', 'moved') WHERE a < 5")
        cursor.execute("DELETE FROM w WHERE a = 7")
    capture.wait()
    assert process.running
    assert capture.differences("w") == []
    documents = list(capture.collection("w").find({"_id": {"$ne": 7}}))
    assert all(document["_cdc"]["seq"] > before and "snapshot" not in document["_cdc"] for document in documents)
    assert "rows_not_whole" in process.tail(500)


def test_overridden_and_excluded_columns(capture: Capture) -> None:
    """Differences are applied to the document that the column holds, not to what a setting makes of it."""
    capture.sql("CREATE TABLE w (a INT PRIMARY KEY, j JSON, x TEXT, y TEXT)")
    capture.sql(
        """INSERT INTO w VALUES (1, '{"k": [1, 2, 3], "pad": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}', 'x', 'y')"""
    )
    overrides = f"{capture.stack.database}.w.j=string,{capture.stack.database}.w.x=exclude"
    capture.start(CDC_COLUMN_OVERRIDES=overrides)
    capture.wait()
    with session(capture, "FULL", "PARTIAL_JSON") as cursor:
        cursor.execute("UPDATE w SET j = JSON_SET(j, '$.k[1]', 9), x = 'z'")
    with session(capture, "NOBLOB") as cursor:
        cursor.execute("UPDATE w SET a = 2")
    capture.wait()
    document = capture.collection("w").find_one({"_id": 2})
    assert document["j"] == capture.scalar("SELECT CAST(j AS CHAR) FROM w")
    assert (document["y"], "x" in document) == ("y", False)


def test_while_tables_are_read_and_the_reader_is_killed(capture: Capture) -> None:
    """Changes of sessions of every kind, before, during and after a snapshot, with kills at random."""
    chance = random.Random(11)

    def change(cursor: Any) -> None:
        row = chance.randrange(2 * ROWS)
        cursor.execute(f"SET SESSION binlog_row_image = '{chance.choice(['MINIMAL', 'NOBLOB', 'FULL'])}'")
        cursor.execute(
            chance.choice(
                (
                    f"UPDATE t SET b = b + 1 WHERE a = {row}",
                    f"UPDATE t SET b = b + 1 WHERE a BETWEEN {row} AND {row + 20}",
                    f"INSERT IGNORE INTO t (a, b) VALUES ({row}, 0)",
                    f"UPDATE IGNORE t SET a = {2 * ROWS - row} WHERE a = {row}",
                    f"DELETE FROM t WHERE a = {row}",
                )
            )
        )

    with changing(capture.stack, change, pause_seconds=0.02) as count:
        for wanted in (40, 120):
            process = capture.start(ready=False)
            capture.stack.until(lambda n=wanted: capture.collection("t").count_documents({}) >= n, 60, "some rows")
            process.kill()
        for _ in range(3):
            process = capture.start()
            more(capture.stack, count, 40)
            process.kill()
        process = capture.start()
        more(capture.stack, count, 40)
    capture.wait(120)
    assert process.running
    assert capture.differences(*TABLES) == []


def test_a_table_without_a_key(capture: Capture) -> None:
    """Its rows are told whole by both images together; an insert that leaves columns to their defaults is not told."""
    capture.sql(
        "CREATE TABLE k (a INT, b VARCHAR(5) DEFAULT 'd', x TEXT)", "INSERT INTO k VALUES (1, 'x', 'y'), (1, 'x', 'y')"
    )
    process = capture.start(CDC_KEYLESS="hash")
    capture.wait()
    with session(capture, "MINIMAL") as cursor:
        cursor.execute("UPDATE k SET a = 2 LIMIT 1")
        cursor.execute("INSERT INTO k (a, b, x) VALUES (3, 'z', NULL)")
        cursor.execute("DELETE FROM k WHERE a = 1")
    capture.wait()
    found = sorted(
        (document["a"], document["b"], document["x"], document["_cdc"]["rows"])
        for document in capture.collection("k").find()
    )
    assert found == [(2, "x", "y", 1), (3, "z", None, 1)]
    assert process.running


def test_many_rows_at_once(capture: Capture) -> None:
    """A transaction of more rows than can be read again one by one has its table read again whole."""
    process = capture.start()
    capture.wait()
    capture.sql("INSERT INTO t (a) SELECT 10000 + x.a * 300 + y.a FROM v x JOIN v y WHERE x.a < 20")
    with session(capture, "MINIMAL") as cursor:
        cursor.execute("UPDATE t SET b = b + 1")
    capture.sql("UPDATE t SET s = 'after' WHERE a = 10001")
    capture.wait(120)
    assert process.running
    assert capture.differences("t") == []


def test_a_key_that_is_not_told(capture: Capture) -> None:
    """Where the log does not even tell the key, the reader stops with the GTID, or reads the table again if told to."""
    capture.sql("CREATE TABLE q (x INT DEFAULT 5, b INT)", "INSERT INTO q VALUES (1, 10)")
    process = capture.start(CDC_KEYLESS="hash")
    capture.wait()
    with session(capture, "MINIMAL") as cursor:
        cursor.execute("INSERT INTO q (b) VALUES (11)")
    assert process.wait(30) == 70
    for part in ("GTID", capture.scalar("SELECT @@server_uuid"), "not x of its key", "CDC_UNREADABLE_CHANGES_POLICY"):
        assert part in process.tail(5)
    capture.start(CDC_KEYLESS="hash", CDC_UNREADABLE_CHANGES_POLICY="resnapshot")
    capture.wait()
    assert sorted((document["x"], document["b"]) for document in capture.collection("q").find()) == [(1, 10), (5, 11)]
