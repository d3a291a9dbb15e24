"""One run: kills and faults by seed until there were enough, the source quiet now and then for a whole comparison."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bson

from chaos.cdc import workload as work
from chaos.cdc.clients import Clients
from chaos.cdc.failpoints import BEFORE_SWEEP, POINTS
from chaos.cdc.faults import Faults
from chaos.cdc.fleet import KILLED, Fleet
from chaos.cdc.observer import OWN, Observer, Violation
from oracle.compare import differences

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.cdc.failpoints import Point
    from chaos.cdc.fleet import Reader
    from isotherm_local.harness import Pipeline

PIPELINE = "isotherm"
LIGHT_FAULTS = 0.35
"""How many readers meet with a fault that passes in a moment."""
PATIENCE_SECONDS = 6.0
STANDSTILL_SECONDS = 120.0
CATCH_UP_SECONDS = 900.0
BACKLOG, FAST_SECONDS, SLOW_SECONDS = 100, 0.03, 0.5
"""With more transactions to go the workload gets slow: a reader that is killed all the time would only see old ones."""
FENCED = 75
TESTS = Path(__file__).parent.parent.parent


@dataclass
class Report:
    """What a run has done and seen."""

    seed: str
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    quiet_points: int = 0
    readers: int = 0
    fenced: int = 0
    stopped: int = 0
    transactions: int = 0
    ddl_statements: int = 0
    batches: int = 0
    takeovers: int = 0
    sums_in_stream: int = 0
    sums_read: int = 0
    resumes: int = 0
    snapshots: int = 0
    dead_letters: int = 0
    lost_answers: int = 0
    seconds: float = 0.0

    @property
    def unreached(self) -> list[str]:
        """The named points at which no reader was killed."""
        return [name for name in POINTS if not self.kills[name]]

    @property
    def least_sums(self) -> int:
        """How many reads of the sum there have to be for the run to say anything."""
        return max(20, self.kills.total() // 5)

    def complaints(self) -> list[str]:
        """Return what the run has not shown though nothing went wrong, one sentence each."""
        found = [f"No reader was killed {name}." for name in self.unreached]
        if self.sums_read + self.sums_in_stream < self.least_sums:
            found.append(
                f"The sum was seen {self.sums_read} times in one snapshot and {self.sums_in_stream} times in the change "
                f"stream, together fewer than {self.least_sums}."
            )
        return found

    def text(self) -> str:
        """Return it for people."""
        numbers = {
            "seed": self.seed,
            "seconds": f"{self.seconds:.0f}",
            "kills": self.kills.total(),
            "readers started": self.readers,
            "readers fenced": self.fenced,
            "readers stopped in order": self.stopped,
            "transactions at the source": self.transactions,
            "DDL statements": self.ddl_statements,
            "batches": self.batches,
            "takeovers": self.takeovers,
            "sums checked in the change stream": self.sums_in_stream,
            "sums read in one snapshot with the checkpoint": self.sums_read,
            "clients resumed": self.resumes,
            "clients given a snapshot": self.snapshots,
            "dead letters": self.dead_letters,
            "answers lost": self.lost_answers,
            "quiet points compared": self.quiet_points,
        }
        lines = [f"{name:<48}{value}" for name, value in numbers.items()]
        for title, counts in (("kills", self.kills), ("faults", self.faults), ("points not reached", self.missed)):
            lines += ["", title, *(f"  {name:<46}{count}" for name, count in sorted(counts.items()))]
        return "\n".join(lines)


class Chaos:
    """A run on a schema and database of its own."""

    def __init__(self, stack: Pipeline, seed: str, say: Callable[[str], None] = lambda _: None) -> None:
        """Prepare.

        Args:
            stack: where; no reader runs there.
            seed: decides what is done.
            say: told what happens.
        """
        self._stack = stack
        self._say = say
        self._chance = random.Random(f"{seed}/run")
        self._seed = seed
        self._last: Reader | None = None
        self.report = Report(seed)

    def run(self, enough: Callable[[Report], bool], *, heavy_every: int = 25, quiet_every: int = 40) -> Report:
        """Kill until it is enough.

        Args:
            enough: whether there were kills enough.
            heavy_every: a server is restarted every so many readers.
            quiet_every: everything is compared every so many kills.

        Raises:
            Violation: something that must hold did not.
        """
        try:
            return self._run(enough, heavy_every, quiet_every)
        except BaseException as error:
            error.add_note(f"CHAOS_SEED={self._seed}, after {self.report.kills.total()} kills")
            raise

    def _run(self, enough: Callable[[Report], bool], heavy_every: int, quiet_every: int) -> Report:
        started = self._started = time.monotonic()
        with contextlib.ExitStack() as closing:
            client = closing.enter_context(self._stack.mongodb())
            self._client = client
            self._excluded = [*self._tables(), *work.NOT_CAPTURED]
            self._faults = Faults(self._stack.servers, client)
            closing.callback(self._faults.close)
            self._observer = Observer(
                closing.enter_context(self._stack.mongodb()), self._stack.database, work.TOTAL, work.MONEY
            )
            closing.callback(self._observer.stop)
            self._observer.start()
            self._clients = Clients(
                closing.enter_context(self._stack.mongodb()),
                self._stack.database,
                total=work.TOTAL,
                money=work.MONEY,
                tables=(*work.LASTING, "fleeting"),
                seed=f"{self._seed}/clients",
            )
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*_path(), str(TESTS)])}
            logs = self._stack.stack.layout.logs / self._stack.database
            self._fleet = closing.enter_context(Fleet(logs, environment))
            self._workload = work.Workload(self._stack.mysql, self._seed)
            closing.callback(self._end_workload)
            self._workload.start()
            closing.callback(self._clients.stop)
            self._clients.start()
            self._kill_until(enough, heavy_every, quiet_every)
            self._quiet_point()
            self._sum_up(time.monotonic() - started)
        return self.report

    def _kill_until(self, enough: Callable[[Report], bool], heavy_every: int, quiet_every: int) -> None:
        deck: list[str] = []
        since_quiet = rounds = 0
        while not enough(self.report):
            if not deck:
                deck = [*POINTS, *("at random",) * 12, "two at once"]
                self._chance.shuffle(deck)
            before = self.report.kills.total()
            rounds += 1
            self._workload.pause_seconds = SLOW_SECONDS if self._backlog() > BACKLOG else FAST_SECONDS
            name = deck.pop()
            fault = None
            if rounds % heavy_every == heavy_every // 2:
                heavy = self._faults.heavy
                fault = heavy[rounds // heavy_every % len(heavy)]
            elif self._chance.random() < LIGHT_FAULTS and not self.report.missed[name]:
                fault = self._chance.choice(self._faults.light)
            self._say(f"{time.monotonic() - self._started:6.1f} s {before:5} {name}{f', {fault}' if fault else ''}")
            if not self._round(name, fault):
                self._say(f"{'':15} not reached")
                deck.insert(0, name)
            since_quiet += self.report.kills.total() - before
            if since_quiet >= quiet_every:
                since_quiet = 0
                self._quiet_point()
                self._workload.may_poison = True

    def _round(self, name: str, fault: str | None) -> bool:
        """Start a reader, do harm, and see that it ends as it should; answer whether it came to the point."""
        if name == "two at once":
            self._two_at_once()
            return True
        point = POINTS.get(name)
        if point is None:
            reader = self._start()
            if fault:
                self._faults.do(fault, self._chance)
            reader.wait(self._chance.uniform(0.0, 1.5))
        else:
            reader = self._start(point)
            if fault:
                self._faults.do(fault, self._chance)
            if point.provoke == "stop":
                # Before that it may not have said yet what SIGTERM is to do.
                self._until(lambda: not reader.running or reader.said("started"), "starting a reader")
                reader.wait(self._chance.uniform(0.0, 1.0))
                reader.signal(signal.SIGTERM)
            else:
                self._workload.want(point.provoke)
            reader.wait(PATIENCE_SECONDS)
        return self._end(reader, point)

    def _end(self, reader: Reader, point: Point | None) -> bool:
        if reader.running:
            reader.kill()
        if reader.exit_code == KILLED:
            if point is not None and reader.reached is None:
                self.report.missed[point.name] += 1
            self.report.kills[reader.reached or "at random"] += 1
        elif reader.exit_code == 0 and point is not None and point.provoke == "stop":
            self.report.stopped += 1
        else:
            message = f"the reader ended with {reader.exit_code}:\n{reader.tail()}"
            raise Violation(message)
        self._look()
        reader.forget()
        return point is None or reader.reached is not None

    def _two_at_once(self) -> None:
        """Stop a reader's clock, start another, and let the first go on: one of them must be fenced."""
        first = self._start()
        first.wait(self._chance.uniform(0.2, 1.2))
        first.signal(signal.SIGSTOP)
        second = self._start()
        second.wait(self._chance.uniform(0.3, 1.5))
        first.signal(signal.SIGCONT)
        deadline = time.monotonic() + STANDSTILL_SECONDS
        while first.running and second.running and time.monotonic() < deadline:
            first.wait(0.05)
        ended, other = (second, first) if first.running else (first, second)
        if ended.exit_code != FENCED or not other.running:
            message = (
                f"of two readers, one ended with {ended.exit_code}, the other with {other.exit_code}:\n{ended.tail()}"
            )
            raise Violation(message)
        self.report.fenced += 1
        ended.forget()
        self._end(other, None)

    def _start(self, point: Point | None = None, *, quick: bool = False) -> Reader:
        chance = self._chance
        small = point is not None and point.provoke in ("large", "reread")
        quick = quick or point is BEFORE_SWEEP
        batch = "500" if quick else "40" if small else chance.choice(("5", "40", "40", "500"))
        chunk = "200" if quick else "15" if small else chance.choice(("3", "15", "15", "200"))
        settings = {
            "CDC_TABLE_INCLUDE_LIST": f"{self._stack.database}.*",
            "CDC_TABLE_EXCLUDE_LIST": ",".join(f"{self._stack.database}.{table}" for table in self._excluded),
            "CDC_HEARTBEAT_INTERVAL_MS": "500",
            "CDC_MAX_BATCH_SIZE": batch,
            "CDC_SNAPSHOT_CHUNK_ROWS": chunk,
            "CDC_MAX_BATCH_BYTES": "65536",
            "CDC_MAX_QUEUE_BYTES": "131072",
            "CDC_TOMBSTONE_RETENTION_SECONDS": chance.choice(("1", "5")),
            "CDC_EMPTY_DROPPED_TABLES": chance.choice(("true", "false")),
            "CDC_EVENT_FAILURE_LIMIT": "1000000",
            "METRICS_PORT": "0",
            "LOG_LEVEL": "info",
            "MYSQL_PORT": str(self._faults.mysql.port),
            "MONGODB_URI": f"mongodb://127.0.0.1:{self._faults.mongodb.port}/?directConnection=true",
        }
        self.report.readers += 1
        after = chance.randint(1, _REPEATS.get(point.provoke, 1)) if point else 1
        environment = {**(self._stack.spec("cdc").environment or {}), **settings}
        self._last = self._fleet.start(environment, point=point.name if point else None, after=after)
        return self._last

    def _quiet_point(self) -> None:
        """Let a reader catch up with a source at rest, and compare everything."""
        self._faults.calm()
        with self._workload.paused():
            reader = self._start(quick=True)
            self._until(lambda: self._caught_up(reader), "catching up")
            # The heartbeat goes on; a reader that ends in order leaves a checkpoint that stays.
            reader.signal(signal.SIGTERM)
            if not reader.wait(30) or reader.exit_code != 0:
                message = f"a reader at rest ended with {reader.exit_code}:\n{reader.tail()}"
                raise Violation(message)
            reader.forget()
            self.report.stopped += 1
            checkpoint = self._checkpoint()
            self._until(lambda: self._observer.has(checkpoint["attempt_id"]), "the change stream")
            self._compare(checkpoint)
        self.report.quiet_points += 1
        self._say(f"{time.monotonic() - self._started:6.1f} s compared")

    def _compare(self, checkpoint: dict[str, Any]) -> None:
        tables = [*work.LASTING, *(["fleeting"] if "fleeting" in self._tables() else [])]
        with contextlib.closing(self._stack.mysql()) as connection, connection.cursor() as cursor:
            found = differences(connection, self._client, self._stack.database, tables)
            cursor.execute("SELECT poisoned FROM tally")
            poisoned = cursor.fetchone()[0]
        found += self._mirror_differences()
        found += self._tombstone_mistakes(checkpoint)
        letters = list(self._client[self._stack.database]["_cdc_dead_letters"].find())
        places = {(letter["gtid"], letter["event_idx"], letter["row_idx"]) for letter in letters}
        if not len(letters) == len(places) == poisoned:
            found.append(f"{poisoned} rows were poisoned, {len(letters)} dead letters tell of {len(places)} of them")
        if found:
            raise Violation("\n".join(found))
        self.report.dead_letters = len(letters)

    def _mirror_differences(self) -> list[str]:
        database = self._client[self._stack.database]
        there = {
            (name, bson.encode({"_id": document["_id"]})): bson.encode(document)
            for name in database.list_collection_names()
            if name in OWN[1:] or not name.startswith("_cdc_")
            for document in database[name].find()
        }
        mirror = self._observer.mirror
        return [
            f"{name} {bson.decode(key)}: the change stream and the collection differ"
            for name, key in mirror.keys() | there.keys()
            if mirror.get((name, key)) != there.get((name, key))
        ][:10]

    def _tombstone_mistakes(self, checkpoint: dict[str, Any]) -> list[str]:
        database, floor = self._client[self._stack.database], checkpoint["resume_floor"]
        stones = {
            (stone["_id"]["collection"].partition(".")[2], bson.encode({"_id": stone["_id"]["id"]})): stone["seq"]
            for stone in database["_cdc_tombstones"].find()
        }
        # A batch that writes and deletes a document which is not there changes nothing but its tombstone.
        found = [
            f"{key} was deleted by seq {seq}: its tombstone has seq {stones.get(key)}, the floor is {floor}"
            for key, seq in self._observer.deleted.items()
            if stones.get(key, 0) < seq and floor < seq
        ]
        found += [
            f"{key} has seq {self._observer.last_seq[key]} and its tombstone {seq}"
            for key, seq in stones.items()
            if key in self._observer.mirror and self._observer.last_seq[key] <= seq
        ]
        return found[:10]

    def _tables(self) -> list[str]:
        with contextlib.closing(self._stack.mysql()) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            return [name for (name,) in cursor.fetchall()]

    def _checkpoint(self) -> dict[str, Any]:
        return self._client[self._stack.database]["_cdc_checkpoints"].find_one({"_id": PIPELINE}) or {}

    def _caught_up(self, reader: Reader) -> bool:
        if not reader.running:
            message = f"the reader ended with {reader.exit_code}:\n{reader.tail()}"
            raise Violation(message)
        state = self._checkpoint()
        if not state or state["committed_at"] is None or state["snapshot"] or state["txn"] or state["ddl"]:
            return False
        with contextlib.closing(self._stack.mysql()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT GTID_SUBSET(@@GLOBAL.gtid_executed, %s)", (state["gtid_set"],))
            return bool(cursor.fetchone()[0])

    def _backlog(self) -> int:
        """Return how many transactions the reader has not applied; none when MySQL does not tell."""
        with (
            contextlib.suppress(Exception),
            contextlib.closing(self._stack.mysql()) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT @@GLOBAL.gtid_executed")
            return _last_number(cursor.fetchone()[0]) - _last_number(self._checkpoint().get("gtid_set", ""))
        return 0

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        started = moved = time.monotonic()
        before: object = None
        while not condition():
            self._look()
            now, state = time.monotonic(), self._checkpoint()
            place = [state.get(name) for name in ("gtid_set", "txn", "event_idx", "row_idx", "ddl", "snapshot")]
            if place != before:
                before, moved = place, now
            if now > started + CATCH_UP_SECONDS or now > moved + STANDSTILL_SECONDS:
                tail = self._last.tail() if self._last else ""
                message = f"{what}: no end after {now - started:.0f} s; the checkpoint is {state}\n{tail}"
                raise Violation(message)
            time.sleep(0.02)

    def _look(self) -> None:
        for failure in (self._observer.failure, self._clients.failure, self._workload.failure):
            if failure is not None:
                raise failure

    def _end_workload(self) -> None:
        with contextlib.suppress(Exception):
            self._workload.stop()

    def _sum_up(self, seconds: float) -> None:
        self._look()
        report = self.report
        report.seconds = seconds
        report.faults = self._faults.counts
        report.lost_answers = self._faults.mongodb.lost_answers
        report.transactions = self._workload.transactions
        report.ddl_statements = self._workload.ddl_statements
        report.batches, report.takeovers = self._observer.batches, self._observer.takeovers
        report.sums_in_stream, report.sums_read = self._observer.sums, self._clients.sums
        report.resumes, report.snapshots = self._clients.resumes, self._clients.snapshots


_REPEATS = {"change": 4, "large": 3, "reread": 3}


def _last_number(gtid_set: str) -> int:
    return int(gtid_set.rpartition(":")[2].rpartition("-")[2] or 0)


def _path() -> list[str]:
    """Return where this process was told to look for code first: a copy of the reader's, perhaps."""
    return [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
