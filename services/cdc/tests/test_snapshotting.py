"""The thread that reads tables: what it does with a chunk that has to be read again."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import bson
import pytest

from isotherm_cdc.binlog.ddl import TableChange
from isotherm_cdc.checkpoint import Checkpoint, TableSnapshot
from isotherm_cdc.engine import snapshotting
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.pipeline.pipeline import Pipeline
from isotherm_cdc.pipeline.window import SnapshotRow
from isotherm_cdc.snapshot.reader import TableChanged
from isotherm_common.shutdown import Shutdown

ORIGIN = "a65333b1-e821-11f1-8912-02fc00000001"
TABLE = "d.t"
SLOW_ANSWERS = 3
"""So often the source answers that it has not committed yet what it has sent."""
ROW = SnapshotRow(bson.encode({"_id": 1}), b"", ("1",))


class Reader:
    """Reads a table of one row; during the first read a DDL statement comes, unless `quiet`."""

    table = SimpleNamespace(counted=False)

    def __init__(self, shared: Any, *, fails: bool = False, quiet: bool = False) -> None:
        self._shared = shared
        self._fails = fails
        self._quiet = quiet
        self.asked = self.asked_before_the_read = 0
        self.reads = 0
        self.looked_while: list[str] = []

    def executed(self) -> GtidSet:
        self.asked += 1
        return GtidSet.parse(f"{ORIGIN}:1") if self.asked > SLOW_ANSWERS else GtidSet()

    def read(self, *_: object) -> Any:
        self.reads += 1
        self.asked_before_the_read = self.asked_before_the_read or self.asked
        if self.reads == 1 and not self._quiet:
            with self._shared.changed:
                self._shared.pipeline.start(ORIGIN, 1, 1)
                self._shared.pipeline.schema([TableChange("reread", TABLE)])
                self._shared.pipeline.end()
            if self._fails:
                raise TableChanged
        return SimpleNamespace(rows=[ROW] if self.table is not None else [], high=self.executed(), last=True)

    def look(self) -> None:
        self.looked_while.append(self._shared.pipeline.chunk_state)

    def estimate(self) -> tuple[int, int]:
        return 1, 100

    def close(self) -> None:
        pass


def shared_state() -> Any:
    return SimpleNamespace(
        shutdown=Shutdown(),
        changed=threading.Condition(),
        pipeline=Pipeline(Checkpoint("p", "s", 1).moved(snapshot=(TableSnapshot(TABLE),))),
        settings=SimpleNamespace(
            mysql=None, snapshot_chunk_rows=10, max_batch_bytes=1 << 20, overrides=None, keyless="fail"
        ),
        with_mysql=lambda _, call: call(),
        snapshot_held=False,
    )


@pytest.mark.parametrize("fails", [False, True], ids=["read all the same", "MySQL says so"])
def test_a_chunk_whose_window_held_ddl_is_read_again(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    """DDL in a window makes the chunk worthless: it is read a second time, and that one is written.

    The table is looked at each time, within the window: no statement can change it unnoticed between that and the read.
    """
    shared = shared_state()
    reader = Reader(shared, fails=fails)
    monkeypatch.setattr(snapshotting, "TableReader", lambda *_: reader)
    thread = threading.Thread(target=snapshotting.Snapshotter(shared).run)
    thread.start()
    with shared.changed:
        try:
            assert shared.changed.wait_for(lambda: shared.pipeline.chunk_state == "queued", 10)
            shared.pipeline.take()  # the order to read the table from its beginning
            batch = shared.pipeline.take()
        finally:
            shared.shutdown.request()
            shared.changed.notify_all()
    thread.join(10)
    assert batch is not None
    assert batch.rows == 1
    assert reader.reads >= 2
    assert set(reader.looked_while) == {"reading"}


def test_a_chunk_waits_until_the_source_has_committed_what_was_received(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is sent before its transactions are committed: a chunk read then would be older than what was received."""
    shared = shared_state()
    shared.pipeline.start(ORIGIN, 1, 1)
    shared.pipeline.end()
    reader = Reader(shared, quiet=True)
    monkeypatch.setattr(snapshotting, "TableReader", lambda *_: reader)
    thread = threading.Thread(target=snapshotting.Snapshotter(shared).run)
    thread.start()
    with shared.changed:
        try:
            assert shared.changed.wait_for(lambda: shared.pipeline.chunk_state == "queued", 10)
        finally:
            shared.shutdown.request()
            shared.changed.notify_all()
    thread.join(10)
    assert reader.asked_before_the_read == SLOW_ANSWERS + 1


def test_a_table_that_comes_back_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that was not there when it was first looked at may be there by now: its documents are no ghosts."""
    shared = shared_state()
    shared.pipeline = Pipeline(Checkpoint("p", "s", 1).moved(seq=5, snapshot=(TableSnapshot(TABLE, ghosts_before=5),)))
    reader = Reader(shared, quiet=True)
    reader.table = None
    monkeypatch.setattr(reader, "look", lambda: setattr(reader, "table", Reader.table))
    monkeypatch.setattr(snapshotting, "TableReader", lambda *_: reader)
    thread = threading.Thread(target=snapshotting.Snapshotter(shared).run)
    thread.start()
    shared.pipeline.start(ORIGIN, 1, 1)
    shared.pipeline.end()
    with shared.changed:
        try:
            assert shared.changed.wait_for(lambda: shared.pipeline.chunk_state == "queued", 10)
            batch = shared.pipeline.take()
        finally:
            shared.shutdown.request()
            shared.changed.notify_all()
    thread.join(10)
    assert batch is not None
    assert not batch.clears
    assert batch.writes[TABLE].keys() == {ROW.key}
