"""Three threads around the pure pipeline: one reads the binary log, one reads tables, one writes to MongoDB.

They meet at one lock. The reader waits when too many bytes are queued; the writer takes whatever is there the moment it
is idle, so that a batch grows only while another one is under way. The first error that is not transient ends all.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from isotherm_cdc import metrics, mysql, preflight
from isotherm_cdc.binlog.stream import Source
from isotherm_cdc.binlog.transactions import Assembler, End, Message, Rows, Schema, Start
from isotherm_cdc.checkpoint import TableSnapshot
from isotherm_cdc.errors import DataError, Halt, PositionLost, TooManyFailures
from isotherm_cdc.gtid import GtidSet
from isotherm_cdc.pipeline.pipeline import Batch, Limits, Pipeline
from isotherm_cdc.settings import TableFilter
from isotherm_cdc.snapshot import reader as snapshot
from isotherm_common.retry import RetryPolicy, ShutdownDuringRetry, retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.settings import Settings
    from isotherm_cdc.sink.sink import Sink
    from isotherm_common.observability import Health
    from isotherm_common.shutdown import Shutdown

BEAT_SECONDS = 0.5
IDLE_WAIT_SECONDS = 0.2
SNAPSHOT_POLL_SECONDS = 0.005
FAILURE_WINDOW_SECONDS = 60.0
_RECONNECT = RetryPolicy(initial_seconds=0.1, maximum_seconds=10.0)


class Engine:
    """Runs one pipeline until it is told to stop or something fails for good."""

    def __init__(self, settings: Settings, sink: Sink, shutdown: Shutdown, health: Health) -> None:
        self._settings = settings
        self._sink = sink
        self._shutdown = shutdown
        self._health = health
        self._captured = TableFilter(settings.tables, settings.table_exclude_list)
        self._changed = threading.Condition()
        self._pipeline: Pipeline | None = None
        self._failure: BaseException | None = None
        self._failures: list[float] = []
        self._tables: list[str] = []
        self._newest_us: int | None = None
        self._last_commit = time.monotonic()

    def run(self) -> None:
        """Work until a shutdown is requested.

        Raises:
            ServiceError: it cannot go on.
        """
        try:
            self._begin(self._sink.take_over())
        except ShutdownDuringRetry:
            return
        threads = [
            threading.Thread(target=self._guard, args=(body,), name=name, daemon=True)
            for name, body in (("reader", self._read), ("writer", self._write), ("snapshot", self._snapshot))
        ]
        for thread in threads:
            thread.start()
        while not self._shutdown.wait(BEAT_SECONDS):
            if all(thread.is_alive() for thread in threads):
                self._health.beat()
            self._observe()
        with self._changed:
            self._changed.notify_all()
        threads[1].join()
        if self._failure is not None:
            raise self._failure

    def status(self) -> dict[str, Any]:
        """Return what `/status` answers."""
        checkpoint = self._sink.checkpoint
        pipeline = self._pipeline
        return {
            "name": checkpoint.name,
            "stream": checkpoint.stream,
            "term": checkpoint.term,
            **{key: value for key, value in checkpoint.fields().items() if key != "snapshot"},
            "checkpoint_age_seconds": round(time.monotonic() - self._last_commit, 3),
            "lag_seconds": self._lag_seconds(),
            "queued_bytes": pipeline.queued_bytes if pipeline else 0,
            "tables": self._tables,
            "snapshot": [table.to_document() for table in checkpoint.snapshot],
            "unmet": self._health.unmet(),
        }

    def _guard(self, body: Callable[[], None]) -> None:
        try:
            body()
        except ShutdownDuringRetry:
            pass
        except BaseException as error:  # noqa: BLE001 - carried to the main thread
            self._failure = self._failure or error
            self._shutdown.request()
            with self._changed:
                self._changed.notify_all()

    def _begin(self, checkpoint: Checkpoint) -> None:
        """Check the source and decide where to start and what to read whole."""
        log = structlog.get_logger()
        connection = self._mysql("connecting to MySQL", lambda: mysql.connect(self._settings.mysql))
        try:
            preflight.check_variables(preflight.read_variables(connection))
            state = preflight.read_state(connection)
            self._tables = snapshot.captured_tables(connection, self._captured.schemas, self._captured)
        finally:
            connection.close()
        position = GtidSet.parse(checkpoint.gtid_set)
        fresh, ghosts = not checkpoint.started, None
        if not fresh:
            try:
                preflight.check_position(position, state)
            except PositionLost as error:
                self._accept_loss(error)
                fresh, ghosts = True, checkpoint.seq
        if fresh:
            wanted = self._settings.snapshot_mode != "no_data" or ghosts is not None
            tables = tuple(TableSnapshot(table, ghosts_before=ghosts) for table in self._tables if wanted)
            checkpoint = self._sink.commit(Batch(gtid_set=str(state.executed), snapshot=tables))
        self._pipeline = Pipeline(
            checkpoint,
            Limits(
                self._settings.max_batch_size,
                self._settings.max_batch_bytes,
                clear_dropped=self._settings.drop_collections,
            ),
        )
        log.info(
            "started", term=checkpoint.term, seq=checkpoint.seq, gtid_set=checkpoint.gtid_set, tables=self._tables,
            snapshot=[table.table for table in checkpoint.snapshot], source=state.uuid, version=state.version,
        )  # fmt: skip

    def _accept_loss(self, error: PositionLost) -> None:
        if self._settings.binlog_purged_policy != "resnapshot" and self._settings.snapshot_mode != "when_needed":
            raise error
        structlog.get_logger().warning("position_lost", error=str(error), policy="resnapshot")

    def _mysql(self, doing: str, call: Callable[[], Any]) -> Any:
        return retry(
            call,
            transient=mysql.is_transient,
            shutdown=self._shutdown,
            doing=doing,
            policy=_RECONNECT,
            on_retry=lambda _: metrics.reconnects_total.labels("mysql").inc(),
        )

    @property
    def _core(self) -> Pipeline:
        assert self._pipeline is not None
        return self._pipeline

    def _read(self) -> None:
        while not self._shutdown.requested:
            self._mysql("reading the binary log", self._stream_once)

    def _stream_once(self) -> None:
        with self._changed:
            self._core.reconnected()
            position = self._core.received
        connection = mysql.connect(self._settings.mysql)
        try:
            preflight.check_position(position, preflight.read_state(connection))
            charsets = mysql.charsets(connection)
        finally:
            connection.close()
        assembler = Assembler(self._captured, self._known_tables, charsets)
        source = Source(self._settings.mysql, position, self._settings.server_id)
        try:
            self._health.ready("mysql")
            metrics.connected.set(1)
            for event in source:
                if self._shutdown.requested:
                    return
                messages = assembler.feed(event)
                if messages:
                    self._receive(messages)
        except OSError as error:
            raise ConnectionError(str(error)) from error
        finally:
            metrics.connected.set(0)
            self._health.not_ready("mysql", "not connected")
            source.close()

    def _known_tables(self, schema: str) -> list[str]:
        return [table for table in self._tables if table.partition(".")[0] == schema]

    def _receive(self, messages: list[Message]) -> None:
        core = self._core
        with self._changed:
            for message in messages:
                while core.queued_bytes > self._settings.max_queue_bytes and not self._shutdown.requested:
                    self._changed.wait(1.0)
                if isinstance(message, Rows):
                    core.rows(message.table, message.event_idx, message.rows, message.size_bytes)
                elif isinstance(message, Start):
                    self._newest_us = message.gtid.commit_us
                    core.start(message.gtid.origin, message.gtid.number, message.gtid.commit_us)
                elif isinstance(message, Schema):
                    core.schema(message.changes)
                    self._tables += [change.table for change in message.changes if change.table not in self._tables]
                elif isinstance(message, End):
                    core.end()
            self._changed.notify_all()

    def _write(self) -> None:
        self._health.ready("mongodb")
        interval = self._settings.heartbeat_interval_ms / 1000
        while True:
            with self._changed:
                stopping = self._shutdown.requested
                due = time.monotonic() - self._last_commit >= interval
                batch = self._core.take(even_if_empty=due or stopping)
                if batch is None:
                    self._changed.wait(min(IDLE_WAIT_SECONDS, interval))
                    continue
                self._changed.notify_all()
            self._commit(batch)
            if stopping and not batch.rows:
                return

    def _commit(self, batch: Batch) -> None:
        self._limit_failures(len(batch.dead))
        checkpoint = self._sink.commit(batch)
        self._last_commit = time.monotonic()
        with self._changed:
            self._core.committed(checkpoint.seq)
            self._changed.notify_all()
        now = time.time()
        metrics.batches_total.inc()
        metrics.batch_documents.observe(len(batch.writes))
        metrics.seq.set(checkpoint.seq)
        metrics.checkpoint_timestamp_seconds.set(now)
        for commit_us in batch.commits_us:
            metrics.commit_to_mongodb_seconds.observe(max(0.0, now - commit_us / 1e6))
        if batch.commits_us:
            metrics.milliseconds_behind_source.set(max(0.0, now * 1000 - batch.commits_us[-1] / 1000))
        for (operation, table), count in batch.counts.items():
            metrics.events_total.labels(operation, table).inc(count)
            if operation == "snapshot":
                metrics.snapshot_rows_total.labels(table).inc(count)
        for dead in batch.dead:
            metrics.dead_letters_total.labels(dead.table).inc()
            structlog.get_logger().error("dead_letter", table=dead.table, gtid=dead.gtid, error=dead.row.error)

    def _limit_failures(self, more: int) -> None:
        if not more:
            return
        now = time.monotonic()
        self._failures = [at for at in self._failures if now - at < FAILURE_WINDOW_SECONDS] + [now] * more
        if len(self._failures) > self._settings.event_failure_limit:
            message = (
                f"{len(self._failures)} rows failed within a minute, CDC_EVENT_FAILURE_LIMIT is "
                f"{self._settings.event_failure_limit}: look at _cdc_dead_letters, mend the cause and start again."
            )
            raise TooManyFailures(message)

    def _snapshot(self) -> None:
        while not self._shutdown.requested:
            with self._changed:
                tables = [] if self._core.chunk_state != "none" else self._core.snapshot
                if not tables:
                    self._changed.wait(1.0)
                    continue
            self._mysql(f"reading {tables[0].table}", partial(self._snapshot_table, tables[0].table))

    def _snapshot_table(self, table: str) -> None:
        """Read chunks of one table for as long as it is the first to be read."""
        with self._changed:
            self._core.abandon_window()
        reader = snapshot.TableReader(self._settings.mysql, table)
        try:
            while not self._shutdown.requested:
                state = self._next_chunk(table)
                if state is None:
                    return
                if state.read or reader.table is None:
                    with self._changed:
                        self._core.request_sweep(table)
                        self._changed.notify_all()
                    continue
                if not self._read_chunk(reader, state):
                    return
        finally:
            reader.close()

    def _next_chunk(self, table: str) -> TableSnapshot | None:
        """Wait until the chunk before is on its way; return the table's state, None when another one is first."""
        with self._changed:
            while self._core.chunk_state not in ("none", "again") and not self._shutdown.requested:
                self._changed.wait(1.0)
            first = next(iter(self._core.snapshot), None)
        return first if first is not None and first.table == table else None

    def _read_chunk(self, reader: snapshot.TableReader, state: TableSnapshot) -> bool:
        """Read one chunk; answer whether the reader may be used for the next."""
        with self._changed:
            received = self._core.open_window(state.table)
        while not received <= reader.executed():
            if self._shutdown.wait(SNAPSHOT_POLL_SECONDS):
                return False
        try:
            chunk = reader.read(state.cursor, self._settings.snapshot_chunk_rows)
        except DataError as error:
            message = f"A row of {state.table} after key {state.cursor} cannot be told to MongoDB: {error}"
            raise Halt(message) from error
        with self._changed:
            self._core.close_window(chunk.rows, chunk.high, last=chunk.last)
            while self._core.chunk_state == "held" and not self._shutdown.requested:
                self._changed.wait(1.0)
            again = self._core.chunk_state == "again"
            self._changed.notify_all()
        metrics.snapshot_chunks_total.labels(state.table, "again" if again else "written").inc()
        return not again

    def _lag_seconds(self) -> float:
        newest, checkpoint = self._newest_us, self._sink.checkpoint
        if newest is None or checkpoint.source_ts is None or checkpoint.source_ts >= newest:
            return 0.0
        return max(0.0, time.time() - checkpoint.source_ts / 1e6)

    def _observe(self) -> None:
        checkpoint = self._sink.checkpoint
        metrics.term.set(checkpoint.term)
        metrics.queued_bytes.set(self._core.queued_bytes)
        metrics.checkpoint_age_seconds.set(time.monotonic() - self._last_commit)
        metrics.snapshot_running.set(bool(checkpoint.snapshot))
        metrics.snapshot_tables_remaining.set(len(checkpoint.snapshot))
        metrics.lag_seconds.set(self._lag_seconds())
