"""The CDC while everything around it fails: in the end both sides are equal, and nothing was written twice or lost."""

from __future__ import annotations

import contextlib
import random
import threading
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from cdc_support.capture import Capture
from isotherm_local.process import ManagedProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from isotherm_local.harness import Pipeline

ROWS = 400


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """Two tables with rows, all captured in small batches and chunks."""
    settings = {"CDC_MAX_BATCH_SIZE": "50", "CDC_SNAPSHOT_CHUNK_ROWS": "20", "CDC_HEARTBEAT_INTERVAL_MS": "1000"}
    with Capture.of(stack, **settings) as made:
        values = ", ".join(f"({number}, 100)" for number in range(ROWS))
        for table in ("t", "u"):
            made.sql(
                f"CREATE TABLE {table} (a INT PRIMARY KEY, b INT NOT NULL)", f"INSERT INTO {table} VALUES {values}"
            )
        yield made


@contextlib.contextmanager
def workload(capture: Capture, seed: int) -> Iterator[Callable[[], int]]:
    """Change both tables all the while; yields a function that tells how many transactions there were."""
    done = threading.Event()
    count = 0
    chance = random.Random(seed)

    def transaction(cursor: Any) -> None:
        source, target = chance.randrange(ROWS), chance.randrange(ROWS)
        cursor.execute("BEGIN")
        cursor.execute(f"UPDATE t SET b = b - 1 WHERE a = {source}")
        cursor.execute(f"UPDATE u SET b = b + 1 WHERE a = {target}")
        kind = chance.randrange(4)
        if kind == 0:
            cursor.execute(f"DELETE FROM t WHERE a >= {ROWS} LIMIT 1")
        elif kind == 1:
            cursor.execute(f"REPLACE INTO t VALUES ({ROWS + chance.randrange(50)}, 0)")
        elif kind == 2:
            cursor.execute(f"UPDATE IGNORE u SET a = a + {ROWS} WHERE a = {target} AND a < {ROWS}")
        cursor.execute("COMMIT")

    def work() -> None:
        nonlocal count
        while not done.wait(0.01):
            with (
                contextlib.suppress(pymysql.err.MySQLError, OSError),
                contextlib.closing(capture.stack.mysql()) as connection,
            ):
                while not done.wait(0.01):
                    with connection.cursor() as cursor:
                        transaction(cursor)
                    count += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield lambda: count
    finally:
        done.set()
        thread.join()


def more(capture: Capture, count: Callable[[], int], transactions: int = 30) -> None:
    """Wait until the workload has gone on."""
    target = count() + transactions
    capture.stack.until(lambda: count() >= target, 60, "the workload")


def rows_in_mongodb(capture: Capture) -> int:
    """Return how many documents there are."""
    return int(capture.collection("t").count_documents({}) + capture.collection("u").count_documents({}))


@pytest.mark.contract("K9")
def test_killed_in_a_snapshot_and_in_the_stream(capture: Capture) -> None:
    """A reader that is killed again and again goes on where its checkpoint is, in a snapshot too."""
    with workload(capture, 1) as count:
        for wanted in (40, 160, 600):
            process = capture.start(ready=False)
            capture.stack.until(lambda n=wanted: rows_in_mongodb(capture) >= n, 60, f"{wanted} rows")
            process.kill()
        chunks = capture.checkpoint()["snapshot"]
        assert chunks is not None
        assert any(table["cursor"] for table in chunks["tables"])
        for _ in range(4):
            process = capture.start()
            more(capture, count)
            process.kill()
        capture.start()
        more(capture, count)
    capture.wait()
    assert capture.differences("t", "u") == []


@pytest.mark.contract("E5")
def test_mysql_and_mongodb_restart(capture: Capture) -> None:
    """Both databases may go away; the reader waits, goes on, and ends with 0 when asked to."""
    process = capture.start()
    capture.wait()
    with workload(capture, 2) as count:
        more(capture, count)
        capture.stack.servers.mongodb.kill()
        more(capture, count)
        capture.stack.servers.mongodb.start().wait_ready()
        more(capture, count)
        capture.stack.servers.mysql.kill()
        capture.stack.servers.mysql.start().wait_ready()
        more(capture, count)
    capture.reconnect()
    capture.wait()
    assert process.running
    assert capture.differences("t", "u") == []
    process.stop()
    assert process.exit_code == 0


@pytest.mark.contract("K3")
def test_a_second_reader_fences_the_first(capture: Capture) -> None:
    """A reader that another one has taken over from writes nothing more and ends with 75; the stream stays."""
    first = capture.start()
    capture.wait()
    before = capture.checkpoint()
    second = ManagedProcess(capture.stack.spec("cdc", {**capture.settings, "METRICS_PORT": "0"})).start()
    try:
        assert first.wait(30) == 75
        after = capture.checkpoint()
        assert after["term"] == before["term"] + 1
        assert after["stream"] == before["stream"]
        capture.sql("UPDATE t SET b = 5 WHERE a = 1")
        capture.wait()
        assert capture.differences("t", "u") == []
    finally:
        second.kill()


@pytest.mark.contract("K2")
@pytest.mark.parametrize(
    "failure",
    [
        {"failCommands": ["commitTransaction"], "closeConnection": True},
        {"failCommands": ["commitTransaction"], "errorCode": 91, "errorLabels": ["UnknownTransactionCommitResult"]},
        {"failCommands": ["update", "bulkWrite"], "errorCode": 112, "errorLabels": ["TransientTransactionError"]},
        {"failCommands": ["update", "bulkWrite"], "closeConnection": True},
    ],
    ids=["commit answer lost", "commit unknown", "write conflict", "connection closed"],
)
def test_an_answer_is_lost(capture: Capture, failure: dict[str, Any]) -> None:
    """A batch whose outcome is unknown is in exactly once: each batch takes one `seq`."""
    process = capture.start()
    capture.wait()
    fail = {"configureFailPoint": "failCommand", "mode": {"times": 3}, "data": failure}
    capture.client.admin.command(fail)
    try:
        for number in range(10):
            capture.sql(f"UPDATE t SET b = {number} WHERE a = {number}")
        capture.wait()
    finally:
        capture.client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
    assert process.running
    assert capture.differences("t", "u") == []


def test_what_cannot_be_decoded_stops_with_the_gtid(capture: Capture) -> None:
    """A session that writes partial images stops the reader loudly; a compressed transaction is read."""
    process = capture.start()
    capture.wait()
    capture.sql(
        "SET SESSION binlog_transaction_compression = ON",
        "UPDATE t SET b = b + 1 WHERE a < 100",
        "SET SESSION binlog_transaction_compression = OFF",
    )
    capture.wait()
    assert capture.differences("t", "u") == []
    capture.sql("SET SESSION binlog_row_image = 'MINIMAL'", "UPDATE t SET b = -1 WHERE a = 1")
    assert process.wait(30) == 70
    assert "GTID" in process.tail(5)
    assert "binlog_row_image" in process.tail(5)
