"""The source becomes another server: a replica with another uuid, another server id and other binary logs.

Hazards ("What breaks such systems" in docs/reliability-hazards.md) and the test that shows each guarded:

failover, other binlog basenames     test_to_a_server_that_has_everything
promoted early, restored from backup test_to_a_server_that_has_less
half-open connections                test_a_connection_that_falls_silent
"""

from __future__ import annotations

import contextlib
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from cdc_support.capture import Capture
from cdc_support.relay import Relay
from cdc_support.replica import Replica
from isotherm_local.process import ManagedProcess
from oracle.compare import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline, Servers


@pytest.fixture(scope="module")
def second(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """The second server."""
    options = ("--loose-innodb-native-foreign-keys=ON",)  # what foreign keys change is in none of its logs
    with Replica.running(servers, tmp_path_factory.mktemp("second"), *options) as running:
        yield running


@pytest.fixture
def replica(second: Replica) -> Iterator[Replica]:
    """The second server, replicating from before this test's schema is made."""
    second.follow()
    yield second
    second.sql("STOP REPLICA")


@pytest.fixture
def capture(replica: Replica, stack: Pipeline) -> Iterator[Capture]:
    """A table on both servers; the reader reaches the first through a relay."""
    del replica
    settings = {"CDC_MAX_BATCH_SIZE": "50", "CDC_SNAPSHOT_CHUNK_ROWS": "20", "CDC_HEARTBEAT_INTERVAL_MS": "500"}
    with Relay(stack.servers.mysql.server.port) as relay, Capture.of(stack, **settings) as made:
        made.settings["MYSQL_PORT"] = str(relay.port)
        made.relay = relay  # type: ignore[attr-defined]
        values = ", ".join(f"({number}, 0)" for number in range(200))
        made.sql("CREATE TABLE t (a INT PRIMARY KEY, b INT)", f"INSERT INTO t VALUES {values}")
        yield made


def relay_of(capture: Capture) -> Relay:
    relay: Any = capture.relay  # type: ignore[attr-defined]
    assert isinstance(relay, Relay)
    return relay


def wait_for_replica(capture: Capture, replica: Replica) -> None:
    executed = capture.scalar("SELECT @@GLOBAL.gtid_executed")
    capture.stack.until(lambda: replica.has(executed), 60, "replication")


def switch(capture: Capture, replica: Replica) -> None:
    """Promote the replica and let the reader's connections lead to it."""
    replica.promote()
    relay_of(capture).target = replica.server.server.port
    relay_of(capture).cut()
    capture.connection.close()
    capture.connection = replica.connect(capture.stack.database)


def compare(capture: Capture, replica: Replica) -> list[str]:
    with contextlib.closing(replica.connect(capture.stack.database)) as connection:
        return differences(connection, capture.client, capture.stack.database, ["t"])


def test_to_a_server_that_has_everything(capture: Capture, replica: Replica) -> None:
    """The reader goes on at the same transaction, without reading anything again; and back once more after a restart."""
    process = capture.start()
    capture.wait()
    capture.sql("UPDATE t SET b = 1 WHERE a < 100", "DELETE FROM t WHERE a = 5")
    wait_for_replica(capture, replica)
    before = capture.checkpoint()
    uuid = capture.scalar("SELECT @@server_uuid")
    switch(capture, replica)
    assert capture.scalar("SELECT @@server_uuid") != uuid
    assert capture.scalar("SELECT @@log_bin_basename").endswith("other")
    capture.sql("UPDATE t SET b = 2 WHERE a BETWEEN 50 AND 150", "INSERT INTO t VALUES (1000, 3)")
    capture.wait()
    after = capture.checkpoint()
    assert process.running
    assert compare(capture, replica) == []
    assert (after["stream"], after["term"]) == (before["stream"], before["term"])
    assert capture.collection("t").count_documents({"_cdc.snapshot": True}) == 49  # those that nobody has changed
    process.stop()
    capture.sql("UPDATE t SET b = 3 WHERE a = 7")
    capture.start()
    capture.wait()
    assert compare(capture, replica) == []


def test_in_the_middle_of_a_snapshot_and_of_a_transaction(capture: Capture, replica: Replica) -> None:
    """Chunks and parts of a large transaction go on from the other server."""
    values = ", ".join(f"({number}, 0)" for number in range(1000, 4000))
    capture.sql(f"INSERT INTO t VALUES {values}")
    process = capture.start(ready=False)
    capture.stack.until(lambda: capture.collection("t").count_documents({}) > 200, 60, "some rows")
    capture.sql("BEGIN", "UPDATE t SET b = b + 1", "DELETE FROM t WHERE a BETWEEN 20 AND 40", "COMMIT")
    wait_for_replica(capture, replica)
    switch(capture, replica)
    capture.sql("UPDATE t SET b = b + 1 WHERE a > 2500")
    capture.wait(120)
    assert process.running
    assert compare(capture, replica) == []


def test_to_a_server_that_has_less(capture: Capture, replica: Replica) -> None:
    """Promoted before it had everything: the reader stops and names what is missing, or starts over and drops ghosts."""
    process = capture.start()
    capture.wait()
    wait_for_replica(capture, replica)
    replica.sql("STOP REPLICA SQL_THREAD")
    capture.sql("INSERT INTO t VALUES (2000, 1)", "UPDATE t SET b = 9 WHERE a = 1", "DELETE FROM t WHERE a = 2")
    lost = capture.scalar("SELECT @@GLOBAL.gtid_executed")
    capture.wait()
    switch(capture, replica)
    missing = replica.sql(f"SELECT GTID_SUBTRACT('{lost}', @@GLOBAL.gtid_executed)")
    assert missing
    assert process.wait(60) == 70
    assert missing.replace("\n", "") in process.tail(5)
    assert "resnapshot" in process.tail(5)
    capture.sql("UPDATE t SET b = 4 WHERE a = 3")
    capture.start(CDC_BINLOG_PURGED_POLICY="resnapshot")
    capture.wait()
    assert compare(capture, replica) == []
    assert capture.collection("t").find_one({"_id": 2000}) is None


def test_a_running_reader_that_may_start_over_does(capture: Capture, replica: Replica) -> None:
    """With the policy resnapshot it ends with 75, to be started again, and the next start reads the tables."""
    process = capture.start(CDC_BINLOG_PURGED_POLICY="resnapshot")
    capture.wait()
    wait_for_replica(capture, replica)
    replica.sql("STOP REPLICA SQL_THREAD")
    capture.sql("INSERT INTO t VALUES (2000, 1)")
    capture.wait()
    switch(capture, replica)
    assert process.wait(60) == 75
    capture.start(CDC_BINLOG_PURGED_POLICY="resnapshot")
    capture.wait()
    assert compare(capture, replica) == []


def test_a_connection_that_falls_silent(capture: Capture) -> None:
    """Neither side closes a connection whose route is gone; the missing heartbeats tell, and reading goes on."""
    process = capture.start()
    capture.wait()
    relay_of(capture).freeze()
    port = capture.stack.metrics_ports["cdc"]
    began = time.monotonic()
    capture.sql("UPDATE t SET b = 1")
    capture.stack.until(lambda: "isotherm_cdc_connected 0.0" in _metrics(port), 20, "noticing")
    assert time.monotonic() - began < 15
    relay_of(capture).cut()
    relay_of(capture).thaw()
    capture.wait()
    assert process.running
    assert capture.differences("t") == []


def _metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_two_readers_with_one_server_id(capture: Capture) -> None:
    """Another pipeline that registers with the same id disturbs neither: each connection has a uuid of its own."""
    process = capture.start(CDC_SERVER_ID="4711")
    capture.wait()
    spec = capture.stack.spec("cdc", {**capture.settings, "CDC_SERVER_ID": "4711", "CDC_NAME": "other", "METRICS_PORT": "0",
                                      "CDC_SNAPSHOT_MODE": "no_data"})  # fmt: skip
    other = ManagedProcess(spec).start()
    try:
        for number in range(20):
            capture.sql(f"UPDATE t SET b = {number} WHERE a = {number}")
        capture.wait()
        checkpoints = capture.client[capture.stack.database]["_cdc_checkpoints"]
        capture.stack.until(lambda: checkpoints.find_one({"_id": "other"}) is not None, 30, "the other pipeline")
        assert other.running
    finally:
        other.kill()
    assert process.running
    assert capture.differences("t") == []


def test_a_server_that_does_not_log_cascades(capture: Capture, replica: Replica) -> None:
    """Foreign keys that change rows there are a reason not to start, and to stop when one is added; or a warning."""
    capture.sql(
        "CREATE TABLE p (id INT PRIMARY KEY)",
        "CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT f FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)",
        "INSERT INTO p VALUES (1), (2)", "INSERT INTO c VALUES (10, 1), (20, 2)",
    )  # fmt: skip
    wait_for_replica(capture, replica)
    switch(capture, replica)
    process = capture.start(ready=False)
    assert process.wait(30) == 64
    assert f"{capture.stack.database}.c (f)" in process.tail(3)
    process = capture.start(CDC_UNLOGGED_CASCADES_POLICY="warn")
    capture.wait()
    assert "unlogged_cascades" in process.tail(50)
    process.stop()
    capture.sql("ALTER TABLE c DROP FOREIGN KEY f")
    process = capture.start()
    capture.wait()
    capture.sql("ALTER TABLE c ADD CONSTRAINT g FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL")
    assert process.wait(30) == 64
    assert f"{capture.stack.database}.c (g)" in process.tail(3)
