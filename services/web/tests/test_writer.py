"""The writer of the direct path."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from isotherm_web.clients import Outgoing
from isotherm_web.protocol import Format
from isotherm_web.writer import Writer

if TYPE_CHECKING:
    from isotherm_web.metrics import Metrics


class Line:
    """A connection that has one message to get each time."""

    def __init__(self, writer: Writer, message: Outgoing) -> None:
        self.queued = False
        self.flushed = 0
        self._writer, self._message = writer, message

    def flush(self, now: float) -> None:
        """Send it."""
        self.flushed += 1
        self._writer.sent(self._message, Format.BINARY, self._message.frame())


async def test_everyone_has_a_turn_and_is_counted(metrics: Metrics) -> None:
    """Whoever is due is written to once, however often it was said; messages and bytes are counted."""
    writer = Writer(metrics)
    delta, ping = Outgoing("delta", bytes(10)), Outgoing("ping", "p")
    lines = [Line(writer, delta if number % 3 else ping) for number in range(100)]
    for line in (*lines, *lines):
        writer.due(line)
    while any(line.queued for line in lines):  # noqa: ASYNC110 - each turn of the loop is what is waited for
        await asyncio.sleep(0)
    assert {line.flushed for line in lines} == {1}
    assert metrics.messages.labels("delta", Format.BINARY.value)._value.get() == 66
    assert metrics.messages.labels("ping", Format.BINARY.value)._value.get() == 34
    assert metrics.bytes.labels(Format.BINARY.value)._value.get() == 694
