"""The end of the process: clients are closed in steps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from isotherm_web.hub import Hub
from isotherm_web.metrics import Metrics
from isotherm_web.protocol import CloseCode, Format
from isotherm_web.service import drain
from isotherm_web.settings import HubSettings

if TYPE_CHECKING:
    from isotherm_web.clients import Client


@pytest.mark.contract("W10")
@pytest.mark.parametrize(
    ("count", "seconds", "steps"),
    [(0, 20.0, 1), (10, 20.0, 1), (3000, 20.0, 30), (3000, 2.0, 15), (3000, 0.0, 1)],
)
async def test_clients_are_closed_in_steps(count: int, seconds: float, steps: int) -> None:
    """A thousand a second at most, in three quarters of the time that there is, and all of them with 1012."""
    hub = Hub(HubSettings(maximum_connections_per_address=5000), Metrics(CollectorRegistry()), version="0")
    clients: list[Client] = [hub.connect(Format.JSON, "a", lambda: None, 0.0) for _ in range(count)]
    closed_after: list[int] = []
    slept: list[float] = []

    async def sleep(step_seconds: float) -> None:
        slept.append(step_seconds)
        closed_after.append(sum(client.closing is not None for client in clients))
        await asyncio.sleep(0)

    await drain(hub, seconds, sleep=sleep)
    assert len(slept) == steps
    assert sum(slept) <= max(seconds, 0.1)
    assert closed_after[-1] == count
    assert {client.closing.code for client in clients if client.closing} <= {CloseCode.RESTARTING}
    sizes = [now - before for before, now in zip([0, *closed_after], closed_after, strict=False)]
    assert max(sizes) - min(sizes[:-1] or sizes) <= 1 or steps == 1
    refusal = hub.refusal("b")
    assert refusal is not None
    assert refusal.code is CloseCode.RESTARTING
