"""Follows the change stream of the target and checks, at every batch, what contracts K1 to K5 promise.

It keeps a mirror by events alone: at a quiet point it must equal the collections, or the change stream has lost something.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import bson
from pymongo.errors import PyMongoError

if TYPE_CHECKING:
    import pymongo

Key = tuple[str, bytes]

OWN = ("_cdc_checkpoints", "_cdc_tombstones", "_cdc_dead_letters")


class Violation(AssertionError):  # noqa: N818 - a finding
    """Something that must hold did not."""


class Observer:
    """A thread with the change stream; `failure` is the first violation."""

    def __init__(
        self, client: pymongo.MongoClient[dict[str, Any]], database: str, total: int, money: tuple[str, ...]
    ) -> None:
        """Start at now.

        Args:
            client: a client of its own.
            database: what to follow.
            total: the sum that every whole state has.
            money: the collections whose balances make it.
        """
        self._database = client[database]
        self._total = total
        self._money = money
        self.failure: BaseException | None = None
        self.mirror: dict[Key, bytes] = {}
        self.last_seq: dict[Key, int] = {}
        """The last batch that each document was written or deleted in; deletions that left no tombstone are not counted."""
        self.deleted: dict[Key, int] = {}
        """Documents that are gone, with the batch that deleted them."""
        self.checkpoint: dict[str, Any] = {}
        self.batches = self.sums = self.takeovers = 0
        self._sum = 0
        self._attempts: dict[str, int] = {}
        self._group: list[tuple[Key, bytes | None]] = []
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer")

    def start(self) -> None:
        """Open the stream."""
        self._thread.start()
        while not self._ready.wait(0.1):
            if self.failure is not None:
                raise self.failure

    def stop(self) -> None:
        """Close it."""
        self._stop.set()
        self._thread.join()

    def has(self, attempt_id: str) -> bool:
        """Whether the batch with this attempt is what was seen last."""
        if self.failure is not None:
            raise self.failure
        return bool(self.checkpoint) and self.checkpoint["attempt_id"] == attempt_id and not self._group

    def _run(self) -> None:
        token: Any = None
        try:
            while not self._stop.is_set():
                try:
                    more = {"resume_after": token} if token is not None else {}
                    with self._database.watch(max_await_time_ms=100, **more) as stream:
                        while not self._stop.is_set():
                            event = stream.try_next()
                            self._ready.set()
                            if event is not None:
                                self._take(event)
                            token = stream.resume_token
                except PyMongoError:
                    if token is None:
                        raise
                    self._stop.wait(0.1)
        except BaseException as error:  # noqa: BLE001 - raised by whoever looks
            self.failure = error

    def _take(self, event: dict[str, Any]) -> None:
        name, kind = event["ns"]["coll"], event["operationType"]
        if name == "_cdc_checkpoints":
            self._checkpoint(event)
        elif not name.startswith("_cdc_") or name in OWN:
            key = (name, bson.encode(event["documentKey"]))
            if kind in ("insert", "replace"):
                self._group.append((key, bson.encode(event["fullDocument"])))
            elif kind == "delete":
                self._group.append((key, None))
            else:
                message = f"{kind} of {key}: the CDC replaces documents, it does not {kind} them"
                raise Violation(message)

    def _checkpoint(self, event: dict[str, Any]) -> None:
        before = self.checkpoint
        if event["operationType"] in ("insert", "replace"):
            after = event["fullDocument"]
        else:
            changes = event["updateDescription"]
            assert not any("." in name for name in changes["updatedFields"]), changes
            after = {**before, **changes["updatedFields"]}
        self.checkpoint = after
        if before and after["stream"] != before["stream"]:
            message = f"the stream has changed from {before['stream']} to {after['stream']}"
            raise Violation(message)
        if after["term"] != before.get("term"):
            self.takeovers += 1
        if not before or after["seq"] == before["seq"]:
            self._nothing_but_the_checkpoint(before, after)
            return
        self._batch(before, after)

    def _nothing_but_the_checkpoint(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        if self._group:
            message = (
                f"{len(self._group)} changes, {self._group[0][0]} the first, came before a checkpoint without a new seq"
            )
            raise Violation(message)
        if before and any(before[name] != after[name] for name in ("attempt_id", "gtid_set", "txn")):
            message = f"the checkpoint moved without a new seq: {before} to {after}"
            raise Violation(message)

    def _batch(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        seq = after["seq"]
        self.batches += 1
        if seq != before["seq"] + 1 or after["term"] != before["term"]:
            message = f"a batch took the checkpoint from {_place(before)} to {_place(after)}"
            raise Violation(message)
        if after["attempt_id"] in self._attempts:
            message = f"attempt {after['attempt_id']} is seq {self._attempts[after['attempt_id']]} and {seq}"
            raise Violation(message)
        if after["resume_floor"] < before["resume_floor"]:
            message = f"the resume floor sank from {before['resume_floor']} to {after['resume_floor']}"
            raise Violation(message)
        self._attempts[after["attempt_id"]] = seq
        group, self._group = self._group, []
        for key, data in group:
            self._apply(key, data, seq)
        if whole(after):
            self.sums += 1
            if self._sum != self._total:
                message = f"the sum at {_place(after)} is {self._sum} in place of {self._total}"
                raise Violation(message)

    def _apply(self, key: Key, data: bytes | None, seq: int) -> None:
        name = key[0]
        old = self.mirror.pop(key, None)
        if name in self._money:
            self._sum += _balance(data) - _balance(old)
        if data is not None:
            self.mirror[key] = data
        elif old is None:
            message = f"{key} was deleted though it was not there"
            raise Violation(message)
        if name in OWN:
            self._own(name, data, seq)
            return
        if self.last_seq.get(key, 0) >= seq:
            message = f"{key} was written by seq {self.last_seq[key]} and again by {seq}"
            raise Violation(message)
        self.last_seq[key] = seq
        if data is None:
            self.deleted[key] = seq
            return
        self.deleted.pop(key, None)
        written = bson.decode(data)["_cdc"]["seq"]
        if written != seq:
            message = f"{key} says seq {written} in the batch with seq {seq}"
            raise Violation(message)

    def _own(self, name: str, data: bytes | None, seq: int) -> None:
        if name != "_cdc_tombstones" or data is None:
            return
        stone = bson.decode(data)
        if stone["seq"] != seq:
            message = f"the tombstone of {stone['_id']} says seq {stone['seq']} in the batch with seq {seq}"
            raise Violation(message)


def whole(checkpoint: dict[str, Any]) -> bool:
    """Whether the target is a state that the source was in."""
    return (
        checkpoint.get("committed_at") is not None
        and not checkpoint["txn"]
        and not checkpoint["snapshot"]
        and not checkpoint["ddl"]
    )


def _balance(data: bytes | None) -> int:
    return 0 if data is None else int(bson.decode(data)["balance"])


def _place(checkpoint: dict[str, Any]) -> str:
    return f"term {checkpoint['term']}, seq {checkpoint['seq']}"
