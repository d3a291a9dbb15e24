"""Pods are killed one after another and several at once under a writing load: nothing is lost, browsers resume."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from e2e.cluster import Writer, eventually, until, watchers

if TYPE_CHECKING:
    from e2e.cluster import Release


@pytest.mark.parametrize(
    "components",
    [("web",), ("mongodb",), ("mysql",), ("cdc", "web"), ("mysql", "mongodb", "cdc", "web")],
    ids="+".join,
)
async def test_killed_pods_lose_nothing(components: tuple[str, ...], release: Release) -> None:
    """After the kill MySQL, MongoDB and a browser that was there all the while say the same of every location."""

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
        async with watchers(1) as (watcher,):
            writer = await asyncio.to_thread(load)
            stored = dict(
                await asyncio.to_thread(release.query, "SELECT location_id, temperature_2m FROM weather_data")
            )
            expected = {location: round(value * 10) for location, value in stored.items()}

            def shown() -> bool:
                return {i: cell.values[0] for i, cell in watcher.mirror.by_id().items()} == expected

            await until(shown, within_seconds=60, what="the browser shows what MySQL has")
    if "web" in components:
        assert watcher.modes[1:]
    assert set(watcher.modes[1:]) <= {"resumed"}
    for location in writer.acknowledged:
        assert stored[location] in writer.possible(location)
