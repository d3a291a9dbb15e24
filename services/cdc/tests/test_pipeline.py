"""The pipeline by example; `test_model` has it under everything that can happen."""

from __future__ import annotations

from typing import Any

import bson
import pytest

from isotherm_cdc.binlog.ddl import TableChange
from isotherm_cdc.binlog.decode import BadRow, Row
from isotherm_cdc.checkpoint import Checkpoint, Position, TableSnapshot
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.pipeline.batch import Batch, Limits
from isotherm_cdc.pipeline.pipeline import Pipeline
from isotherm_cdc.pipeline.window import SnapshotRow

ORIGIN = "a65333b1-e821-11f1-8912-02fc00000001"
TABLE = "d.t"
LIMITS = Limits(rows=5, size_bytes=1 << 20)


def key(number: int) -> bytes:
    return bson.encode({"_id": number})


def value(number: int) -> bytes:
    return str(number).encode()


def put(number: int, content: int) -> Row:
    return Row("update", key(number), value(content))


def drop(number: int) -> Row:
    return Row("delete", key(number), None)


def move(old: int, new: int, content: int) -> Row:
    return Row("update", key(new), value(content), old_key=key(old))


def feed(pipeline: Pipeline, number: int, *events: list[Row | BadRow], end: bool = True, table: str = TABLE) -> None:
    pipeline.start(ORIGIN, number, number * 1000)
    for index, rows in enumerate(events):
        pipeline.rows(table, index, rows, 100)
    if end:
        pipeline.end()


def new(**changes: Any) -> Pipeline:
    return Pipeline(Checkpoint("p", "s", 1).moved(**changes), LIMITS)


def writes(batch: Batch | None) -> dict[int, str | None]:
    assert batch is not None
    return {
        bson.decode(name)["_id"]: None if elements is None else elements.decode()
        for writes in batch.writes.values()
        for name, (elements, _) in writes.items()
    }


def test_the_last_change_of_a_key_wins() -> None:
    """Within a batch each key is written once, as the last of its changes left it."""
    pipeline = new()
    feed(pipeline, 1, [put(1, 10), put(2, 20)], [put(1, 11), drop(2)])
    feed(pipeline, 2, [move(1, 3, 30)])
    batch = pipeline.take()
    assert writes(batch) == {1: None, 2: None, 3: "30"}
    assert batch is not None
    assert batch.gtid_set == f"{ORIGIN}:1-2"
    assert pipeline.take() is None


def test_a_transaction_that_fits_is_never_split() -> None:
    """It waits for its end and, when the batch is nearly full, for the next batch; also one that fills a batch to the brim."""
    pipeline = new()
    feed(pipeline, 1, [put(1, 1), put(2, 1), put(3, 1)])
    feed(pipeline, 2, [put(number, 1) for number in range(4, 4 + LIMITS.rows)], end=False)
    assert set(writes(pipeline.take())) == {1, 2, 3}
    assert pipeline.take() is None
    pipeline.end()
    assert set(writes(pipeline.take())) == set(range(4, 4 + LIMITS.rows))


def test_a_larger_one_goes_in_parts_that_say_where_they_stop() -> None:
    """Parts may leave before the end has come; a new reader goes on at the very row."""
    pipeline = new()
    feed(pipeline, 1, [put(n, 1) for n in range(4)], [put(n, 1) for n in range(4, 8)], end=False)
    part = pipeline.take()
    assert part is not None
    assert set(writes(part)) == {0, 1, 2, 3, 4}
    assert part.gtid_set == ""
    assert part.position is not None
    assert part.position == Position(f"{ORIGIN}:1", ((TABLE, 5),))
    again = new(position=part.position)
    feed(again, 1, [put(n, 1) for n in range(4)], [put(n, 1) for n in range(4, 8)])
    rest = again.take()
    assert rest is not None
    assert set(writes(rest)) == {5, 6, 7}
    assert rest.gtid_set == f"{ORIGIN}:1"
    assert rest.position is None


def test_another_server_cuts_the_rows_into_other_events() -> None:
    """After a failover the same rows come in other events: those that are written are left out, table by table."""
    position = Position(f"{ORIGIN}:1", ((TABLE, 3), ("d.u", 2)))
    pipeline = new(position=position)
    pipeline.start(ORIGIN, 1, 1)
    pipeline.rows(TABLE, 0, [put(1, 1), put(2, 1)], 100)
    pipeline.rows("d.u", 1, [put(1, 1)], 100)
    pipeline.rows(TABLE, 2, [put(3, 1), put(4, 1)], 100)
    pipeline.rows("d.u", 3, [put(2, 1), put(3, 1), put(4, 1)], 100)
    pipeline.rows("d.v", 4, [put(1, 1)], 100)
    part = pipeline.take()
    assert part is not None
    assert {table: {bson.decode(name)["_id"] for name in found} for table, found in part.writes.items()} == {
        TABLE: {4}, "d.u": {3, 4}, "d.v": {1},
    }  # fmt: skip
    assert part.position == Position(f"{ORIGIN}:1", ((TABLE, 4), ("d.u", 4), ("d.v", 1)))
    pipeline.end()
    last = pipeline.take(even_if_empty=True)
    assert last is not None
    assert (last.position, last.gtid_set) == (None, f"{ORIGIN}:1")


def test_a_checkpoint_that_counts_events() -> None:
    """One of the first version names an event and a row in it; the next one counts rows."""
    stored = {"txn": {"gtid": f"{ORIGIN}:1"}, "event_idx": 1, "row_idx": 1}
    pipeline = new(position=Position.from_document(stored))
    feed(pipeline, 1, [put(n, 1) for n in range(3)], [put(n, 1) for n in range(3, 12)], end=False)
    part = pipeline.take()
    assert part is not None
    assert set(writes(part)) == {4, 5, 6, 7, 8}
    assert part.position == Position(f"{ORIGIN}:1", ((TABLE, 9),))


def test_a_batch_counts_what_mongodb_is_sent() -> None:
    """Documents may be far larger than their rows (short values under long names): the batch's bound holds for them."""
    pipeline = Pipeline(Checkpoint("p", "s", 1), Limits(rows=1000, size_bytes=1 << 20))
    for number in range(40):
        pipeline.start(ORIGIN, number + 1, 1)
        pipeline.rows(TABLE, 0, [Row("insert", key(number), bytes(100_000))], 500)
        pipeline.end()
    taken = []
    while (batch := pipeline.take()) is not None:
        taken.append(sum(len(elements or b"") for elements, _ in batch.writes[TABLE].values()))
    assert sum(taken) == 40 * 100_000
    assert max(taken) <= 1 << 20


def test_a_large_event_with_rows_of_all_sizes() -> None:
    """Large rows and small ones in one event: no batch is sent more than the bound and one row."""
    pipeline = Pipeline(Checkpoint("p", "s", 1), Limits(rows=1000, size_bytes=8 << 20))
    sizes = [10 << 20] * 5 + [10] * 500
    pipeline.start(ORIGIN, 1, 1)
    rows = [Row("insert", key(number), bytes(size)) for number, size in enumerate(sizes)]
    pipeline.rows(TABLE, 0, rows, sum(sizes))
    pipeline.end()
    written = 0
    while (batch := pipeline.take()) is not None:
        found = [len(elements or b"") for elements, _ in batch.writes[TABLE].values()]
        assert sum(found) <= 10 << 20
        written += len(found)
    assert written == len(sizes)
    assert pipeline.queued_bytes == pipeline.queued_rows == 0


def test_a_lost_connection_takes_the_open_transaction_back() -> None:
    """What was received in part comes again from its beginning; what was received whole is not taken twice."""
    pipeline = new()
    feed(pipeline, 1, [put(1, 1)])
    feed(pipeline, 2, [put(2, 1)], end=False)
    pipeline.reconnected()
    assert str(pipeline.received) == f"{ORIGIN}:1"
    feed(pipeline, 1, [put(9, 9)])
    feed(pipeline, 2, [put(2, 2)])
    assert writes(pipeline.take()) == {1: "1", 2: "2"}
    assert pipeline.queued_bytes == 0


def test_transactions_without_captured_rows_only_move_the_position() -> None:
    """They make no batch of their own, but the next one has them."""
    pipeline = new()
    feed(pipeline, 1)
    feed(pipeline, 2)
    assert pipeline.take() is None
    batch = pipeline.take(even_if_empty=True)
    assert batch is not None
    assert batch.gtid_set == f"{ORIGIN}:1-2"


def test_a_bad_row_is_set_aside_and_the_others_go_on() -> None:
    """A dead letter belongs to the batch of its transaction and names its place."""
    pipeline = new()
    feed(pipeline, 7, [put(1, 1), BadRow("insert", "why", b"raw"), put(2, 1)])
    batch = pipeline.take()
    assert batch is not None
    assert set(writes(batch)) == {1, 2}
    assert [(dead.gtid, dead.row_idx, dead.row.error) for dead in batch.dead] == [(f"{ORIGIN}:7", 1, "why")]


def test_truncate_stands_alone() -> None:
    """It comes after everything before it and before everything after it."""
    pipeline = new()
    feed(pipeline, 1, [put(1, 1)])
    pipeline.start(ORIGIN, 2, 1)
    pipeline.schema([TableChange("truncate", TABLE)])
    pipeline.end()
    feed(pipeline, 3, [put(2, 1)])
    assert set(writes(pipeline.take())) == {1}
    batch = pipeline.take()
    assert batch is not None
    assert [(clear.table, clear.up_to_seq) for clear in batch.clears] == [(TABLE, None)]
    assert not batch.writes
    assert set(writes(pipeline.take())) == {2}


@pytest.mark.parametrize("disturb", ["schema", "bad row"])
def test_a_chunk_is_read_again_when_its_window_cannot_be_trusted(disturb: str) -> None:
    """DDL, or a change whose key is not known, makes the rows that were read worthless."""
    pipeline = new(snapshot=(TableSnapshot(TABLE),))
    pipeline.open_window(TABLE)
    pipeline.start(ORIGIN, 1, 1)
    if disturb == "schema":
        pipeline.schema([TableChange("reread", TABLE)])
    else:
        pipeline.rows(TABLE, 0, [BadRow("update", "why", b"")], 10)
    pipeline.end()
    pipeline.close_window([SnapshotRow(key(1), value(1), ("1",))], GtidSet.parse(f"{ORIGIN}:1"), last=True)
    assert pipeline.chunk_state == "again"


def chunk(*numbers: int) -> list[SnapshotRow]:
    return [SnapshotRow(key(number), value(number), (str(number),)) for number in numbers]


def test_a_chunk_is_not_read_before_the_open_transaction_is_committed() -> None:
    """What was received in part counts too: its rows have passed, and the chunk would be older than they are."""
    pipeline = new(snapshot=(TableSnapshot(TABLE),))
    feed(pipeline, 1, [put(1, 1)])
    feed(pipeline, 2, [put(1, 2)], end=False)
    assert str(pipeline.open_window(TABLE)) == f"{ORIGIN}:1-2"


def test_a_chunk_loses_the_rows_that_the_stream_touched_meanwhile() -> None:
    """Whether the key was written, deleted, or changed into another: what the stream says is newer."""
    pipeline = new(snapshot=(TableSnapshot(TABLE),))
    pipeline.open_window(TABLE)
    feed(pipeline, 1, [put(1, 10), drop(2), move(3, 9, 30)])
    pipeline.close_window(chunk(1, 2, 3, 4), GtidSet.parse(f"{ORIGIN}:1"), last=True)
    assert writes(pipeline.take()) == {1: "10", 2: None, 3: None, 9: "30", 4: "4"}


def test_a_chunk_of_an_earlier_reading_does_not_count() -> None:
    """When the table is to be read from its beginning, a chunk that waits must not take the cursor further."""
    pipeline = new(snapshot=(TableSnapshot(TABLE),))
    pipeline.open_window(TABLE)
    pipeline.close_window(chunk(7), GtidSet(), last=False)
    pipeline.request_snapshot([TableSnapshot(TABLE)])
    batch = pipeline.take()
    assert batch is not None
    assert batch.snapshot[0].cursor is None


def test_a_chunk_waits_until_the_stream_has_passed_what_it_was_read_after() -> None:
    """What the source had committed when the chunk was read may still touch its rows on the way here."""
    pipeline = new(snapshot=(TableSnapshot(TABLE),))
    pipeline.open_window(TABLE)
    pipeline.close_window(chunk(1, 2), GtidSet.parse(f"{ORIGIN}:1"), last=True)
    assert pipeline.chunk_state == "held"
    assert pipeline.take() is None
    feed(pipeline, 1, [drop(1)])
    assert writes(pipeline.take()) == {1: None, 2: "2"}


def test_rows_applied_before_a_restart_are_taken_from_the_chunk() -> None:
    """What a large transaction had written before the reader ended does not come again: the chunk's row counts.

    Were it dropped, the document would be deleted as one that no row stands behind.
    """
    table = TableSnapshot(TABLE, ghosts_before=7)
    pipeline = new(seq=7, position=Position(f"{ORIGIN}:1", event_idx=1, row_idx=1), snapshot=(table,))
    pipeline.open_window(TABLE)
    feed(pipeline, 1, [put(1, 10)], [put(2, 20), put(3, 30)])
    pipeline.close_window(chunk(1, 2, 3), GtidSet.parse(f"{ORIGIN}:1"), last=True)
    found: dict[int, str | None] = {}
    while (batch := pipeline.take()) is not None:
        assert not (found.keys() & writes(batch).keys())
        found |= writes(batch)
        pipeline.committed(pipeline._outlet.seq + 1)
    assert found == {1: "1", 2: "2", 3: "30"}


def test_a_chunk_is_not_older_than_a_transaction_applied_in_part() -> None:
    """After a restart a chunk is read when the source has committed what the reader before had begun to write."""
    pipeline = new(seq=7, position=Position(f"{ORIGIN}:1", event_idx=1, row_idx=1), snapshot=(TableSnapshot(TABLE),))
    assert str(pipeline.open_window(TABLE)) == f"{ORIGIN}:1"


def test_a_transaction_without_rows_counts_as_applied_by_the_next_batch() -> None:
    """It makes no batch of its own; that MongoDB is as new as it, the next one says, or there would seem to be a lag."""
    pipeline = new()
    feed(pipeline, 1, [put(1, 1)])
    batch = pipeline.take()
    assert batch is not None
    assert batch.source_us == 1000
    feed(pipeline, 2)
    assert pipeline.take() is None
    heartbeat = pipeline.take(even_if_empty=True)
    assert heartbeat is not None
    assert heartbeat.source_us == 2000
    assert heartbeat.commits_us == []


def test_a_reading_that_is_given_up_tells_its_request() -> None:
    """With the batch that ends it, and not before: a chunk that is worthless is read again."""
    state = TableSnapshot(TABLE, where="f(a)", request="r")
    assert TableSnapshot.from_document(state.to_document()) == state
    pipeline = new(snapshot=(state,))
    for worthless in (True, False):
        pipeline.open_window(TABLE)
        if worthless:
            feed(pipeline, 1, [BadRow("update", "why", b"")])
        pipeline.close_window([], GtidSet(), last=True, given_up="because")
        batch = pipeline.take(even_if_empty=True)
        assert batch is not None
        assert batch.given_up == ([] if worthless else [("r", "because")])
        assert batch.snapshot == ((state,) if worthless else ())
