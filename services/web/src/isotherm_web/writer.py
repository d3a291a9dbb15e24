"""Writes to the clients that have something to get, some at a time, so that the event loop goes round meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from isotherm_web.framing import payload_bytes

if TYPE_CHECKING:
    from isotherm_web.clients import Outgoing
    from isotherm_web.metrics import Metrics
    from isotherm_web.protocol import Format

_SLICE_SECONDS = 0.02
_LOOK_AT_THE_CLOCK_EVERY = 32


class Due(Protocol):
    """A connection that may have something to get.

    Attributes:
        queued: whether it is on the writer's list.
    """

    queued: bool

    def flush(self, now: float) -> None:
        """Write what there is for it."""


class Writer:
    """The connections that are due, in the order in which they became so."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._due: deque[Due] = deque()
        self._scheduled = False
        self._last: tuple[Outgoing, Format, bytes] | None = None
        self._count = 0

    def due(self, line: Due) -> None:
        """Say that a connection may have something to get; it is looked at soon."""
        if line.queued:
            return
        line.queued = True
        self._due.append(line)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def sent(self, message: Outgoing, wire: Format, frame: bytes) -> None:
        """Count a message and the frame that it was sent in; the same frame to many clients is counted in one go."""
        last = self._last
        if last is not None and last[2] is frame and last[1] is wire:
            self._count += 1
            return
        self._settle()
        self._last, self._count = (message, wire, frame), 1

    def _settle(self) -> None:
        if self._last is not None:
            message, wire, frame = self._last
            self._metrics.sent(message.type, wire.value, payload_bytes(frame), self._count)
            self._last = None

    def _run(self) -> None:
        """Write for a while; what is left has its turn after whatever else waits in the event loop."""
        due = self._due
        now = time.monotonic()
        until = now + _SLICE_SECONDS
        while due and now < until:
            for _ in range(min(len(due), _LOOK_AT_THE_CLOCK_EVERY)):
                line = due.popleft()
                line.queued = False
                line.flush(now)
            now = time.monotonic()
        self._settle()
        self._scheduled = bool(due)
        if due:
            asyncio.get_running_loop().call_soon(self._run)
