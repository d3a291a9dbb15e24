"""Named points at which a reader can be killed.

Most are told by the commands that the driver sends and by the checkpoint's fields in them (contracts K1 to K3), so that
they stay where they are however the code is arranged. The others wrap methods by name: one that is gone is an error.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from pymongo import monitoring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CHECKPOINTS = "_cdc_checkpoints"


@dataclass(frozen=True)
class Point:
    """One point.

    Attributes:
        name: what it is called in reports.
        provoke: what the workload has to do for it to be reached; "": nothing out of the ordinary.
    """

    name: str
    provoke: str = ""


BEFORE_TAKEOVER = Point("before takeover")
AFTER_TAKEOVER = Point("after takeover")
CONNECTED = Point("binary log connected")
RECEIVED = Point("transaction received", "change")
BEFORE_WRITE = Point("before the first write", "change")
BEFORE_CHECKPOINT = Point("after the writes, before the checkpoint", "change")
BEFORE_COMMIT = Point("before the commit", "change")
AFTER_COMMIT = Point("after the commit, before its acknowledgement", "change")
BETWEEN_PARTS = Point("between parts of a large transaction", "large")
WITHIN_PART = Point("within a part of a large transaction", "large")
BEFORE_CHUNK = Point("before a chunk is read", "reread")
CHUNK_READ = Point("chunk read", "reread")
CHUNK_HELD = Point("chunk held", "reread")
BETWEEN_CHUNKS = Point("between chunks", "reread")
BEFORE_SWEEP = Point("before ghosts are removed", "reread")
DDL_BEFORE = Point("before a clearing step", "truncate")
DDL_BETWEEN = Point("between clearing steps", "truncate")
DDL_AFTER = Point("after clearing, before the checkpoint", "truncate")
SHUTDOWN = Point("at shutdown", "stop")
LAST_BATCH = Point("within the last batch", "stop")

POINTS = {
    point.name: point
    for point in (
        BEFORE_TAKEOVER, AFTER_TAKEOVER, CONNECTED, RECEIVED, BEFORE_WRITE, BEFORE_CHECKPOINT, BEFORE_COMMIT,
        AFTER_COMMIT, BETWEEN_PARTS, WITHIN_PART, BEFORE_CHUNK, CHUNK_READ, CHUNK_HELD, BETWEEN_CHUNKS, BEFORE_SWEEP,
        DDL_BEFORE, DDL_BETWEEN, DDL_AFTER, SHUTDOWN, LAST_BATCH,
    )
}  # fmt: skip

METHODS: dict[Point, tuple[str, str]] = {
    CONNECTED: ("isotherm_cdc.binlog.stream:Source.__init__", "after"),
    RECEIVED: ("isotherm_cdc.pipeline.pipeline:Pipeline.end", "before"),
    BEFORE_CHUNK: ("isotherm_cdc.snapshot.reader:TableReader.read", "before"),
    CHUNK_READ: ("isotherm_cdc.snapshot.reader:TableReader.read", "after"),
    CHUNK_HELD: ("isotherm_cdc.pipeline.pipeline:Pipeline.close_window", "after"),
    BEFORE_SWEEP: ("isotherm_cdc.pipeline.pipeline:Pipeline.request_sweep", "before"),
    SHUTDOWN: ("isotherm_common.shutdown:Shutdown.request", "after"),
}


def install(reached: Callable[[Point], None]) -> None:
    """Have `reached` called whenever this process comes to a point; call it before anything else is made.

    Raises:
        AttributeError: a method that marks a point is not there any more.
    """
    commands = _Commands(reached)
    for point, (target, side) in METHODS.items():
        wrap(target, lambda point=point: reached(point), side=side)
    wrap("isotherm_common.shutdown:Shutdown.request", commands.stop, side="after")
    monitoring.register(commands)


def wrap(target: str, call: Callable[[], None], *, side: str) -> None:
    """Call something before or after a method, `module:Class.method`."""
    module, _, path = target.partition(":")
    owner_name, _, name = path.partition(".")
    owner = getattr(importlib.import_module(module), owner_name)
    original = getattr(owner, name)

    @wraps(original)
    def wrapped(*arguments: Any, **more: Any) -> Any:
        if side == "before":
            call()
        result = original(*arguments, **more)
        if side == "after":
            call()
        return result

    setattr(owner, name, wrapped)


class _Commands(monitoring.CommandListener):
    """Recognises points in the commands that are sent and answered."""

    def __init__(self, reached: Callable[[Point], None]) -> None:
        self._reached = reached
        self._last: Mapping[str, Any] = {}
        self._before: Mapping[str, Any] = {}
        self._stopping = False

    def stop(self) -> None:
        """Note that the reader is to end."""
        self._stopping = True

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        command = event.command
        if command.get("startTransaction"):
            self._reached(BEFORE_WRITE)
        if command.get("findAndModify") == CHECKPOINTS:
            self._reached(BEFORE_TAKEOVER)
        elif command.get("update") == CHECKPOINTS and "txnNumber" in command:
            self._before, self._last = self._last, command["updates"][0]["u"]["$set"]
            self._reached(BEFORE_CHECKPOINT)
            if self._last.get("ddl"):
                self._reached(DDL_BEFORE)
            elif self._before.get("ddl"):
                self._reached(DDL_AFTER)
            if self._last.get("txn"):
                self._reached(WITHIN_PART)
        elif "commitTransaction" in command:
            self._reached(BEFORE_COMMIT)
            if self._stopping:
                self._reached(LAST_BATCH)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        if event.command_name == "findAndModify":
            self._reached(AFTER_TAKEOVER)
        elif event.command_name == "commitTransaction":
            self._reached(AFTER_COMMIT)
            if self._last.get("ddl"):
                self._reached(DDL_BETWEEN)
            if self._last.get("txn"):
                self._reached(BETWEEN_PARTS)
            if self._last.get("snapshot"):
                self._reached(BETWEEN_CHUNKS)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing: a command that failed is no point."""
