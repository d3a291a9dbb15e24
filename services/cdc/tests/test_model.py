"""Pipeline, checkpoint and sink together against a model of the source, with crashes at every call to MongoDB.

The source is a list of transactions with the state after each: some are in the binary log though not committed yet, as
MySQL's dump thread sends them. Whenever the checkpoint says that no transaction is applied in part and no table is being
read, MongoDB must hold exactly the state after the checkpoint's transactions. That is checked at every commit.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import bson
import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pymongo.errors import AutoReconnect, OperationFailure
from structlog.testing import capture_logs

from cdc_support import fake_mongo
from isotherm_cdc.binlog.ddl import TableChange
from isotherm_cdc.binlog.decode import BadRow, PartialRow, Row
from isotherm_cdc.checkpoint import TableSnapshot
from isotherm_cdc.errors import Fenced
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.pipeline.batch import Batch, DeadRow, Limits, Origin
from isotherm_cdc.pipeline.pipeline import Pipeline
from isotherm_cdc.pipeline.window import SnapshotRow
from isotherm_cdc.sink import clear, tombstones
from isotherm_cdc.sink.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ORIGIN = "a65333b1-e821-11f1-8912-02fc00000001"
DATABASE, NAME = "d", "p"
TABLES = ("d.t", "d.u")
KEYS = 12
LIMITS = Limits(rows=5, size_bytes=1 << 20, clear_dropped=True)
RETENTION_SECONDS = 5.0

State = dict[tuple[str, int], tuple[int, int]]
"""By table and key: the content, and the transaction that wrote it."""
UNTOLD = -1
"""In place of a transaction: the log does not tell the row, it is read from its table."""


class Crash(BaseException):
    """The reader's process is killed."""


class Patient:
    """A shutdown that is never requested, and waits that take no time."""

    requested = False

    def __init__(self) -> None:
        self.event = self

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        return False


@dataclass
class Logged:
    """A transaction in the source's binary log."""

    events: list[tuple[str, list[Row | PartialRow | BadRow], bool]] = field(default_factory=list)
    schema: list[TableChange] = field(default_factory=list)


def key(number: int) -> bytes:
    return bson.encode({"_id": number})


def elements(number: int, content: int) -> bytes:
    return bson.encode({"_id": number, "v": content})[4:-1]


class Source:
    """MySQL: tables, their history, the binary log; the last transactions of the log may not be committed yet."""

    def __init__(self) -> None:
        self.log: list[Logged] = []
        self.states: list[State] = [{}]
        self.bad: list[set[tuple[str, int, int]]] = [set()]
        self.committed = 0
        self._content = 0

    @property
    def executed(self) -> GtidSet:
        """What MySQL says that it has executed."""
        return GtidSet.parse(f"{ORIGIN}:1-{self.committed}") if self.committed else GtidSet()

    def write(self, chance: random.Random, *, large: bool) -> None:
        """Put a transaction of row events into the log."""
        number = len(self.log) + 1
        state, bad, logged = dict(self.states[-1]), set(self.bad[-1]), Logged()
        for event in range(chance.randint(1, 5 if large else 2)):
            table = chance.choice(TABLES)
            rows: list[Row | PartialRow | BadRow] = []
            partial = chance.random() < 0.2
            for row in range(chance.randint(1, 5 if large else 2)):
                if chance.random() < 0.04:
                    rows.append(BadRow("insert", "no document holds it", b"raw"))
                    bad.add((f"{ORIGIN}:{number}", event, row))
                else:
                    changed = self._change(chance, table, state, number)
                    if partial and changed.elements is not None and chance.random() < 0.8:
                        _, name, _, old_key = changed
                        rows.append(PartialRow(changed.operation, name, old_key=old_key))
                        place = table, bson.decode(name)["_id"]
                        state[place] = state[place][0], UNTOLD
                    else:
                        rows.append(changed)
            logged.events.append((table, rows, partial))
        self._append(logged, state, bad)

    def _change(self, chance: random.Random, table: str, state: State, number: int) -> Row:
        old, new = chance.randrange(KEYS), chance.randrange(KEYS)
        self._content += 1
        if (table, old) not in state:
            state[table, old] = self._content, number
            return Row("insert", key(old), elements(old, self._content))
        kind = chance.randrange(3)
        if kind == 0:
            del state[table, old]
            return Row("delete", key(old), None)
        if kind == 1 and (table, new) not in state:
            del state[table, old]
            state[table, new] = self._content, number
            return Row("update", key(new), elements(new, self._content), key(old))
        state[table, old] = self._content, number
        return Row("update", key(old), elements(old, self._content))

    def alter(self, chance: random.Random, effect: str) -> None:
        """Put a statement into the log that changes a table without telling of rows."""
        table = chance.choice(TABLES)
        state = {place: row for place, row in self.states[-1].items() if place[0] != table}
        if effect == "reread":
            for number in range(KEYS):
                if chance.random() < 0.5:
                    self._content += 1
                    state[table, number] = self._content, 0
        self._append(Logged(schema=[TableChange(effect, table)]), state, set(self.bad[-1]))  # type: ignore[arg-type]

    def _append(self, logged: Logged, state: State, bad: set[tuple[str, int, int]]) -> None:
        self.log.append(logged)
        self.states.append(state)
        self.bad.append(bad)


class Reader:
    """A process: a client, a sink and a pipeline, and the two connections to MySQL."""

    def __init__(self, model: Model, call: Callable[[str], None]) -> None:
        self.model = model
        self.interrupt: Callable[[str], None] = lambda _: None
        self.dead = False
        self.sink = Sink(
            fake_mongo.Client(model.server, self._call),  # type: ignore[arg-type]
            DATABASE,
            NAME,
            shutdown=Patient(),  # type: ignore[arg-type]
            tombstone_retention_seconds=RETENTION_SECONDS,
            clock=lambda: model.now,
        )
        self._outer = call
        checkpoint = self.sink.take_over()
        if not checkpoint.started:
            tables = tuple(TableSnapshot(table) for table in TABLES)
            checkpoint = self.sink.commit(Batch(gtid_set=str(model.source.executed), snapshot=tables))
        self.pipeline = Pipeline(checkpoint, LIMITS)
        self.connect()

    def _call(self, what: str) -> None:
        if self.dead:
            raise Crash
        self._outer(what)
        self.interrupt(what)

    def connect(self) -> None:
        """Connect to MySQL's log behind what was received whole."""
        self.pipeline.reconnected()
        self.next = 1
        self.event: int | None = None
        self.known: GtidSet | None = None

    def receive(self) -> bool:
        """Take the next piece of the log; answer whether there was one."""
        received = self.pipeline.received
        while self.event is None and received.contains(ORIGIN, self.next):
            self.next += 1
        if self.next > len(self.model.source.log):
            return False
        logged = self.model.source.log[self.next - 1]
        if self.event is None:
            self.pipeline.start(ORIGIN, self.next, self.next * 1000)
            self.event = 0
        elif self.event < len(logged.events):
            table, rows, partial = logged.events[self.event]
            self.pipeline.rows(table, self.event, rows, 100, partial=partial)
            self.event += 1
        else:
            if logged.schema:
                self.pipeline.schema(logged.schema)
            self.pipeline.end()
            self.event = None
        return True


@dataclass
class Follower:
    """A browser: what it was told, and up to where."""

    seq: int = -1
    documents: dict[tuple[str, bytes], bytes] = field(default_factory=dict)


class Model(RuleBasedStateMachine):
    """The source changes, the reader reads and writes, everything may fail between any two steps."""

    @initialize(seed=st.integers(0, 1 << 32), before=st.integers(0, 3), settled=st.booleans())
    def begin(self, seed: int, before: int, settled: bool) -> None:
        """The reader starts for the first time, on tables that have rows."""
        self.failed = False
        self.chance = random.Random(seed)
        self.now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        self.source = Source()
        self.server = fake_mongo.Server()
        self.server.committed = self.check
        self.seen: dict[str, Any] = {}
        self.written: dict[tuple[str, bytes], tuple[int, int]] = {}
        self.followers = [Follower() for _ in range(2)]
        self.zombie: Reader | None = None
        for _ in range(before):
            self.source.write(self.chance, large=True)
        self.source.committed = self.chance.randint(0, before)
        self.reader = Reader(self, lambda _: None)
        if settled:
            self.settle()

    def checkpoint(self) -> dict[str, Any]:
        """Return the checkpoint as MongoDB has it."""
        return self.server.find((DATABASE, "_cdc_checkpoints"))[0]

    def target(self) -> dict[tuple[str, bytes], bytes]:
        """Return all documents of the tables."""
        return {
            (table, name): data
            for table in TABLES
            for name, data in self.server.collections.get((DATABASE, table.partition(".")[2]), {}).items()
        }

    def check(self, written: list[fake_mongo.Name]) -> None:
        """See what has just been committed."""
        assert written[-1] == (DATABASE, "_cdc_checkpoints"), "the checkpoint is not the last write"
        before, after = self.seen, self.checkpoint()
        self.seen = after
        if before:
            assert after["stream"] == before["stream"]
            assert after["seq"] == before["seq"] + 1, "a seq was skipped or used twice"
            assert after["resume_floor"] >= before["resume_floor"]
        executed = GtidSet.parse(after["gtid_set"])
        applied = max((number for _, number in executed), default=0)
        assert executed == (GtidSet.parse(f"{ORIGIN}:1-{applied}") if applied else GtidSet())
        assert before.get("gtid_set") is None or GtidSet.parse(before["gtid_set"]) <= executed
        target = self.target()
        for place, data in target.items():
            document = fake_mongo.decoded(data)
            row = document["_cdc"]["seq"], document["v"]
            before_it = self.written.get(place, (0, 0))
            assert before_it[0] <= row[0] <= after["seq"], "a document's seq sank"
            assert before_it[1] <= row[1], "a document was taken back"
            self.written[place] = row
        if after["txn"] is None and after["ddl"] is None:
            letters = [
                (letter["gtid"], letter["event_idx"], letter["row_idx"])
                for letter in self.server.find((DATABASE, "_cdc_dead_letters"))
            ]
            first = self.source.bad[self.started_at(executed)]
            assert sorted(letters) == sorted(self.source.bad[applied] - first), "dead letters are missing or repeated"
            if after["snapshot"] is None:
                self.equal(target, self.source.states[applied])
        for follower in self.followers:
            if self.chance.random() < 0.3:
                self.resume(follower, after, target)

    def started_at(self, _: GtidSet) -> int:
        """Return how many transactions the first reader left to its snapshot."""
        if not hasattr(self, "_first"):
            self._first = max((number for _, number in GtidSet.parse(self.checkpoint()["gtid_set"])), default=0)
        return self._first

    def equal(self, target: dict[tuple[str, bytes], bytes], state: State) -> None:
        """Compare the documents with a state of the source."""
        documents = {
            (table, fake_mongo.decoded(name)["_id"]): fake_mongo.decoded(data) for (table, name), data in target.items()
        }
        assert {place: document["v"] for place, document in documents.items()} == {
            place: content for place, (content, _) in state.items()
        }
        for place, document in documents.items():
            gtid, wrote = document["_cdc"]["gtid"], state[place][1]
            assert gtid is None or gtid == f"{ORIGIN}:{wrote}", "a document names another transaction than its last"
            assert document["_cdc"]["ts"] == (None if gtid is None else wrote * 1000)

    def resume(self, follower: Follower, checkpoint: dict[str, Any], target: dict[tuple[str, bytes], bytes]) -> None:
        """A browser comes back: what it is told by seq and tombstones must make it equal (contracts K4 and K5)."""
        if follower.seq >= 0 and follower.seq >= checkpoint["resume_floor"]:
            for stone in self.server.find((DATABASE, "_cdc_tombstones")):
                place = stone["_id"]["collection"], key(stone["_id"]["id"])
                data = target.get(place)
                newer = data is not None and fake_mongo.decoded(data)["_cdc"]["seq"] > stone["seq"]
                if stone["seq"] > follower.seq and not newer:
                    follower.documents.pop(place, None)
            for place, data in target.items():
                if fake_mongo.decoded(data)["_cdc"]["seq"] > follower.seq:
                    follower.documents[place] = data
            assert follower.documents == target, "a browser that came back was not told everything"
        follower.seq, follower.documents = checkpoint["seq"], dict(target)

    @rule(kind=st.sampled_from(["small", "small", "large", "large", "large", "reread", "truncate", "drop"]))
    def change(self, kind: str) -> None:
        """A transaction or a statement gets into the source's log."""
        if kind in ("small", "large"):
            self.source.write(self.chance, large=kind == "large")
        else:
            self.source.alter(self.chance, kind)

    @precondition(lambda self: self.source.committed < len(self.source.log))
    @rule()
    def commit(self) -> None:
        """MySQL commits the next transaction of its log."""
        self.source.committed += 1

    @rule(pieces=st.integers(1, 8))
    def receive(self, pieces: int) -> None:
        """Some of the log arrives, committed or not."""
        for _ in range(pieces):
            self.reader.receive()

    @rule(seconds=st.integers(1, 10))
    def wait(self, seconds: int) -> None:
        """Time passes; tombstones get old."""
        self.now += dt.timedelta(seconds=seconds)

    @rule()
    def settle(self) -> None:
        """Everything is committed, arrives and is written, and all tables are read."""
        reader = self.reader
        self.commit_up_to(len(self.source.log))
        while reader.receive():
            pass
        for _ in range(1000):
            if self.write_one(reader, heartbeat=False):
                continue
            pipeline = reader.pipeline
            if pipeline.chunk_state == "reading" and reader.known is not None:
                self.read_chunk(5, 0, 0)
            elif pipeline.chunk_state == "reading":
                pipeline.abandon_window()
            elif pipeline.snapshot and pipeline.chunk_state in ("none", "again"):
                self.open_window()
            else:
                break
        assert self.write_one(reader, heartbeat=True)
        assert reader.pipeline.queued_bytes == 0
        assert not reader.pipeline.snapshot
        self.equal(self.target(), self.source.states[-1])

    @rule(pieces=st.integers(4, 20))
    def go_on(self, pieces: int) -> None:
        """More of the log arrives, and is written without trouble."""
        for _ in range(pieces):
            self.reader.receive()
            self.write_one(self.reader, heartbeat=False)

    @rule(
        heartbeat=st.booleans(),
        fates=st.lists(
            st.sampled_from(["committed", "answer lost", "answer lost and forgotten", "lost", "aborted"]), max_size=3
        ),
        at=st.integers(1, 14),
        disturb=st.sampled_from(["no", "crash", "crash", "second reader", "write conflict", "connection closed"]),
    )
    def write(self, heartbeat: bool, fates: list[fake_mongo.Fate], at: int, disturb: str) -> None:
        """The sink takes a batch and commits it; meanwhile anything may happen at any of its calls."""
        reader = self.reader
        self.server.fates.extend(fates)
        reader.interrupt = self.disturbance(disturb, at)
        try:
            self.write_one(reader, heartbeat=heartbeat)
        except Crash:
            reader.dead = True
            self.server.fates.clear()
            self.reader = Reader(self, lambda _: None)
        except Fenced:
            assert self.reader is not reader, "nobody has taken over"
        except BaseException:
            self.failed = True
            raise
        finally:
            self.server.fates.clear()
            reader.interrupt = lambda _: None

    def disturbance(self, kind: str, at: int) -> Callable[[str], None]:
        """Return what happens at the so manieth call."""
        count = 0

        def call(what: str) -> None:
            nonlocal count
            count += 1
            if count != at or kind == "no":
                return
            note(f"{kind} at {what}")
            if kind == "crash":
                raise Crash
            if kind == "second reader":
                fates, old = list(self.server.fates), self.reader
                self.server.fates.clear()
                self.reader, self.zombie = Reader(self, lambda _: None), old
                self.server.fates.extend(fates)
            elif kind == "write conflict" and what in ("write", "checkpoint"):
                raise OperationFailure(what, 112, {"errorLabels": ["TransientTransactionError"]})
            elif kind == "connection closed" and what in ("read", "write", "checkpoint", "index", "create"):
                error = AutoReconnect(what)
                error._add_error_label("TransientTransactionError")
                raise error

        return call

    @staticmethod
    def write_one(reader: Reader, *, heartbeat: bool) -> bool:
        """Write a batch if there is one."""
        batch = reader.pipeline.take(even_if_empty=heartbeat)
        if batch is None:
            return False
        assert batch.rows <= LIMITS.rows
        if batch.position is not None:
            number = int(batch.position.gtid.rsplit(":", 1)[1])
            rows = sum(len(rows) for _, rows, _ in reader.model.source.log[number - 1].events)
            assert rows > LIMITS.rows, "a transaction that fits a batch was split"
        reader.pipeline.committed(reader.sink.commit(batch).seq)
        return True

    @precondition(lambda self: self.zombie is not None)
    @rule()
    def zombie_writes(self) -> None:
        """A reader that was taken over from goes on; it must change nothing and be told."""
        zombie, self.zombie = self.zombie, None
        assert zombie is not None
        for _ in range(6):
            zombie.receive()
        before = {name: dict(documents) for name, documents in self.server.collections.items()}
        with pytest.raises(Fenced):
            self.write_one(zombie, heartbeat=True)
        for name, documents in before.items():
            assert self.server.collections[name] == documents, "a fenced reader has written"

    @rule()
    def lose_connection(self) -> None:
        """The connection to MySQL breaks; the chunk that is being read with it."""
        self.reader.connect()
        if self.reader.pipeline.chunk_state == "reading":
            self.reader.pipeline.abandon_window()

    @precondition(lambda self: self.reader.pipeline.chunk_state in ("none", "again") and self.reader.pipeline.snapshot)
    @rule()
    def open_window(self) -> None:
        """The snapshot is about to read a chunk, or has read the last one."""
        state = self.reader.pipeline.snapshot[0]
        to_read = self.reader.pipeline.to_read()
        if to_read == "sweep":
            self.reader.pipeline.request_sweep(state.table)
            self.reader.known = None
        else:
            some = state.keys[: self.chance.randint(1, 4)] if to_read == "keys" else ()
            self.reader.known = self.reader.pipeline.open_window(state.table, keys=some)

    @precondition(lambda self: self.reader.pipeline.chunk_state == "reading" and self.reader.known is not None)
    @rule(limit=st.integers(1, 7), more=st.sampled_from([0, 0, 0, 1, 2]), late=st.sampled_from([0, 0, 1, 2]))
    def read_chunk(self, limit: int, more: int, late: int) -> None:
        """The chunk is read from what MySQL has committed by then; it commits further before it is asked for that."""
        source, reader = self.source, self.reader
        assert reader.known is not None
        self.commit_up_to(max((number for _, number in reader.known), default=0))
        self.commit_up_to(source.committed + more)
        window = reader.pipeline._window
        state = next((table for table in reader.pipeline.snapshot if window and table.table == window.table), None)
        reader.known = None
        if window is None or state is None:
            reader.pipeline.abandon_window()
            return
        view = {number: row for (table, number), row in source.states[source.committed].items() if table == state.table}
        start = int(state.cursor[0]) if state.cursor else -1
        numbers = sorted(number for number in view if number > start)[:limit]
        if window.keys:
            numbers = sorted({bson.decode(name)["_id"] for name in window.keys} & view.keys())
        rows = [SnapshotRow(key(number), elements(number, view[number][0]), (str(number),)) for number in numbers]
        self.commit_up_to(source.committed + late)
        reader.pipeline.close_window(rows, source.executed, last=not window.keys and len(numbers) < limit)

    @precondition(lambda self: self.reader.pipeline.chunk_state in ("none", "again") and self.reader.pipeline.snapshot)
    @rule(first=st.sampled_from(["rows", "rows", "window"]), late=st.integers(0, 1))
    def read_chunk_amid_a_transaction(self, first: str, late: int) -> None:
        """A chunk is read while a transaction has been received in part and is not committed yet, as far as MySQL is asked."""
        reader = self.reader
        while reader.receive():
            pass
        while self.write_one(reader, heartbeat=False):
            pass
        if reader.pipeline.chunk_state not in ("none", "again") or not reader.pipeline.snapshot:
            return
        self.commit_up_to(len(self.source.log))
        self.source.write(self.chance, large=True)
        if first == "window":
            self.open_window()
        for _ in range(2):
            reader.receive()
        if first == "rows":
            self.open_window()
        if reader.known is not None:
            self.read_chunk(KEYS, 0, late)
        self.settle()

    def commit_up_to(self, number: int) -> None:
        """Let MySQL commit."""
        self.source.committed = min(max(self.source.committed, number), len(self.source.log))

    @invariant()
    def nothing_is_there_before_its_checkpoint(self) -> None:
        """What is written is written with its checkpoint."""
        if not hasattr(self, "reader"):
            return
        seq = self.checkpoint()["seq"]
        assert all(letter["seq"] <= seq for letter in self.server.find((DATABASE, "_cdc_dead_letters")))
        assert all(fake_mongo.decoded(data)["_cdc"]["seq"] <= seq for data in self.target().values())

    @invariant()
    def bytes_are_counted(self) -> None:
        """What waits is never counted below nothing."""
        if hasattr(self, "reader"):
            assert self.reader.pipeline.queued_bytes >= 0

    def teardown(self) -> None:
        """In the end everything arrives."""
        if not hasattr(self, "reader") or self.failed:
            return
        self.settle()


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clear, "CLEAR_STEP_DOCUMENTS", 2)
    monkeypatch.setattr(tombstones, "PURGE_EVERY_SECONDS", 0.0)
    with capture_logs():
        yield


TestModel = pytest.mark.usefixtures("_small_steps")(Model.TestCase)
TestModel.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.usefixtures("_small_steps")
@pytest.mark.parametrize("first", ["rows", "window"])
def test_chunks_are_read_amid_transactions(first: str) -> None:
    """Whether a transaction's first rows came before or after the window was opened, the chunk takes none of them back."""
    for seed in range(40):
        model = Model()
        model.begin(seed=seed, before=3, settled=False)
        model.read_chunk_amid_a_transaction(first=first, late=seed % 2)


@pytest.mark.usefixtures("_small_steps")
@pytest.mark.parametrize("what", ["forgotten", "crash"])
def test_dead_letters_are_in_with_their_batch(what: str) -> None:
    """A batch that is in though nobody said so is told from one that is not; one that is not in leaves no dead letter."""
    model = Model()
    model.begin(seed=1, before=0, settled=True)
    model.server.committed = lambda _: None
    dead = DeadRow(f"{ORIGIN}:1", 0, 0, TABLES[0], BadRow("insert", "no document holds it", b"raw"))
    batch = Batch(gtid_set=f"{ORIGIN}:1", dead=[dead], rows=1)
    if what == "forgotten":
        model.server.fates.append("answer lost and forgotten")
        model.reader.sink.commit(batch)
    else:
        model.reader.interrupt = crash_at("checkpoint")
        with pytest.raises(Crash):
            model.reader.sink.commit(batch)
    assert len(model.server.find((DATABASE, "_cdc_dead_letters"))) == (1 if what == "forgotten" else 0)


@pytest.mark.usefixtures("_small_steps")
def test_removing_tombstones_raises_the_floor_over_them() -> None:
    """A client whose seq is older than a removed tombstone's would not be told of the deletion: it gets a snapshot."""
    model = Model()
    model.begin(seed=0, before=0, settled=True)
    model.server.committed = lambda _: None
    gone = Batch(gtid_set=f"{ORIGIN}:1", writes={TABLES[0]: {key(1): (None, Origin(1000, f"{ORIGIN}:1"))}}, rows=1)
    deleted = model.reader.sink.commit(gone)
    assert deleted.resume_floor < deleted.seq
    model.wait(int(RETENTION_SECONDS) + 1)
    assert len(model.server.find((DATABASE, "_cdc_tombstones"))) == 1
    later = model.reader.sink.commit(Batch(gtid_set=f"{ORIGIN}:1"))
    assert not model.server.find((DATABASE, "_cdc_tombstones"))
    assert later.resume_floor == deleted.seq


@pytest.mark.usefixtures("_small_steps")
def test_a_truncate_stays_begun_until_it_is_applied() -> None:
    """A reader that follows one killed while it emptied a table says so, whatever it writes before the TRUNCATE itself."""
    model = Model()
    model.begin(seed=0, before=3, settled=True)
    model.source.alter(model.chance, "truncate")
    model.receive(pieces=2)
    model.reader.interrupt = crash_at("committed")
    with pytest.raises(Crash):
        model.write_one(model.reader, heartbeat=False)
    model.reader = Reader(model, lambda _: None)
    begun = model.checkpoint()["ddl"]
    assert begun["stage"] == "clearing"
    assert model.write_one(model.reader, heartbeat=True)
    assert model.checkpoint()["ddl"] == begun
    model.settle()
    assert model.checkpoint()["ddl"] is None


def crash_at(place: str) -> Callable[[str], None]:
    """Return what kills the reader at a call."""

    def call(what: str) -> None:
        if what == place:
            raise Crash

    return call
