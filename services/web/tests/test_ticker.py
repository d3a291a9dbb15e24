"""How late the event loop is said to be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from isotherm_web.protocol import Format
from isotherm_web.ticker import Lateness, tick

if TYPE_CHECKING:
    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics


def test_the_worst_of_the_last_ticks_counts() -> None:
    """A loop that was held up once is said to be late for fifteen ticks, however punctual the others are."""
    lateness = Lateness()
    assert lateness.worst_seconds(1.5) == 0.5
    assert [lateness.worst_seconds(1.0) for _ in range(15)] == [0.5] * 14 + [0.0]


def test_early_is_not_late() -> None:
    """Clocks may tick a little faster than the loop."""
    assert Lateness().worst_seconds(0.9) == 0.0


class Process:
    """A process in virtual time: the event loop takes what the test says for each second that is slept.

    Attributes:
        beats: how often its loop has gone round.
    """

    def __init__(self, *slept: float) -> None:
        self._slept = list(slept)
        self._now = 0.0
        self.beats = 0

    def clock(self) -> float:
        """Return the time."""
        return self._now

    async def sleep(self, _: float) -> None:
        """Let the next span of time pass; end when there is none."""
        if not self._slept:
            raise asyncio.CancelledError
        self._now += self._slept.pop(0)

    def beat(self) -> None:
        """Count."""
        self.beats += 1


async def test_a_standstill_is_told_to_the_hub(hub: Hub, metrics: Metrics) -> None:
    """After a standstill the hub learns how long it was before it looks at its clients; being a little late is none."""
    client = hub.connect(Format.JSON, "a", lambda: None, 0.0)
    process = Process(1.0, 1.2, 301.0, 1.0)
    with pytest.raises(asyncio.CancelledError):
        await tick(hub, process, metrics, clock=process.clock, sleep=process.sleep)
    assert process.beats == 4
    assert client.closing is None
    assert client.connected_at == 300.0
