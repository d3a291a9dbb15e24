"""Batches into MongoDB, each exactly once (contract K2).

A batch is one majority transaction: the documents, the tombstones, the dead letters, and last the checkpoint's
compare-and-set.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from isotherm_cdc.binlog.decode import BadRow
from isotherm_cdc.errors import Halt
from isotherm_cdc.pipeline.batch import Batch, DeadRow, Origin
from isotherm_cdc.sink import counted, dead_letters, documents, signals, takeover, tombstones
from isotherm_cdc.sink.clear import clear_all
from isotherm_cdc.sink.commit import Rejected, write
from isotherm_cdc.sink.operations import Operations, add_upsert
from isotherm_cdc.sink.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from isotherm_cdc.binlog.decode import Operation
    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.mongo import Client
    from isotherm_common.shutdown import Shutdown

OversizedPolicy = Literal["dead_letter", "halt"]
LONGEST_KEY = 200


class Sink:
    """Owns the checkpoint of one pipeline from takeover on."""

    def __init__(
        self,
        client: Client,
        database: str,
        name: str,
        *,
        shutdown: Shutdown,
        tombstone_retention_seconds: float,
        oversized: OversizedPolicy = "dead_letter",
        on_retry: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare; `take_over` comes first.

        Args:
            client: the connection.
            database: where the state of the CDC is kept.
            name: the pipeline.
            shutdown: ends waiting.
            tombstone_retention_seconds: how long tombstones are kept.
            oversized: what to do with a row whose document would be larger than MongoDB holds.
            on_retry: told the reason of every retry.
            clock: the time.
        """
        self._target = Target(client, database, name, shutdown, on_retry)
        self._clock = clock
        self._oversized = oversized
        self._purge = tombstones.Purge(self._target, tombstone_retention_seconds, clock)
        self._checkpoint: Checkpoint | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint as of the last commit."""
        if self._checkpoint is None:
            message = "the checkpoint was not taken over yet"
            raise RuntimeError(message)
        return self._checkpoint

    @property
    def taken_over(self) -> bool:
        """Whether there is a checkpoint yet."""
        return self._checkpoint is not None

    def take_over(self) -> Checkpoint:
        """Raise the term by one and fence whoever had the one before (contract K3)."""
        self._checkpoint = takeover.take_over(self._target)
        return self._checkpoint

    def requests(self) -> list[dict[str, Any]]:
        """Return what operators have asked and nobody has answered."""
        return signals.pending(self._target)

    def forget_requests(self) -> None:
        """Remove old answers."""
        signals.forget(self._target, self._clock())

    def letters(self, query: dict[str, Any], limit: int) -> list[dict[str, Any]]:
        """Return dead letters."""
        return signals.letters(self._target, query, limit)

    def commit(self, batch: Batch) -> Checkpoint:
        """Write a batch; return the checkpoint after it.

        Raises:
            Fenced: another reader has taken over.
            Halt: it cannot be written.
            ShutdownDuringRetry: the process is to end and MongoDB does not answer.
        """
        self._target.prepare(batch.writes.keys() | batch.counted.keys() | {clear.table for clear in batch.clears})
        for clear in batch.clears:
            clear_all(self._target, clear, lambda: self.checkpoint, self._write, self._clock)
        while True:
            try:
                attempt, operations = self._plan(batch)
                dead_letters.store_chunks(self._target, batch.dead)
                return self._write(attempt, operations)
            except Rejected as rejected:
                self._set_aside(batch, rejected)

    def _write(self, attempt: Checkpoint, operations: Operations) -> Checkpoint:
        write(self._target, self.checkpoint, attempt, operations)
        self._checkpoint = attempt
        return attempt

    def _plan(self, batch: Batch) -> tuple[Checkpoint, Operations]:
        now = self._clock()
        attempt = self.checkpoint.moved(
            seq=self.checkpoint.seq + 1,
            attempt_id=uuid4().hex,
            gtid_set=batch.gtid_set,
            position=batch.position,
            ddl=self.checkpoint.ddl_after(batch.gtid_set),
            snapshot=batch.snapshot,
            committed_at=now,
            source_ts=batch.source_us or self.checkpoint.source_ts,
            also=batch.also,
        )
        operations = Operations()
        self._add_documents(batch, attempt.seq, now, operations)
        counted.add(self._target, batch, attempt.seq, now, operations)
        dead_letters.add(operations, batch.dead, attempt, now)
        dead_letters.settle(self._target, operations, batch.settled, batch.dead)
        signals.answer(operations, batch.answers, now)
        signals.give_up(operations, batch.given_up, now)
        return self._purge.add(attempt, operations), operations

    def _add_documents(self, batch: Batch, seq: int, now: datetime, operations: Operations) -> None:
        tombstone_end = tombstones.tail(seq, now)
        last: Origin | None = None
        end = b""
        for table, writes in batch.writes.items():
            upserts = operations.of(table, "update")
            tombstone_start = tombstones.key_start(table)
            for key, (elements, origin) in writes.items():
                if elements is None:
                    operations.delete(table, key)
                    tombstones.add(operations, tombstone_start, key, tombstone_end)
                    continue
                if origin is not last:
                    last, end = origin, documents.tail(seq, origin)
                size = 4 + len(elements) + len(end)
                if size > documents.LARGEST_DOCUMENT_BYTES:
                    raise Rejected(table, key, self._oversized_reason(table, key, size))
                add_upsert(upserts, key, elements, end)

    def _oversized_reason(self, table: str, key: bytes, size_bytes: int) -> str:
        """Say why a document cannot be stored.

        Raises:
            Halt: such a document is to stop the pipeline.
        """
        identity = repr(documents.key_of(key))
        reason = (
            f"The row {identity[:LONGEST_KEY]} of {table} is a document of {size_bytes} bytes; MongoDB holds "
            f"{documents.LARGEST_DOCUMENT_BYTES}."
        )
        if self._oversized == "halt":
            message = (
                f"{reason} Shorten the row, exclude the table, or set CDC_OVERSIZED_ROW_POLICY=dead_letter to keep such "
                "rows as dead letters."
            )
            raise Halt(message)
        return reason

    @staticmethod
    def _set_aside(batch: Batch, rejected: Rejected) -> None:
        """Make a dead letter of a document that MongoDB refuses."""
        write = batch.writes.get(rejected.table, {}).pop(rejected.key, None)
        if write is None:
            message = f"MongoDB refuses a write of {rejected.table}: {rejected.reason}"
            raise Halt(message)
        elements, origin = write
        data = rejected.key if elements is None else documents.whole(elements)
        operation: Operation = "delete" if elements is None else "snapshot" if origin.gtid is None else "update"
        bad = BadRow(operation, rejected.reason, data, rejected.key)
        batch.dead.append(DeadRow(origin.gtid or "", 0, 0, rejected.table, bad))
