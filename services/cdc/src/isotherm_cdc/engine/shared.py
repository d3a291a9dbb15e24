"""What the threads have in common: the pipeline, and the lock under which all of them use it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

import pymysql

from isotherm_cdc import metrics, mysql
from isotherm_cdc.binlog.catalogue import Catalogue
from isotherm_cdc.errors import Refused, SourceFailed
from isotherm_cdc.patience import Patience
from isotherm_cdc.settings import TableFilter
from isotherm_common.retry import RetryPolicy, retry
from isotherm_common.tracing import OFF

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_cdc.pipeline.pipeline import Pipeline
    from isotherm_cdc.settings import Settings
    from isotherm_cdc.sink.sink import Sink
    from isotherm_common.observability import Health
    from isotherm_common.shutdown import Shutdown
    from isotherm_common.tracing import Tracing

T = TypeVar("T")
_RECONNECT = RetryPolicy(initial_seconds=0.1, maximum_seconds=10.0)


class Shared:
    """State that more than one thread uses.

    Attributes:
        settings: what was set.
        sink: the way into MongoDB; only the writer calls it once all threads run.
        shutdown: ends all waiting.
        health: what the probes are told.
        tracing: makes a span of every batch.
        captured: which tables are captured.
        changed: held to use `pipeline`, and notified when its state has changed.
        catalogue: the captured tables that are known so far.
        newest_us: when the source committed the newest transaction received.
        last_commit: when a batch was committed last, by the monotonic clock.
        recorded_tables: the tables that the checkpoint tells of.
        abandoned: whether nothing more may be written, not even what is whole.
        paused: whether nothing is to be read or applied until an operator says so.
        snapshot_paused: whether no tables are to be read whole until then.
        answers: requests of operators that the next batch answers.
        also: further fields of the checkpoint that the next batch changes.
    """

    def __init__(
        self, settings: Settings, sink: Sink, shutdown: Shutdown, health: Health, tracing: Tracing = OFF
    ) -> None:
        self.settings = settings
        self.tracing = tracing
        self.sink = sink
        self.shutdown = shutdown
        self.health = health
        self.captured = TableFilter(settings.tables, settings.table_exclude_list)
        self.changed = threading.Condition()
        self.catalogue = Catalogue(self.captured)
        self.newest_us: int | None = None
        self.last_commit = time.monotonic()
        self.recorded_tables: set[str] = set()
        self.abandoned = False
        self.paused = False
        self.snapshot_paused = False
        self.answers: list[dict[str, Any]] = []
        self.also: dict[str, Any] = {}
        self._pipeline: Pipeline | None = None

    @property
    def pipeline(self) -> Pipeline:
        """The state machine between source and sink."""
        assert self._pipeline is not None
        return self._pipeline

    @pipeline.setter
    def pipeline(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @property
    def refuses_cascades(self) -> bool:
        """Whether foreign keys that change rows without a trace in the log are a reason to stop."""
        return self.settings.unlogged_cascades_policy == "fail"

    @property
    def snapshot_held(self) -> bool:
        """Whether no table is to be read now."""
        return self.paused or self.snapshot_paused

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait for MongoDB."""
        return self._pipeline.queued_bytes if self._pipeline else 0

    def lag_seconds(self) -> float:
        """How old what is in MongoDB is while newer transactions wait; 0 when none do."""
        newest, checkpoint = self.newest_us, self.sink.checkpoint
        if newest is None or checkpoint.source_ts is None or checkpoint.source_ts >= newest:
            return 0.0
        return max(0.0, time.time() - checkpoint.source_ts / 1e6)

    def wake(self) -> None:
        """Wake every thread that waits for a change."""
        with self.changed:
            self.changed.notify_all()

    def with_mysql(self, doing: str, call: Callable[[], T]) -> T:
        """Call until MySQL answers.

        Raises:
            ShutdownDuringRetry: the process is to end.
            Refused: the credentials are not taken.
            SourceFailed: MySQL has answered with an error that does not pass by itself.
        """
        try:
            return retry(
                call,
                transient=Patience(mysql.is_transient, mysql.is_refusal),
                shutdown=self.shutdown,
                doing=doing,
                policy=_RECONNECT,
                on_retry=lambda _: metrics.reconnects_total.labels("mysql").inc(),
            )
        except pymysql.err.OperationalError as error:
            if not mysql.is_refusal(error):
                message = f"MySQL has answered with an error, when {doing}: {error}"
                raise SourceFailed(message) from error
            message = f"MySQL has refused the user {self.settings.mysql.user!r} for a minute, when {doing}: {error}"
            raise Refused(message) from error
