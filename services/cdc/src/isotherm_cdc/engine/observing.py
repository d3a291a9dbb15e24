"""What the metrics say of the engine's state, and what a batch has added to them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from isotherm_cdc import metrics
from isotherm_cdc.gtid import GtidSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_cdc.engine.shared import Shared
    from isotherm_cdc.pipeline.batch import Batch

_SEEN = {
    "insert": metrics.create_events_seen_total,
    "update": metrics.update_events_seen_total,
    "delete": metrics.delete_events_seen_total,
}


class Observer:
    """Sets the gauges now and then."""

    def __init__(self, shared: Shared, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._clock = clock
        self._began: float | None = None
        self._begun: set[str] = set()

    def observe(self) -> None:
        """Set them."""
        shared = self._shared
        checkpoint = shared.sink.checkpoint
        limit, queued = shared.settings.max_queue_bytes, shared.queued_bytes
        metrics.term.set(checkpoint.term)
        metrics.current_queue_size_in_bytes.set(queued)
        metrics.max_queue_size_in_bytes.set(limit)
        metrics.queue_remaining_capacity.set(max(0, limit - queued))
        metrics.checkpoint_age_seconds.set(self._clock() - shared.last_commit)
        metrics.lag_seconds.set(shared.lag_seconds())
        newest = shared.newest_us
        metrics.milliseconds_since_last_event.set(
            -1 if newest is None else max(0.0, time.time() * 1000 - newest / 1000)
        )
        metrics.captured_tables.set(len(shared.catalogue.tables))
        metrics.paused.set(shared.paused)
        for origin, number in GtidSet.parse(checkpoint.gtid_set).highest().items():
            metrics.gtid_set.labels(origin).set(number)
        self._observe_snapshot()

    def _observe_snapshot(self) -> None:
        shared = self._shared
        tables = shared.sink.checkpoint.snapshot
        running = bool(tables)
        metrics.snapshot_running.set(running)
        metrics.remaining_table_count.set(len(tables))
        metrics.snapshot_completed.set(not running)
        metrics.snapshot_paused.set(running and shared.snapshot_held)
        if running and self._began is None:
            self._began = self._clock()
            self._begun.clear()
        self._begun.update(table.table for table in tables)
        metrics.total_table_count.set(len(self._begun))
        if self._began is not None:
            metrics.snapshot_duration_in_seconds.set(self._clock() - self._began)
        if not running:
            self._began = None
        for table in tables:
            metrics.rows_scanned.labels(table.table).set(table.rows)
            if table.estimate is not None:
                metrics.rows_estimated.labels(table.table).set(table.estimate)


def measure(batch: Batch, now: float) -> None:
    """Count what a batch has written; `now` is in Unix seconds."""
    metrics.batches_total.inc()
    metrics.batch_documents.observe(batch.documents)
    metrics.checkpoint_timestamp_seconds.set(now)
    if batch.commits_us:
        metrics.committed_transactions_total.inc(len(batch.commits_us))
        metrics.commit_to_mongodb_seconds.observe_all([max(0.0, now - us / 1e6) for us in batch.commits_us])
        metrics.milliseconds_behind_source.set(max(0.0, now * 1000 - batch.commits_us[-1] / 1000))
    for (operation, table), count in batch.counts.items():
        metrics.events_total.labels(operation, table).inc(count)
        if operation in _SEEN:
            _SEEN[operation].inc(count)
        elif operation == "snapshot":
            metrics.snapshot_rows_total.labels(table).inc(count)
    for dead in batch.dead:
        metrics.erroneous_events_total.inc()
        metrics.dead_letters_total.labels(dead.table).inc()
