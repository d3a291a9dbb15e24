"""Batches into MongoDB, each exactly once (contract K2).

A batch is one majority transaction: the checkpoint's compare-and-set, the documents, the tombstones, the dead letters.
Whatever the network does to it, the checkpoint tells whether it is in.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from bson.int64 import Int64
from pymongo import DeleteOne, InsertOne, ReplaceOne, ReturnDocument, WriteConcern
from pymongo.errors import BulkWriteError, DocumentTooLarge, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from isotherm_cdc import checkpoint as checkpoints
from isotherm_cdc.binlog.decode import BadRow
from isotherm_cdc.errors import CheckpointConflict, Fenced, Halt
from isotherm_cdc.mongo import is_transient
from isotherm_cdc.pipeline.pipeline import Batch, Clear, DeadRow
from isotherm_cdc.sink.documents import LARGEST_DOCUMENT_BYTES, Finisher, key_of, raw
from isotherm_common.retry import RetryPolicy, retry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection

    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.mongo import Client
    from isotherm_common.shutdown import Shutdown

CHECKPOINTS, TOMBSTONES, DEAD_LETTERS = "_cdc_checkpoints", "_cdc_tombstones", "_cdc_dead_letters"
SESSIONS = "_cdc_sessions"
"""Which session each pipeline's reader writes in, so that the next reader can end what a killed one left open."""
TAKEOVER_TIMEOUT_MS = 5_000
CLEAR_STEP_DOCUMENTS = 1000
PURGE_STEP_TOMBSTONES = 1000
PURGE_EVERY_SECONDS = 60.0
_MAJORITY = WriteConcern("majority")
_NAMESPACE_EXISTS = 48
_FAST = RetryPolicy(initial_seconds=0.05, maximum_seconds=10.0)

Operations = dict[str, list[Any]]


class Rejected(Exception):  # noqa: N818 - it names what MongoDB did
    """MongoDB refuses one document for good."""

    def __init__(self, table: str, key: bytes, reason: str) -> None:
        super().__init__(reason)
        self.table, self.key, self.reason = table, key, reason


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
            on_retry: told the reason of every retry.
            clock: the time.
        """
        self._client = client
        self._database = client.get_database(database, write_concern=_MAJORITY, read_preference=ReadPreference.PRIMARY)
        self._name = name
        self._shutdown = shutdown
        self._retention_seconds = tombstone_retention_seconds
        self._on_retry = on_retry
        self._clock = clock
        self._known: set[str] = set()
        self._checkpoint: Checkpoint | None = None
        self._session: ClientSession | None = None
        self._next_purge = 0.0

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint as of the last commit."""
        if self._checkpoint is None:
            message = "the checkpoint was not taken over yet"
            raise RuntimeError(message)
        return self._checkpoint

    def take_over(self) -> Checkpoint:
        """Raise the term by one and fence whoever had the one before (contract K3)."""

        def attempt() -> dict[str, Any]:
            for name in (CHECKPOINTS, DEAD_LETTERS, SESSIONS):
                self._create(self._database[name])
            self._create(self._database[TOMBSTONES], "seq")
            self._end_predecessor()
            document = self._database[CHECKPOINTS].find_one_and_update(
                {"_id": self._name},
                {"$inc": {"term": Int64(1)}, "$setOnInsert": checkpoints.initial_fields(uuid4().hex)},
                upsert=True,
                return_document=ReturnDocument.AFTER,
                maxTimeMS=TAKEOVER_TIMEOUT_MS,
            )
            assert document is not None
            return document

        document = retry(
            attempt,
            transient=lambda error: is_transient(error) or isinstance(error, DuplicateKeyError),
            shutdown=self._shutdown,
            doing="taking over the checkpoint",
            on_retry=lambda _: self._on_retry("takeover"),
        )
        self._checkpoint = checkpoints.from_document(document)
        return self._checkpoint

    def _end_predecessor(self) -> None:
        """End the session of the reader before, and note ours before it is used.

        A reader that was killed leaves its transaction open, and with it the checkpoint locked for up to a minute.
        """
        sessions = self._database[SESSIONS]
        if self._session is None:
            self._session = self._client.start_session(causal_consistency=False)
        mine = self._session.session_id["id"]
        before = sessions.find_one({"_id": self._name})
        if before is not None and before["lsid"] != mine:
            try:
                self._client.admin.command({"killSessions": [{"id": before["lsid"]}]})
            except OperationFailure as error:
                structlog.get_logger().warning("predecessor_not_ended", error=str(error))
        sessions.replace_one({"_id": self._name}, {"_id": self._name, "lsid": mine}, upsert=True)

    def commit(self, batch: Batch) -> Checkpoint:
        """Write a batch; return the checkpoint after it.

        Raises:
            Fenced: another reader has taken over.
            Halt: it cannot be written.
            ShutdownDuringRetry: the process is to end and MongoDB does not answer.
        """
        self._prepare({table for table, _ in batch.writes} | {clear.table for clear in batch.clears})
        for clear in batch.clears:
            self._clear(clear)
        while True:
            attempt, operations = self._plan(batch)
            try:
                return self._write(attempt, operations)
            except Rejected as rejected:
                self._set_aside(batch, rejected)

    def _plan(self, batch: Batch) -> tuple[Checkpoint, Operations]:
        now = self._clock()
        attempt = self.checkpoint.moved(
            seq=self.checkpoint.seq + 1,
            attempt_id=uuid4().hex,
            gtid_set=batch.gtid_set,
            position=batch.position,
            ddl=None,
            snapshot=batch.snapshot,
            committed_at=now,
            source_ts=batch.source_us or self.checkpoint.source_ts,
        )
        finisher = Finisher(attempt.seq)
        operations: Operations = {}
        tombstones = []
        for (table, key), write in batch.writes.items():
            target = operations.setdefault(table, [])
            if write.elements is None:
                target.append(DeleteOne(raw(key)))
                tombstone = {"_id": {"collection": table, "id": key_of(key)}}
                tombstones.append(
                    ReplaceOne(tombstone, {**tombstone, "seq": Int64(attempt.seq), "deleted_at": now}, upsert=True)
                )
            else:
                document = finisher.finish(write)
                if len(document) > LARGEST_DOCUMENT_BYTES:
                    message = (
                        f"The row {key_of(key)!r} of {table} is a document of {len(document)} bytes; MongoDB holds "
                        f"{LARGEST_DOCUMENT_BYTES}. Shorten the row, or exclude the table."
                    )
                    raise Halt(message)
                target.append(ReplaceOne(raw(key), raw(document), upsert=True))
        if tombstones:
            operations[TOMBSTONES] = tombstones
        if batch.dead:
            operations[DEAD_LETTERS] = [
                InsertOne(_dead_letter(dead, number, attempt, now)) for number, dead in enumerate(batch.dead)
            ]
        return self._with_purge(attempt, operations)

    def _with_purge(self, attempt: Checkpoint, operations: Operations) -> tuple[Checkpoint, Operations]:
        """Now and then remove old tombstones, raising the floor in the same transaction (contract K5)."""
        if time.monotonic() < self._next_purge:
            return attempt, operations
        self._next_purge = time.monotonic() + PURGE_EVERY_SECONDS
        cutoff = self._clock().timestamp() - self._retention_seconds

        def oldest() -> list[dict[str, Any]]:
            return list(self._database[TOMBSTONES].find().sort("seq", 1).limit(PURGE_STEP_TOMBSTONES))

        expired: list[dict[str, Any]] = []
        for tombstone in self._until_done(oldest, "reading tombstones"):
            if tombstone["deleted_at"].replace(tzinfo=UTC).timestamp() >= cutoff:
                break
            expired.append(tombstone)
        if not expired:
            return attempt, operations
        floor = int(expired[-1]["seq"])
        # A tombstone that this batch renews has a larger seq by then and is not meant any more.
        purge = [DeleteOne({"_id": tombstone["_id"], "seq": {"$lte": Int64(floor)}}) for tombstone in expired]
        if len(expired) == PURGE_STEP_TOMBSTONES:
            self._next_purge = 0.0
        operations[TOMBSTONES] = [*operations.get(TOMBSTONES, []), *purge]
        return attempt.moved(resume_floor=max(attempt.resume_floor, floor)), operations

    def _write(self, attempt: Checkpoint, operations: Operations) -> Checkpoint:
        """Make one transaction happen exactly once."""
        while True:
            matched = self._until_done(lambda: self._transaction(attempt, operations), "writing a batch", "transaction")
            verdict = "committed" if matched else self._judge(attempt)
            if verdict == "committed":
                self._checkpoint = attempt
                return attempt

    def _judge(self, attempt: Checkpoint) -> str:
        def read() -> dict[str, Any] | None:
            collection = self._database.get_collection(CHECKPOINTS, read_concern=ReadConcern("majority"))
            return collection.find_one({"_id": self._name})

        document = self._until_done(read, "reading the checkpoint")
        found = checkpoints.from_document(document) if document else None
        verdict = checkpoints.judge(found, self.checkpoint, attempt)
        if verdict == "fenced":
            message = f"Another reader has taken over pipeline {self._name!r} (term {found.term if found else '?'}, mine is {attempt.term})."
            raise Fenced(message)
        if verdict == "conflict":
            message = (
                f"The checkpoint {self._name!r} is not as this reader left it (expected term {attempt.term}, seq "
                f"{self.checkpoint.seq}; found {f'term {found.term}, seq {found.seq}' if found else 'none'}): somebody "
                "else has changed it. Find out who before starting again."
            )
            raise CheckpointConflict(message)
        return verdict

    def _transaction(self, attempt: Checkpoint, operations: Operations) -> bool:
        """Try once; answer whether the compare-and-set matched."""
        session = self._session
        assert session is not None
        session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=_MAJORITY)
        try:
            for table, writes in operations.items():
                self._bulk(table, writes, session)
            # Last, for a change stream delivers a transaction in its own order, and the checkpoint tells that it is whole.
            result = self._database[CHECKPOINTS].update_one(
                {"_id": self._name, "term": Int64(attempt.term), "seq": Int64(attempt.seq - 1)},
                {"$set": attempt.fields()},
                session=session,
            )
            if not result.matched_count:
                session.abort_transaction()
                return False
        except BaseException:
            if session.in_transaction:
                _abort_quietly(session)
            raise
        self._commit(session)
        return True

    def _bulk(self, table: str, writes: list[Any], session: ClientSession) -> None:
        try:
            self._collection(table).bulk_write(writes, ordered=False, session=session)
        except BulkWriteError as error:
            if is_transient(error):
                raise
            raise _rejected(table, writes, error) from error
        except DocumentTooLarge as error:
            message = f"MongoDB takes no batch with a document this large in {table}: {error}"
            raise Halt(message) from error

    def _commit(self, session: ClientSession) -> None:
        """Commit; a commit whose outcome is unknown is committed again, never the transaction."""

        def unknown(error: BaseException) -> bool:
            return isinstance(error, PyMongoError) and error.has_error_label("UnknownTransactionCommitResult")

        retry(
            session.commit_transaction,
            transient=unknown,
            shutdown=self._shutdown,
            doing="committing a batch",
            policy=RetryPolicy(initial_seconds=0.05, maximum_seconds=5.0, give_up_after_seconds=60.0),
            on_retry=lambda _: self._on_retry("commit"),
        )

    def _clear(self, clear: Clear) -> None:
        """Delete many documents in bounded, fenced steps; begun again from the start after a crash."""
        collection = self._collection(clear.table)
        query = {} if clear.up_to_seq is None else {"_cdc.seq": {"$lte": Int64(clear.up_to_seq)}}
        total = 0

        def step_keys() -> list[Any]:
            return [document["_id"] for document in collection.find(query, {"_id": 1}).limit(CLEAR_STEP_DOCUMENTS)]

        while keys := self._until_done(step_keys, "reading the keys to delete"):
            seq = self.checkpoint.seq + 1
            attempt = self.checkpoint.moved(
                seq=seq,
                attempt_id=uuid4().hex,
                ddl={"gtid": clear.gtid, "op": clear.reason, "table": clear.table, "stage": "clearing"},
                resume_floor=seq,
                committed_at=self._clock(),
            )
            self._write(attempt, {clear.table: [DeleteOne({"_id": key}) for key in keys]})
            total += len(keys)
        structlog.get_logger().info("collection_cleared", table=clear.table, reason=clear.reason, documents=total)

    def _set_aside(self, batch: Batch, rejected: Rejected) -> None:
        write = batch.writes.pop((rejected.table, rejected.key), None)
        if write is None:
            message = f"MongoDB refuses a write of {rejected.table}: {rejected.reason}"
            raise Halt(message)
        bad = BadRow("update", rejected.reason, rejected.key + (write.elements or b""))
        batch.dead.append(DeadRow(write.gtid or "", 0, 0, rejected.table, bad))

    def _prepare(self, tables: set[str]) -> None:
        for table in tables - self._known:
            create = partial(self._create, self._collection(table), "_cdc.seq")
            self._until_done(create, "creating a collection")
            self._known.add(table)

    def _collection(self, table: str) -> Collection[dict[str, Any]]:
        if table in (TOMBSTONES, DEAD_LETTERS):
            return self._database[table]
        schema, _, name = table.partition(".")
        return self._client.get_database(schema, write_concern=_MAJORITY)[name]

    def _create(self, collection: Collection[dict[str, Any]], index: str | None = None) -> None:
        try:
            collection.database.create_collection(collection.name, check_exists=False)
        except PyMongoError as error:
            if getattr(error, "code", None) != _NAMESPACE_EXISTS:
                raise
        if index is not None:
            collection.create_index(index)

    def _until_done(self, call: Callable[[], Any], doing: str, reason: str = "read") -> Any:
        return retry(
            call,
            transient=is_transient,
            shutdown=self._shutdown,
            doing=doing,
            policy=_FAST,
            on_retry=lambda _: self._on_retry(reason),
        )


def _abort_quietly(session: ClientSession) -> None:
    try:
        session.abort_transaction()
    except PyMongoError:
        structlog.get_logger().debug("abort_failed")


def _rejected(table: str, writes: Sequence[Any], error: BulkWriteError) -> Rejected | Halt:
    problems = error.details.get("writeErrors") or []
    if table in (TOMBSTONES, DEAD_LETTERS) or not problems:
        return Halt(f"MongoDB refuses to write {table}: {error.details}")
    write = writes[problems[0]["index"]]
    return Rejected(table, write._filter.raw, str(problems[0].get("errmsg")))  # noqa: SLF001 - it has no public name


def _dead_letter(dead: DeadRow, number: int, attempt: Checkpoint, now: datetime) -> dict[str, Any]:
    return {
        "_id": f"{attempt.stream}:{attempt.seq}:{number}",
        "stream": attempt.stream,
        "seq": Int64(attempt.seq),
        "gtid": dead.gtid,
        "event_idx": Int64(dead.event_idx),
        "row_idx": Int64(dead.row_idx),
        "table": dead.table,
        "operation": dead.row.operation,
        "error": dead.row.error,
        "row": dead.row.data,
        "at": now,
    }
