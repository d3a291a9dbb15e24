"""One transaction in MongoDB, exactly once (contract K2).

Whatever the network does to it, the checkpoint tells whether it is in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from bson.int64 import Int64
from pymongo.errors import DocumentTooLarge, PyMongoError, WriteError
from pymongo.read_concern import ReadConcern

from isotherm_cdc import checkpoint as checkpoints
from isotherm_cdc.errors import CheckpointConflict, Fenced, Halt
from isotherm_cdc.mongo import is_transient
from isotherm_cdc.sink.operations import command
from isotherm_cdc.sink.target import CHECKPOINTS, DEAD_LETTERS, MAJORITY, TOMBSTONES, Target
from isotherm_common.retry import RetryPolicy, retry

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from isotherm_cdc.checkpoint import Checkpoint
    from isotherm_cdc.sink.operations import Operations, Statements, Verb

_COMMIT = RetryPolicy(initial_seconds=0.05, maximum_seconds=5.0, give_up_after_seconds=60.0)


class Rejected(Exception):  # noqa: N818 - it names what MongoDB did
    """MongoDB refuses one document for good."""

    def __init__(self, table: str, key: bytes, reason: str) -> None:
        super().__init__(reason)
        self.table, self.key, self.reason = table, key, reason


def write(target: Target, before: Checkpoint, attempt: Checkpoint, operations: Operations) -> None:
    """Make one transaction happen exactly once.

    Args:
        target: where.
        before: the checkpoint as this reader left it.
        attempt: the checkpoint that the transaction writes.
        operations: what else it writes.

    Raises:
        Fenced: another reader has taken over.
        Rejected: a document is refused.
        Halt: going on would lose or falsify data.
    """

    def once() -> bool:
        return _transaction(target, attempt, operations)

    while not target.until_done(once, "writing a batch", "transaction"):
        if _judge(target, before, attempt) == "committed":
            return


def _judge(target: Target, before: Checkpoint, attempt: Checkpoint) -> str:
    """Say why the compare-and-set matched nothing."""
    document = target.read_checkpoint()
    found = checkpoints.from_document(document) if document else None
    verdict = checkpoints.judge(found, before, attempt)
    if verdict == "fenced":
        message = f"Another reader has taken over pipeline {target.name!r} (term {found.term if found else '?'}, mine is {attempt.term})."
        raise Fenced(message)
    if verdict == "conflict":
        message = (
            f"The checkpoint {target.name!r} is not as this reader left it (expected term {attempt.term}, seq "
            f"{before.seq}; found {f'term {found.term}, seq {found.seq}' if found else 'none'}): somebody "
            "else has changed it. Find out who before starting again."
        )
        raise CheckpointConflict(message)
    return verdict


def _transaction(target: Target, attempt: Checkpoint, operations: Operations) -> bool:
    """Try once; answer whether the compare-and-set matched."""
    session = target.session
    session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=MAJORITY)
    try:
        for table, verb, statements in operations:
            _send(target, table, verb, statements)
        # Last, for a change stream delivers a transaction in its own order, and the checkpoint tells that it is whole.
        result = target.database[CHECKPOINTS].update_one(
            {"_id": target.name, "term": Int64(attempt.term), "seq": Int64(attempt.seq - 1)},
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
    _commit(target)
    return True


def _send(target: Target, table: str, verb: Verb, statements: Statements) -> None:
    collection = target.collection(table)
    try:
        reply = collection.database.command(command(collection.name, verb, statements), session=target.session)
    except DocumentTooLarge as error:
        message = f"MongoDB takes no batch with a document this large in {table}: {error}"
        raise Halt(message) from error
    problems = reply.get("writeErrors")
    if not problems:
        return
    problem = problems[0]
    refusal = WriteError(str(problem.get("errmsg")), problem.get("code"), {**reply, **problem})
    if is_transient(refusal):
        raise refusal
    if table in (TOMBSTONES, DEAD_LETTERS):
        message = f"MongoDB refuses to write {table}: {problem}"
        raise Halt(message)
    raise Rejected(table, statements.identities[problem["index"]], str(problem.get("errmsg")))


def _commit(target: Target) -> None:
    """Commit; a commit whose outcome is unknown is committed again, never the transaction."""

    def unknown(error: BaseException) -> bool:
        return isinstance(error, PyMongoError) and error.has_error_label("UnknownTransactionCommitResult")

    retry(
        target.session.commit_transaction,
        transient=unknown,
        shutdown=target.shutdown,
        doing="committing a batch",
        policy=_COMMIT,
        on_retry=lambda _: target.on_retry("commit"),
    )


def _abort_quietly(session: ClientSession) -> None:
    try:
        session.abort_transaction()
    except PyMongoError:
        structlog.get_logger().debug("abort_failed")
