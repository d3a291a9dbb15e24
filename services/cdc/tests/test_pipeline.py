"""The pipeline against a model: a source that changes, a target that applies batches, crashes at every step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from isotherm_cdc.binlog.ddl import TableChange
from isotherm_cdc.binlog.decode import BadRow, Row
from isotherm_cdc.checkpoint import Checkpoint, TableSnapshot
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
    """It waits for its end and, when the batch is nearly full, for the next batch."""
    pipeline = new()
    feed(pipeline, 1, [put(1, 1), put(2, 1), put(3, 1)])
    feed(pipeline, 2, [put(4, 1), put(5, 1), put(6, 1)], end=False)
    assert set(writes(pipeline.take())) == {1, 2, 3}
    assert pipeline.take() is None
    pipeline.end()
    assert set(writes(pipeline.take())) == {4, 5, 6}


def test_a_larger_one_goes_in_parts_that_say_where_they_stop() -> None:
    """Parts may leave before the end has come; a new reader goes on at the very row."""
    pipeline = new()
    feed(pipeline, 1, [put(n, 1) for n in range(4)], [put(n, 1) for n in range(4, 8)], end=False)
    part = pipeline.take()
    assert part is not None
    assert set(writes(part)) == {0, 1, 2, 3, 4}
    assert part.gtid_set == ""
    assert part.position is not None
    assert (part.position.event_idx, part.position.row_idx) == (1, 1)
    again = new(position=part.position)
    feed(again, 1, [put(n, 1) for n in range(4)], [put(n, 1) for n in range(4, 8)])
    rest = again.take()
    assert rest is not None
    assert set(writes(rest)) == {5, 6, 7}
    assert rest.gtid_set == f"{ORIGIN}:1"
    assert rest.position is None


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


class Model(RuleBasedStateMachine):
    """A source with one table, the pipeline, and a target; the reader dies and comes back at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, int] = {}
        self.log: list[list[list[Row | BadRow]]] = []
        self.states: list[dict[int, int]] = [{}]
        self.content = 0
        self.target: dict[int, bytes] = {}
        self.seqs: dict[int, int] = {}
        self.versions: dict[int, int] = {}
        self.stored = Checkpoint("p", "s", 1, snapshot=(TableSnapshot(TABLE),))
        self.restart()

    def restart(self) -> None:
        self.pipeline = Pipeline(self.stored, LIMITS)
        self.connect()

    def connect(self) -> None:
        self.pipeline.reconnected()
        received = self.pipeline.received
        self.pending = [n for n in range(1, len(self.log) + 1) if not received.contains(ORIGIN, n)]
        self.current: tuple[int, int] | None = None
        self.waiting_for: GtidSet | None = None

    @rule(data=st.data(), size=st.integers(0, 4), large=st.booleans())
    def commit_at_source(self, data: st.DataObject, size: int, large: bool) -> None:
        """MySQL commits a transaction of several row events."""
        events: list[list[Row | BadRow]] = []
        for _ in range(size):
            event: list[Row | BadRow] = []
            for _ in range(data.draw(st.integers(1, 5 if large else 2))):
                number = data.draw(st.integers(0, 7))
                self.content += 1
                other = data.draw(st.integers(0, 7))
                if number in self.rows and data.draw(st.booleans()):
                    if other not in self.rows and data.draw(st.booleans()):
                        del self.rows[number]
                        self.rows[other] = self.content
                        event.append(move(number, other, self.content))
                    else:
                        del self.rows[number]
                        event.append(drop(number))
                else:
                    self.rows[number] = self.content
                    event.append(put(number, self.content))
            events.append(event)
        self.log.append(events)
        self.states.append(dict(self.rows))
        self.pending.append(len(self.log))

    @precondition(lambda self: self.pending)
    @rule()
    def receive(self) -> None:
        """The next piece of the stream arrives."""
        number = self.pending[0]
        if self.current is None:
            self.pipeline.start(ORIGIN, number, number)
            self.current = (number, 0)
            return
        _, event = self.current
        events = self.log[number - 1]
        if event < len(events):
            self.pipeline.rows(TABLE, event, events[event], 100)
            self.current = (number, event + 1)
        else:
            self.pipeline.end()
            self.current = None
            self.pending.pop(0)

    @rule(crash=st.sampled_from(["no", "no", "before", "after"]), heartbeat=st.booleans())
    def write(self, crash: str, heartbeat: bool) -> None:
        """The sink takes a batch and commits it whole, or dies before or after."""
        batch = self.pipeline.take(even_if_empty=heartbeat)
        if batch is None:
            return
        if crash != "before":
            self.apply(batch)
        if crash != "no":
            self.restart()
        else:
            self.pipeline.committed(self.stored.seq)

    def apply(self, batch: Batch) -> None:
        before = GtidSet.parse(self.stored.gtid_set)
        moved = GtidSet.parse(batch.gtid_set) - before
        assert before <= GtidSet.parse(batch.gtid_set)
        assert batch.rows <= LIMITS.rows
        if batch.position is not None:
            number = int(batch.position.gtid.rsplit(":", 1)[1])
            assert sum(len(event) for event in self.log[number - 1]) > LIMITS.rows
        assert all(number <= len(self.log) for _, number in moved)
        seq = self.stored.seq + 1
        for name, (elements, _) in batch.writes.get(TABLE, {}).items():
            number = bson.decode(name)["_id"]
            if elements is None:
                self.target.pop(number, None)
            else:
                assert int(elements) >= self.versions.get(number, 0), "a document was taken back"
                self.versions[number] = int(elements)
                self.target[number] = elements
        self.stored = replace(
            self.stored,
            seq=seq,
            gtid_set=batch.gtid_set,
            position=batch.position,
            snapshot=batch.snapshot,
            started=True,
        )

    @rule()
    def lose_connection(self) -> None:
        """The connection to MySQL breaks."""
        self.connect()

    @precondition(lambda self: self.pipeline.chunk_state in ("none", "again") and self.pipeline.snapshot)
    @rule()
    def open_window(self) -> None:
        """The snapshot is about to read a chunk."""
        self.waiting_for = self.pipeline.open_window(TABLE)

    @precondition(lambda self: self.pipeline.chunk_state == "reading" and self.waiting_for is not None)
    @rule(limit=st.integers(1, 7), age=st.integers(0, 3))
    def read_chunk(self, limit: int, age: int = 0) -> None:
        """The snapshot reads the table, which changes further before it asks for the executed set."""
        state = self.pipeline.snapshot[0]
        known = max((number for _, number in self.waiting_for or GtidSet()), default=0)
        view = self.states[max(known, len(self.log) - age)]
        start = int(state.cursor[0]) if state.cursor else -1
        numbers = sorted(number for number in view if number > start)[:limit]
        rows = [SnapshotRow(key(number), value(view[number]), (str(number),)) for number in numbers]
        high = GtidSet.parse(f"{ORIGIN}:1-{len(self.log)}") if self.log else GtidSet()
        self.waiting_for = None
        self.pipeline.close_window(rows, high, last=len(numbers) < limit)

    def drain(self) -> None:
        while self.pending:
            self.receive()
        for _ in range(1000):
            batch = self.pipeline.take(even_if_empty=False)
            if batch is not None:
                self.apply(batch)
                self.pipeline.committed(self.stored.seq)
            elif self.pipeline.snapshot and self.pipeline.chunk_state in ("none", "again"):
                self.open_window()
                self.read_chunk(3)
            elif self.pipeline.chunk_state == "reading":
                self.read_chunk(3)
            else:
                break

    @invariant()
    def bytes_are_counted(self) -> None:
        """What waits is never counted below nothing."""
        assert self.pipeline.queued_bytes >= 0

    def teardown(self) -> None:
        self.drain()
        assert self.pipeline.queued_bytes == 0
        assert not self.pipeline.snapshot
        assert {number: int(content) for number, content in self.target.items()} == self.rows


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
