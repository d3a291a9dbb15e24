"""An upgrade from what stood before the last change: chart and images of that commit, then those of this one."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.cluster import CHART, CommandError, Writer, eventually, until, watchers
from isotherm_web.protocol import CloseCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.cluster import Release

HOST = "upgrade.isotherm.test"
SECRETS = ("mysql-admin-password", "mysql-cdc-password", "mongodb-admin-password", "mongodb-web-password")


@pytest.fixture
def previous(new_release: Callable[..., Release]) -> Iterator[Release]:
    """A release of the previous chart with its own images; with the present ones if its own do not come up."""
    folder = os.environ.get("E2E_PREVIOUS")
    if not folder:
        pytest.skip("there is no commit before this one (ci/e2e sets E2E_PREVIOUS)")
    chart, images = Path(folder, "charts/isotherm"), os.environ["E2E_IMAGES"]

    def installed(purpose: str, its_images: str, timeout: str) -> Release:
        present = new_release(purpose, CHART / "ci/simulator.yaml", "--set", f"ingress.hosts={{{HOST}}}")
        values = [its_images if file == images else file for file in present.values]
        values[0] = str(chart / "ci/simulator.yaml")
        try:
            dataclasses.replace(present, values=values, chart=chart).install(timeout)
        except CommandError:
            present.uninstall()
            raise
        return present

    try:
        found = installed("upgrade", str(Path(folder, "images.yaml")), "150s")
    except CommandError as error:
        sys.stderr.write(f"The images of the commit before do not come up: {error}\n")
        found = installed("upgrade-chart", images, "5m")
    yield found
    found.uninstall()


async def test_upgrade_loses_nothing(previous: Release) -> None:
    """Under a writing load every row arrives, browsers resume without a snapshot, and the passwords stay."""
    release = previous

    def load() -> Writer:
        locations = [row[0] for row in release.query("SELECT location_id FROM weather_data ORDER BY 1")]
        with Writer(release, locations) as writer:
            eventually(lambda: len(writer.acknowledged) > 50, within_seconds=60, what="writing")
            release.upgrade("--set", "fetcher.suspend=true")
            before = dict(writer.acknowledged)
            eventually(lambda: writer.acknowledged != before, within_seconds=60, what="writing goes on")
        release.wait_until_equal()
        return writer

    passwords = [release.password(key) for key in SECRETS]
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(release.fetching_stopped())
        all_watchers = await stack.enter_async_context(watchers(5, host=HOST))
        writer = await asyncio.to_thread(load)
        stored = dict(release.query("SELECT location_id, temperature_2m FROM weather_data"))
        expected = {location: round(value * 10) for location, value in stored.items()}

        def shown() -> bool:
            maps = [{i: c.values[0] for i, c in watcher.mirror.by_id().items()} for watcher in all_watchers]
            return all(found == expected for found in maps)

        await until(shown, within_seconds=60, what="every browser shows what MySQL has")
    for watcher in all_watchers:
        assert watcher.failures == []
        assert set(watcher.modes[1:]) <= {"resumed"}
        assert set(watcher.codes) <= {CloseCode.RESTARTING, CloseCode.GOING_AWAY}
    for location in writer.acknowledged:
        assert stored[location] in writer.possible(location)
    assert [release.password(key) for key in SECRETS] == passwords
