"""Tables without a primary key: refused, keyed by a unique key, or with equal rows counted."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from cdc_support.capture import Capture
from cdc_support.operator import ask, run
from cdc_support.workload import changing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline

SETTINGS = {
    "CDC_KEYLESS": "hash", "CDC_SNAPSHOT_CHUNK_ROWS": "20", "CDC_HEARTBEAT_INTERVAL_MS": "500", "CDC_MAX_BATCH_SIZE": "50",
}  # fmt: skip


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """An empty schema, all of it captured."""
    with Capture.of(stack, **SETTINGS) as made:
        yield made


def in_mysql(capture: Capture) -> Counter[Any]:
    """Return how often each row is in MySQL."""
    with contextlib.closing(capture.stack.mysql()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT a, b, CAST(c AS DOUBLE) FROM k")
        return Counter(cursor.fetchall())


def in_mongodb(capture: Capture) -> Counter[Any]:
    """Return how often each row is in MongoDB."""
    found: Counter[Any] = Counter()
    for document in capture.collection("k").find():
        assert list(document) == ["_id", "a", "b", "c", "_cdc"]
        assert len(document["_id"]) == 40
        found[document["a"], document["b"], document["c"]] += document["_cdc"]["rows"]
    return found


@pytest.mark.contract("D11")
def test_equal_rows_are_counted(capture: Capture) -> None:
    """Inserted, changed and deleted one by one or together, equal rows are neither lost nor doubled; NULL is a value."""
    capture.sql(
        "CREATE TABLE k (a INT, b VARCHAR(5), c FLOAT)", "INSERT INTO k VALUES (1,'x',1),(1,'x',1),(NULL,NULL,NULL)"
    )
    capture.start()
    capture.wait()
    assert in_mongodb(capture) == in_mysql(capture) == {(1, "x", 1.0): 2, (None, None, None): 1}
    for statement, rows in (
        ("INSERT INTO k VALUES (1,'x',1),(2,'y',0.1),(NULL,NULL,NULL)", 6),
        ("UPDATE k SET a = 5 WHERE a = 1 LIMIT 1", 6),
        ("UPDATE k SET a = 5", 6),
        ("INSERT INTO k SELECT * FROM k", 12),
        ("DELETE FROM k WHERE b = 'x' LIMIT 2", 10),
        ("DELETE FROM k WHERE b IS NULL", 6),
        ("ALTER TABLE k MODIFY b VARCHAR(9)", 6),
        ("UPDATE k SET b = 'X' WHERE b = 'x'", 6),
        ("TRUNCATE TABLE k", 0),
        ("INSERT INTO k VALUES (7,'z',NULL),(7,'z',NULL)", 2),
    ):
        capture.sql(statement)
        capture.wait()
        expected = in_mysql(capture)
        assert in_mongodb(capture) == expected, statement
        assert expected.total() == rows
    # Read again on demand, the numbers do not add up to more.
    capture.collection("k").insert_one({"_id": "0" * 40, "a": 0, "b": "", "c": 0.0, "_cdc": {"seq": 1, "rows": 3}})
    ask(capture, "snapshot", f"{capture.stack.database}.k", "--wait")
    assert in_mongodb(capture) == in_mysql(capture)
    assert (
        "can only be read whole" in run(capture, "snapshot", f"{capture.stack.database}.k", "--where", "a = 1").stderr
    )


def test_snapshot_and_stream_agree_under_changes_and_kills(capture: Capture) -> None:
    """A table that changes while it is read, by a reader that is killed again and again, is counted right in the end."""
    capture.sql("CREATE TABLE k (a INT, b VARCHAR(5), c FLOAT)")
    capture.sql("INSERT INTO k VALUES " + ", ".join(f"({number % 90}, 'x', NULL)" for number in range(600)))
    chance = random.Random(3)

    def change(cursor: Any) -> None:
        a, b = chance.randrange(90), chance.randrange(90)
        statements = (
            f"INSERT INTO k VALUES ({a}, 'x', NULL), ({a}, 'x', NULL)",
            f"UPDATE k SET a = {b} WHERE a = {a} LIMIT 3",
            f"DELETE FROM k WHERE a = {a} LIMIT 2",
        )
        cursor.execute(chance.choice(statements))

    with changing(capture.stack, change, pause_seconds=0.05):
        for wanted in (1, 30, 60):
            process = capture.start(ready=False)
            capture.stack.until(lambda n=wanted: capture.collection("k").count_documents({}) >= n, 60, "some rows")
            process.kill()
        process = capture.start()
        capture.stack.until(lambda: not capture.checkpoint()["snapshot"], 60, "the end of the snapshot")
        process.kill()
        capture.start()
    capture.wait()
    assert in_mongodb(capture) == in_mysql(capture)


def test_verify_counts_rows(capture: Capture) -> None:
    """How often each row is there on both sides, under changes too; what differs is named, and reading again mends it."""
    capture.sql(
        "CREATE TABLE k (a INT, b VARCHAR(5), c FLOAT, d JSON)",
        "INSERT INTO k (a, b, c) VALUES (1,'x',1),(1,'x',1),(2,'y',NULL),(3,'z',0.1),(4,'w',2)",
    )
    capture.start()
    capture.wait()
    capture.sql(
        """INSERT INTO k VALUES (9, 'j', 1, '{"n": [1.5]}'), (9, 'j', 1, JSON_OBJECT('n', CAST(1.50 AS DECIMAL(5,2))))"""
    )
    table = f"{capture.stack.database}.k"
    first = ask(capture, "verify", table)
    assert first["equal"]
    assert (first["tables"][0]["rows"], len(first["tables"][0]["sha256"])) == (7, 64)

    def change(cursor: Any) -> None:
        cursor.execute("UPDATE k SET a = a + 10 WHERE a > 100 OR b = 'w'")

    with changing(capture.stack, change, pause_seconds=0.1):
        shown = run(capture, "verify", table)
        assert shown.returncode in (0, 75), shown.stdout
    capture.wait()
    documents = capture.collection("k")
    documents.update_one({"a": 1}, {"$inc": {"_cdc.rows": 1}})
    documents.update_one({"a": 2}, {"$set": {"b": "other"}})
    gone = documents.find_one_and_delete({"a": 3})
    documents.insert_one({**gone, "_id": "0" * 40, "a": 0})
    (found,) = ask(capture, "verify", table, code=1)["tables"]
    assert sorted((one["kind"], *one["columns"]) for one in found["differences"]) == [
        ("different", "(rows)"), ("different", "b"), ("extra",), ("missing",),
    ]  # fmt: skip


def test_requeue_reads_such_a_table_whole(capture: Capture) -> None:
    """A row that no document could hold and that is mended is counted; its letter goes."""
    capture.sql("CREATE TABLE k (a INT, j JSON)", """INSERT INTO k VALUES (1, '{"x\\\\u0000y": 1}'), (2, '[]')""")
    capture.start()
    capture.wait()
    assert len(ask(capture, "requeue", "--all", code=70)["failed_again"]) == 1
    capture.sql("DELETE FROM k WHERE a = 1", "INSERT INTO k VALUES (1, '[1]')")
    assert len(ask(capture, "requeue", "--all")["settled"]) == 2, "the one of the row, and the one of its DELETE"
    assert ask(capture, "verify", f"{capture.stack.database}.k")["equal"]
    assert sorted(document["a"] for document in capture.collection("k").find()) == [1, 2]


def test_a_unique_key_without_null_is_the_key(capture: Capture) -> None:
    """Nothing has to be set for it, and a nullable one does not count."""
    capture.sql(
        "CREATE TABLE u (n INT UNIQUE, b INT NOT NULL, a INT NOT NULL, UNIQUE wide (n, a, b), UNIQUE key_of_two (b, a))",
        "INSERT INTO u VALUES (NULL, 1, 2), (NULL, 2, 2)",
    )
    capture.start(CDC_KEYLESS="fail")
    capture.wait()
    capture.sql("UPDATE u SET n = 5, a = 9 WHERE b = 1", "DELETE FROM u WHERE b = 2", "INSERT INTO u VALUES (6, 1, 1)")
    capture.wait()
    found = sorted(
        (document["_id"]["b"], document["_id"]["a"], document["n"]) for document in capture.collection("u").find()
    )
    assert found == [(1, 1, 6), (1, 9, 5)]
    assert run(capture, "verify", f"{capture.stack.database}.u", CDC_KEYLESS="fail").returncode == 0


def test_keys_that_come_and_go(capture: Capture) -> None:
    """Whatever tells the rows apart from now on is the documents' key, and no document of the old key stays."""
    capture.sql("CREATE TABLE u (a INT NOT NULL, b INT NOT NULL, c INT, UNIQUE two (a, b))")
    capture.sql("INSERT INTO u VALUES " + ", ".join(f"({number}, {number % 7}, 0)" for number in range(100)))
    process = capture.start()
    capture.wait()
    table = f"{capture.stack.database}.u"
    for number, (statement, key) in enumerate(
        (
            ("ALTER TABLE u ADD UNIQUE one (a)", "two"),
            ("DROP INDEX two ON u", "a"),
            ("ALTER TABLE u DROP KEY one", "none"),
            ("CREATE UNIQUE INDEX one ON u (a)", "a"),
            ("DROP INDEX one ON u", "none"),
            ("ALTER TABLE u ADD CONSTRAINT back UNIQUE (b, a)", "two"),
            ("ALTER TABLE u ADD PRIMARY KEY (a)", "a"),
            ("ALTER TABLE u DROP PRIMARY KEY", "two"),
            ("ALTER TABLE u DROP CONSTRAINT back", "none"),
        )
    ):
        capture.sql(
            f"UPDATE u SET c = {number} WHERE a < 50", statement, f"UPDATE u SET c = c + 1 WHERE a > {90 - number}"
        )
        capture.sql(f"DELETE FROM u WHERE a = {number}", f"INSERT INTO u VALUES ({200 + number}, 1, 1)")
        capture.wait()
        found = {
            (document["a"], document["b"], document["c"]): document["_id"]
            for document in capture.collection("u").find()
        }
        with contextlib.closing(capture.stack.mysql()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT a, b, c FROM u")
            assert sorted(found) == sorted(cursor.fetchall()), statement
        assert capture.collection("u").count_documents({}) == len(found) == 100
        for (a, b, _), identity in found.items():
            assert {"a": identity == a, "two": identity in ({"a": a, "b": b}, {"b": b, "a": a})}.get(
                key, len(str(identity)) == 40
            )
    assert process.running
    assert run(capture, "verify", table).returncode == 0


def test_without_the_setting_it_is_refused_by_name(capture: Capture) -> None:
    """All such tables are named at the start, with what can be done; one that comes later stops the reader too."""
    capture.sql("CREATE TABLE k1 (a INT)", "CREATE TABLE k2 (a INT UNIQUE)")
    process = capture.start(ready=False, CDC_KEYLESS="fail")
    assert process.wait(60) == 64
    message = process.tail(10)
    for table in ("k1", "k2"):
        assert f"{capture.stack.database}.{table} has no primary key, and no unique key" in message
    assert "CDC_KEYLESS=hash" in message
    capture.sql("DROP TABLE k1, k2")
    process = capture.start(CDC_KEYLESS="fail")
    capture.sql("CREATE TABLE k3 (a INT)", "INSERT INTO k3 VALUES (1)")
    assert process.wait(60) == 64
    assert "k3 has no primary key" in process.tail(5)
