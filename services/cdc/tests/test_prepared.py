"""Prepared XA transactions in the pipeline: not applied before their outcome is known, and no hindrance meanwhile."""

from __future__ import annotations

import bson

from isotherm_cdc.binlog.decode import Row
from isotherm_cdc.checkpoint import Checkpoint, TableSnapshot
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.patience import SECONDS, Patience
from isotherm_cdc.pipeline.pipeline import Pipeline
from isotherm_cdc.pipeline.window import SnapshotRow

ORIGIN = "a65333b1-e821-11f1-8912-02fc00000001"
TABLE = "d.t"


def key(number: int) -> bytes:
    return bson.encode({"_id": number})


def feed(pipeline: Pipeline, number: int, *rows: Row, prepared: int | None = None) -> None:
    pipeline.start(ORIGIN, number, None)
    if rows:
        pipeline.rows(TABLE, 0, rows, 100)
    pipeline.end((ORIGIN, prepared) if prepared else None)


def test_the_position_leaves_a_hole_until_the_outcome() -> None:
    """A reader that starts in between is sent the rows again; afterwards both GTIDs are applied at once."""
    pipeline = Pipeline(Checkpoint("p", "s", 1))
    pipeline.prepared(ORIGIN, 1)
    feed(pipeline, 2)
    batch = pipeline.take(even_if_empty=True)
    assert batch is not None
    assert batch.gtid_set == f"{ORIGIN}:2"
    assert str(pipeline.received) == f"{ORIGIN}:2"
    feed(pipeline, 3, Row("update", key(1), b"x"), prepared=1)
    batch = pipeline.take()
    assert batch is not None
    assert batch.gtid_set == f"{ORIGIN}:1-3"
    assert str(pipeline.received) == f"{ORIGIN}:1-3"


def test_a_chunk_does_not_wait_for_the_outcome() -> None:
    """The source counts a prepared transaction as executed; its rows are in no chunk, and touch it when they come."""
    pipeline = Pipeline(Checkpoint("p", "s", 1).moved(snapshot=(TableSnapshot(TABLE),)))
    pipeline.open_window(TABLE)
    pipeline.close_window([SnapshotRow(key(1), b"old", ("1",))], GtidSet.parse(f"{ORIGIN}:1-2"), last=True)
    feed(pipeline, 1)
    assert pipeline.chunk_state == "held"
    pipeline.prepared(ORIGIN, 2)
    assert pipeline.chunk_state == "queued"
    feed(pipeline, 3, Row("update", key(1), b"new"), prepared=2)
    batch = pipeline.take()
    assert batch is not None
    assert batch.writes[TABLE][key(1)][0] == b"new"


def test_a_lost_connection_forgets_what_was_prepared() -> None:
    """It is sent again."""
    pipeline = Pipeline(Checkpoint("p", "s", 1).moved(snapshot=(TableSnapshot(TABLE),)))
    pipeline.prepared(ORIGIN, 1)
    pipeline.reconnected()
    pipeline.open_window(TABLE)
    pipeline.close_window([], GtidSet.parse(f"{ORIGIN}:1"), last=True)
    assert pipeline.chunk_state == "held"
    pipeline.prepared(ORIGIN, 1)
    assert pipeline.chunk_state == "queued"


def test_refusals_are_borne_for_a_while() -> None:
    """A password that is being rotated looks like a wrong one; one that stays wrong needs a new start."""
    now = 0.0
    patience = Patience(lambda _: True, lambda error: isinstance(error, PermissionError), lambda: now)
    assert patience(PermissionError())
    now = SECONDS - 1
    assert patience(PermissionError())
    assert patience(OSError())
    now = 2 * SECONDS
    assert patience(PermissionError()), "another error has come between"
    now = 3 * SECONDS
    assert not patience(PermissionError())
    assert patience(OSError())
