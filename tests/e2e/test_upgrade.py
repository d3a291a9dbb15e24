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
ROLL = "web.pod.annotations.upgraded=yes,cdc.pod.annotations.upgraded=yes"
"""So that these pods are replaced even where nothing of theirs has changed."""

SECRETS = ("mysql-admin-password", "mysql-cdc-password", "mongodb-admin-password", "mongodb-web-password")


@pytest.fixture
def previous(new_release: Callable[..., Release]) -> Iterator[Release]:
    """A release of the previous chart with its own images, or of the best that there is instead of it."""
    present = os.environ["E2E_IMAGES"]
    candidates = [("the present chart and images: all that changes is an annotation of the pods", CHART, present)]
    if folder := os.environ.get("E2E_PREVIOUS"):
        chart, images = Path(folder, "charts/isotherm"), Path(folder, "images.yaml")
        candidates.insert(0, ("the previous chart with the present images", chart, present))
        if images.exists():
            candidates.insert(0, ("the previous chart and images", chart, str(images)))
    for number, (what, chart, images_file) in enumerate(candidates):
        release = new_release(f"upgrade-{number}", CHART / "ci/simulator.yaml", "--set", f"ingress.hosts={{{HOST}}}")
        values = [images_file if file == present else file for file in release.values]
        values[0] = str(chart / "ci/simulator.yaml")
        try:
            dataclasses.replace(release, values=values, chart=chart).install("3m")
        except CommandError as error:
            if number == len(candidates) - 1:
                raise
            sys.stderr.write(f"What to upgrade from does not come up, {what}: {error}\n")
            with contextlib.suppress(CommandError):  # an installation that was refused has left no release
                release.uninstall()
        else:
            sys.stderr.write(f"Upgrading from {what}\n")
            yield release
            release.uninstall()
            return


async def test_upgrade_loses_nothing(previous: Release) -> None:
    """Under a writing load every row arrives, browsers resume without a snapshot, and the passwords stay."""
    release = previous

    def load() -> Writer:
        locations = [row[0] for row in release.query("SELECT location_id FROM weather_data ORDER BY 1")]
        with Writer(release, locations) as writer:
            eventually(lambda: len(writer.acknowledged) > 50, within_seconds=60, what="writing")
            release.upgrade("--set", "fetcher.suspend=true", "--set", ROLL)
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
