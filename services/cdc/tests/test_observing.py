"""What the metrics say: the names that Debezium's users know, and the values behind them."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from isotherm_cdc.binlog.decode import BadRow
from isotherm_cdc.checkpoint import Checkpoint, TableSnapshot
from isotherm_cdc.engine.observing import Observer, measure
from isotherm_cdc.pipeline.batch import Batch, DeadRow

UUID = "a65333b1-e821-11f1-8912-02fc00000001"


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(f"isotherm_cdc_{name}", labels)
    assert found is not None, name
    return found


@pytest.fixture
def shared() -> Any:
    """The engine's state in the middle of a snapshot."""
    tables = (TableSnapshot("s.t", rows=30, estimate=100), TableSnapshot("s.u"))
    return SimpleNamespace(
        sink=SimpleNamespace(checkpoint=Checkpoint("p", "x", 4, gtid_set=f"{UUID}:1-7:x:1-3", snapshot=tables)),
        settings=SimpleNamespace(max_queue_bytes=1000),
        queued_bytes=300,
        last_commit=90.0,
        lag_seconds=lambda: 1.5,
        newest_us=None,
        catalogue=SimpleNamespace(tables={"s.t", "s.u", "s.v"}),
        paused=False,
        snapshot_held=False,
    )


def test_the_state_of_the_engine(shared: Any) -> None:
    """Queue, position, snapshot and pauses, each under Debezium's word for it."""
    Observer(shared, lambda: 100.0).observe()
    expected = {
        "term": 4, "current_queue_size_in_bytes": 300, "max_queue_size_in_bytes": 1000, "queue_remaining_capacity": 700,
        "checkpoint_age_seconds": 10, "lag_seconds": 1.5, "milliseconds_since_last_event": -1, "captured_tables": 3,
        "paused": 0, "snapshot_running": 1, "snapshot_completed": 0, "snapshot_paused": 0, "remaining_table_count": 2,
        "total_table_count": 2,
    }  # fmt: skip
    assert {name: value(name) for name in expected} == expected
    assert value("gtid_set", origin=UUID) == 7
    assert value("gtid_set", origin=f"{UUID}:x") == 3
    assert value("rows_scanned", table="s.t") == 30
    assert value("rows_estimated", table="s.t") == 100
    shared.newest_us = (time.time() - 2) * 1e6
    shared.paused = shared.snapshot_held = True
    Observer(shared).observe()
    assert 2000 <= value("milliseconds_since_last_event") < 60_000
    assert (value("paused"), value("snapshot_paused")) == (1, 1)


def test_the_duration_of_a_snapshot_stays_when_it_is_done(shared: Any) -> None:
    """It grows while tables are read and then says how long it took; the next one begins at nought."""
    now = 0.0
    observer = Observer(shared, lambda: now)
    whole = shared.sink.checkpoint
    for at, tables, duration, total in (
        (10.0, whole.snapshot, 0, 2), (15.0, whole.snapshot[1:], 5, 2), (17.0, (), 7, 2), (30.0, (), 7, 2),
        (40.0, whole.snapshot[:1], 0, 1), (41.0, (), 1, 1),
    ):  # fmt: skip
        now = at
        shared.sink.checkpoint = whole.moved(snapshot=tables)
        observer.observe()
        assert value("snapshot_duration_in_seconds") == duration
        assert value("total_table_count") == total
        assert value("snapshot_completed") == (not tables)


def test_what_a_batch_adds() -> None:
    """Rows by what was done to them, transactions, failures, and how far behind the last one was."""
    names = (
        "number_of_create_events_seen_total", "number_of_update_events_seen_total", "number_of_delete_events_seen_total",
        "number_of_erroneous_events_total", "number_of_committed_transactions_total", "batches_total",
    )  # fmt: skip
    before = [value(name) for name in names]
    batch = Batch(commits_us=[99_000_000, 99_500_000])
    for operation, count in (("insert", 4), ("update", 3), ("delete", 2), ("snapshot", 50), ("failed", 1)):
        batch.count(operation, "s.measured", count)
    batch.dead.append(DeadRow("", 0, 0, "s.measured", BadRow("insert", "why", b"")))
    measure(batch, 100.0)
    assert [value(name) - old for name, old in zip(names, before, strict=True)] == [4, 3, 2, 1, 2, 1]
    assert value("milliseconds_behind_source") == 500
    assert value("snapshot_rows_total", table="s.measured") == 50
    assert value("events_total", operation="insert", table="s.measured") == 4
    assert value("dead_letters_total", table="s.measured") == 1
