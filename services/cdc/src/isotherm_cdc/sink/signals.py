"""What operators ask of the running reader: documents that another process inserts and a batch answers (contract K11)."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import bson

from isotherm_cdc.sink.target import DEAD_LETTERS, SIGNALS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from isotherm_cdc.sink.operations import Operations
    from isotherm_cdc.sink.target import Target

KEPT = timedelta(days=7)
"""How long answered requests stay: a record of what was done."""


def answer(operations: Operations, answered: Sequence[dict[str, Any]], now: datetime) -> None:
    """Store requests with their answers, in the transaction that does what was asked: each is carried out once."""
    for request in answered:
        operations.upsert(SIGNALS, bson.encode({"_id": request["_id"]}), bson.encode({**request, "answered_at": now}))


def give_up(operations: Operations, given_up: Sequence[tuple[Any, str]], now: datetime) -> None:
    """Tell with the requests why their reading has ended before its end, in the transaction that ends it."""
    for identity, reason in given_up:
        change = {"$set": {"state": "failed", "answer": reason, "answered_at": now}}
        operations.change(SIGNALS, bson.encode({"_id": identity}), change)


def pending(target: Target) -> list[dict[str, Any]]:
    """Return the requests that have no answer yet, the oldest first."""
    found = target.database[SIGNALS].find({"pipeline": target.name, "state": "pending"}).sort("at", 1)
    return list(found)


def forget(target: Target, now: datetime) -> None:
    """Remove old answers."""
    before = now.astimezone(UTC) - KEPT
    target.database[SIGNALS].delete_many({"pipeline": target.name, "state": {"$ne": "pending"}, "at": {"$lt": before}})


def letters(target: Target, query: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return dead letters, the oldest first."""
    return list(target.database[DEAD_LETTERS].find(query).sort([("at", 1), ("_id", 1)]).limit(limit))
