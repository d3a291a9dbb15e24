"""Becoming the one reader of a pipeline (contracts K3 and K9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from bson.int64 import Int64
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from isotherm_cdc import checkpoint as checkpoints
from isotherm_cdc.mongo import certificate_refused, is_transient
from isotherm_cdc.sink.target import (
    CHECKPOINTS,
    DEAD_LETTER_CHUNKS,
    DEAD_LETTERS,
    SESSIONS,
    SIGNALS,
    TOMBSTONES,
    Target,
)
from isotherm_common.retry import retry

if TYPE_CHECKING:
    from isotherm_cdc.checkpoint import Checkpoint

TAKEOVER_TIMEOUT_MS = 5_000


def take_over(target: Target) -> Checkpoint:
    """Raise the term by one, which fences whoever had the one before; return where to go on."""

    def attempt() -> dict[str, Any]:
        for name in (CHECKPOINTS, DEAD_LETTERS, DEAD_LETTER_CHUNKS, SESSIONS, SIGNALS):
            target.create(target.database[name])
        target.create(target.database[TOMBSTONES], "seq")
        _end_predecessor(target)
        document = target.database[CHECKPOINTS].find_one_and_update(
            {"_id": target.name},
            {"$inc": {"term": Int64(1)}, "$setOnInsert": checkpoints.initial_fields(uuid4().hex)},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            maxTimeMS=TAKEOVER_TIMEOUT_MS,
        )
        assert document is not None
        return document

    try:
        document = retry(
            attempt,
            transient=lambda error: is_transient(error) or isinstance(error, DuplicateKeyError),
            shutdown=target.shutdown,
            doing="taking over the checkpoint",
            on_retry=lambda _: target.on_retry("takeover"),
        )
    except PyMongoError as error:
        if (refused := certificate_refused(error)) is not None:
            raise refused from error
        raise
    return checkpoints.from_document(document)


def _end_predecessor(target: Target) -> None:
    """End the session of the reader before, and note ours before it is used.

    A reader that was killed leaves its transaction open, and with it the checkpoint locked for up to a minute.
    """
    sessions = target.database[SESSIONS]
    mine = target.session.session_id["id"]
    before = sessions.find_one({"_id": target.name})
    if before is not None and before["lsid"] != mine:
        try:
            target.client.admin.command({"killSessions": [{"id": before["lsid"]}]})
        except OperationFailure as error:
            structlog.get_logger().warning("predecessor_not_ended", error=str(error))
    sessions.replace_one({"_id": target.name}, {"_id": target.name, "lsid": mine}, upsert=True)
