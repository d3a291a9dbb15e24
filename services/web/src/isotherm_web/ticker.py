"""What happens every second: the hub's time passes, the loop shows that it goes round, gauges are set."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from isotherm_web.hub import Hub
    from isotherm_web.metrics import Metrics

_TICK_SECONDS = 1.0
_GAUGES_EVERY_TICKS = 5


class Heart(Protocol):
    """What hears that the event loop goes round."""

    def beat(self) -> None:
        """Take note of it."""


async def tick(hub: Hub, heart: Heart, metrics: Metrics) -> None:
    """Tick until cancelled."""
    ticks = 0
    while True:
        before = time.monotonic()
        await asyncio.sleep(_TICK_SECONDS)
        now = time.monotonic()
        metrics.loop_lag.set(max(0.0, now - before - _TICK_SECONDS))
        heart.beat()
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
