"""The CDC against a real MySQL and MongoDB: what is changed in one is found in the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from cdc_support.capture import Capture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isotherm_local.harness import Pipeline


@pytest.fixture
def capture(stack: Pipeline) -> Iterator[Capture]:
    """A schema whose tables are all captured."""
    with Capture.of(stack) as made:
        yield made


@pytest.mark.contract("D1", "D2", "D3", "D4", "K4", "K7")
def test_changes_arrive(capture: Capture) -> None:
    """Inserts, updates, deletes and changed keys arrive, with where they came from; a delete leaves a tombstone."""
    capture.sql(
        "CREATE TABLE t (a INT, b VARCHAR(20), c DOUBLE, PRIMARY KEY (b, a))", "INSERT INTO t VALUES (1, 'x', 0.5)"
    )
    capture.start()
    capture.wait()
    first = capture.collection("t").find_one({"_id": {"b": "x", "a": 1}})
    assert first is not None
    assert first["_cdc"] == {"seq": first["_cdc"]["seq"], "ts": None, "gtid": None, "snapshot": True}
    capture.sql(
        "INSERT INTO t VALUES (2, 'y', 1), (3, 'z', 2), (4, 'w', 3)",
        "UPDATE t SET c = 7 WHERE a = 1",
        "UPDATE t SET a = 30 WHERE a = 3",
        "DELETE FROM t WHERE a = 4",
    )
    capture.wait()
    assert capture.differences("t") == []
    changed = capture.collection("t").find_one({"_id": {"b": "x", "a": 1}})
    assert changed is not None
    assert changed["_cdc"]["ts"] / 1e6 == pytest.approx(time.time(), abs=60)
    assert changed["_cdc"]["gtid"].count(":") == 1
    tombstones = capture.client[capture.stack.database]["_cdc_tombstones"]
    gone = {tuple(stone["_id"]["id"].values()) for stone in tombstones.find()}
    assert gone == {("z", 3), ("w", 4)}
    assert {stone["_id"]["collection"] for stone in tombstones.find()} == {f"{capture.stack.database}.t"}
    assert any(index["key"] == {"_cdc.seq": 1} for index in capture.collection("t").list_indexes())


@pytest.mark.contract("K2")
def test_a_transaction_over_tables_is_one_batch(capture: Capture) -> None:
    """What MySQL commits together appears together: with one `seq`."""
    capture.sql("CREATE TABLE t (a INT PRIMARY KEY)", "CREATE TABLE u (a INT PRIMARY KEY)")
    capture.start()
    capture.wait()
    capture.sql(
        "BEGIN", "INSERT INTO t VALUES (1), (2)", "INSERT INTO u VALUES (1)", "INSERT INTO t VALUES (3)", "COMMIT"
    )
    capture.wait()
    documents = [*capture.collection("t").find(), *capture.collection("u").find()]
    assert len(documents) == 4
    assert len({document["_cdc"]["seq"] for document in documents}) == 1


def test_schema_changes(capture: Capture) -> None:
    """TRUNCATE empties, an added column reaches the rows that no row event tells of, renamed tables change places."""
    capture.sql(
        "CREATE TABLE t (a INT PRIMARY KEY)",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE n (a INT PRIMARY KEY, b INT)",
    )
    capture.start()
    capture.wait()
    capture.sql("TRUNCATE TABLE t", "INSERT INTO t VALUES (3)")
    capture.wait()
    assert capture.differences("t") == []
    assert capture.checkpoint()["resume_floor"] > 0
    capture.sql("ALTER TABLE t ADD COLUMN c INT NOT NULL DEFAULT 5 FIRST", "INSERT INTO n VALUES (9, 9)")
    capture.wait()
    assert capture.differences("t", "n") == []
    capture.sql("RENAME TABLE t TO old, n TO t")
    capture.wait()
    assert capture.differences("t", "old") == []


@pytest.mark.contract("K8")
def test_the_checkpoint_moves_while_captured_tables_are_idle(capture: Capture) -> None:
    """Transactions of other schemas move the checkpoint, and it is renewed without any."""
    capture.start(CDC_HEARTBEAT_INTERVAL_MS="500")
    capture.wait()
    other = f"{capture.stack.database}_other"
    try:
        capture.sql(f"CREATE DATABASE {other}", f"CREATE TABLE {other}.t (a INT)", f"INSERT INTO {other}.t VALUES (1)")
        capture.wait(10)
        before = capture.checkpoint()["committed_at"]
        capture.stack.until(lambda: capture.checkpoint()["committed_at"] > before, 10, "a heartbeat")
    finally:
        capture.sql(f"DROP DATABASE {other}")


def test_a_large_transaction_goes_in_parts(capture: Capture) -> None:
    """A transaction that fits no batch is written in parts and is whole at the end."""
    capture.sql("CREATE TABLE t (a INT PRIMARY KEY, b INT)")
    capture.start(CDC_MAX_BATCH_SIZE="100")
    capture.wait()
    values = ", ".join(f"({number}, 0)" for number in range(1050))
    capture.sql("BEGIN", f"INSERT INTO t VALUES {values}", "UPDATE t SET b = a", "COMMIT")
    capture.wait()
    assert capture.differences("t") == []
    assert len(capture.collection("t").distinct("_cdc.seq")) >= 10
