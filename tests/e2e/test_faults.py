"""Pods are killed one after another and several at once under a writing load: nothing is lost, browsers resume."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import WebSocketException

from e2e.cluster import Writer, browser, eventually

if TYPE_CHECKING:
    from e2e.cluster import Release
    from isotherm_web.mirror import Mirror


async def watch(mirror: Mirror, modes: list[str], stop: asyncio.Event) -> None:
    """Be a browser that connects again whenever it is disconnected; note how each connection began."""
    while not stop.is_set():
        try:
            async with browser(mirror) as client:
                noted = False
                while not stop.is_set():
                    async with asyncio.timeout(30):
                        await client.receive()
                    if not noted and mirror.hello is not None:
                        modes.append(mirror.hello.mode)
                        noted = True
        except (OSError, TimeoutError, WebSocketException):
            await asyncio.sleep(0.5)
        finally:
            mirror.hello = None


@pytest.mark.parametrize(
    "components",
    [("web",), ("mongodb",), ("mysql",), ("cdc", "web"), ("mysql", "mongodb", "cdc", "web")],
    ids="+".join,
)
async def test_killed_pods_lose_nothing(components: tuple[str, ...], release: Release) -> None:
    """After the kill MySQL, MongoDB and a browser that was there all the while say the same of every location."""
    stop, modes = asyncio.Event(), list[str]()

    def load() -> Writer:
        locations = [row[0] for row in release.query("SELECT location_id FROM weather_data ORDER BY 1")]
        with Writer(release, locations) as writer:
            eventually(lambda: len(writer.acknowledged) > 50, within_seconds=60, what="writing")
            release.kill(*components)
            release.wait_until_ready()
            before = dict(writer.acknowledged)
            eventually(lambda: writer.acknowledged != before, within_seconds=120, what="writing goes on")
        release.wait_until_equal()
        return writer

    with release.fetching_stopped():
        async with browser() as client:
            await client.until(1)
            mirror = client.mirror
        watching = asyncio.create_task(watch(mirror, modes, stop))
        try:
            writer = await asyncio.to_thread(load)
            stored = dict(
                await asyncio.to_thread(release.query, "SELECT location_id, temperature_2m FROM weather_data")
            )
            expected = {location: round(value * 10) for location, value in stored.items()}

            def shown() -> bool:
                return {i: cell.values[0] for i, cell in mirror.by_id().items()} == expected

            await asyncio.to_thread(eventually, shown, within_seconds=60, what="the browser shows what MySQL has")
        finally:
            stop.set()
            watching.cancel()
    assert "resumed" in modes
    for location in writer.acknowledged:
        assert stored[location] in writer.possible(location)
