"""A short run with every named point in it; `make chaos` runs as long as it is told."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from chaos.cdc.run import Chaos, Report

if TYPE_CHECKING:
    from isotherm_local.harness import Pipeline

KILLS = 50
MOST_KILLS = 150


@pytest.mark.contract("K1", "K2", "K3", "K4", "K5", "K6")
@pytest.mark.timeout(900)
def test_nothing_is_lost_or_written_twice(stack: Pipeline) -> None:
    """Killed at every named point and at random, with servers failing, the target is always a state of the source."""
    seed = os.environ.get("CHAOS_SEED") or str(time.time_ns() % 10**9)
    print(f"CHAOS_SEED={seed}")  # noqa: T201 - shown when it fails

    def enough(report: Report) -> bool:
        kills = report.kills.total()
        return kills >= KILLS and (not report.unreached or kills >= MOST_KILLS)

    report = Chaos(stack, seed, say=print).run(enough, heavy_every=18, quiet_every=25)
    print(report.text())  # noqa: T201 - shown when it fails
    assert report.kills.total() >= KILLS
    assert report.complaints() == []
