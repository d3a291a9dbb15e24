"""What happens every second: the hub's time passes, the loop shows that it goes round, gauges are set."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics

_TICK_SECONDS = 1.0
_STANDSTILL_SECONDS = 1.0
"""So late is a tick of a process that was paused: what clients sent meanwhile is read only after it."""
_GAUGES_EVERY_TICKS = 5
_REMEMBERED_TICKS = 15


class Heart(Protocol):
    """What hears that the event loop goes round."""

    def beat(self) -> None:
        """Take note of it."""


class Lateness:
    """How late the latest of the last 15 ticks was: the last one alone would hide what holds the loop up between two scrapes."""

    def __init__(self) -> None:
        self._recent_seconds: deque[float] = deque(maxlen=_REMEMBERED_TICKS)

    def worst_seconds(self, passed_seconds: float) -> float:
        """Take note of the seconds that passed between two ticks; return the most that any of the last ones was late by."""
        self._recent_seconds.append(max(0.0, passed_seconds - _TICK_SECONDS))
        return max(self._recent_seconds)


async def tick(
    hub: Hub,
    heart: Heart,
    metrics: Metrics,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Tick until cancelled."""
    ticks, lateness = 0, Lateness()
    while True:
        before = clock()
        await sleep(_TICK_SECONDS)
        now = clock()
        late_seconds = now - before - _TICK_SECONDS
        metrics.loop_lag.set(lateness.worst_seconds(now - before))
        heart.beat()
        if late_seconds > _STANDSTILL_SECONDS:
            hub.stood_still(late_seconds)
        hub.tick(now)
        if ticks % _GAUGES_EVERY_TICKS == 0 and hub.loaded:
            _measure(hub, metrics)
        ticks += 1


def _measure(hub: Hub, metrics: Metrics) -> None:
    valid_at = [row.valid_at for row in hub.state.filled()]
    now = time.time()
    metrics.cells.set(len(hub.state.geometry.locations))
    metrics.cells_filled.set(len(valid_at))
    metrics.oldest.set(now - min(valid_at) if valid_at else float("nan"))
    metrics.newest.set(now - max(valid_at) if valid_at else float("nan"))
