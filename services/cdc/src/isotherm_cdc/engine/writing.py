"""The thread that writes to MongoDB: it takes whatever is there the moment it is idle.

A batch grows only while another one is under way: the lowest latency when little comes, the largest batches when much does.
What is late already (more than a second) may grow for some hundredths of a second more: catching up costs less so.
"""

from __future__ import annotations

import time
from logging import DEBUG, getLogger
from typing import TYPE_CHECKING

import structlog

from isotherm_cdc import metrics
from isotherm_cdc.engine.failures import FailureLimit
from isotherm_cdc.engine.observing import measure
from isotherm_common.tracing import of_batch

if TYPE_CHECKING:
    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.engine.shared import Shared
    from isotherm_cdc.pipeline.batch import Batch

IDLE_WAIT_SECONDS = 0.2
LATE_SECONDS = 1.0
GROW_STEP_SECONDS, GROW_STEPS = 0.01, 5
FEW_ROWS = 16
GTIDS_OF_A_SPAN = 20


class Writer:
    """Writes until a shutdown is requested and what was whole by then is in."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._failures = FailureLimit(shared.settings.event_failure_limit)

    def run(self) -> None:
        """Write.

        Raises:
            ServiceError: another reader has taken over, or it cannot be written.
            ShutdownDuringRetry: the process is to end and MongoDB does not answer.
        """
        shared = self._shared
        shared.health.ready("mongodb")
        interval = shared.settings.heartbeat_interval_ms / 1000
        while True:
            self._let_grow()
            with shared.changed:
                if shared.abandoned:
                    return
                stopping = shared.shutdown.requested
                due = time.monotonic() - shared.last_commit >= interval
                if due or stopping:
                    self._record_tables()
                told = bool(shared.answers or shared.also)
                batch = shared.pipeline.take(even_if_empty=due or stopping or told, hold=shared.paused)
                if batch is None:
                    shared.changed.wait(min(IDLE_WAIT_SECONDS, interval))
                    continue
                batch.answers, shared.answers = shared.answers, []
                batch.also, shared.also = shared.also, {}
                shared.changed.notify_all()
            self._commit(batch)
            if stopping and not batch.rows:
                return

    def _let_grow(self) -> None:
        """While catching up, give a batch some moments to become larger: what is old anyway loses nothing by it."""
        shared, before = self._shared, 0
        for _ in range(GROW_STEPS):
            with shared.changed:
                oldest, rows, full = shared.pipeline.oldest_us, shared.pipeline.queued_rows, shared.pipeline.fills_batch
            late = oldest is not None and time.time() - oldest / 1e6 > LATE_SECONDS
            if not late or full or rows < FEW_ROWS or rows == before or shared.shutdown.wait(GROW_STEP_SECONDS):
                return
            before = rows

    def _record_tables(self) -> None:
        """Have the next batch tell which tables are captured: others that come with a restart are new."""
        shared = self._shared
        if shared.catalogue.tables != shared.recorded_tables:
            shared.recorded_tables = set(shared.catalogue.tables)
            shared.also["tables"] = sorted(shared.recorded_tables)

    def _commit(self, batch: Batch) -> None:
        shared = self._shared
        known = len(batch.dead)
        self._failures.count(known)
        began = time.time()
        checkpoint = shared.sink.commit(batch)
        self._tell(batch, checkpoint, began)
        self._failures.count(len(batch.dead) - known)
        shared.last_commit = time.monotonic()
        with shared.changed:
            shared.pipeline.committed(checkpoint.seq)
            shared.changed.notify_all()
        metrics.seq.set(checkpoint.seq)
        measure(batch, time.time())
        for dead in batch.dead:
            structlog.get_logger().error("dead_letter", table=dead.table, gtid=dead.gtid, error=dead.row.error)

    def _tell(self, batch: Batch, checkpoint: Checkpoint, began: float) -> None:
        """Make a line of the log and a span of a batch that has rows, where anybody wants them."""
        tracing, log = self._shared.tracing, structlog.get_logger()
        if not batch.rows or not (tracing.enabled or getLogger().isEnabledFor(DEBUG)):
            return
        gtids = sorted(batch.transactions())
        log.debug("batch_committed", seq=checkpoint.seq, gtids=gtids, rows=batch.rows, documents=batch.documents)
        with tracing.span(
            "apply_batch",
            known_as=of_batch(checkpoint.stream, checkpoint.seq),
            began=began,
            stream=checkpoint.stream,
            seq=checkpoint.seq,
            gtids=",".join(gtids[:GTIDS_OF_A_SPAN]),
            rows=batch.rows,
            documents=batch.documents,
        ):
            pass
