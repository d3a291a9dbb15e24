"""When the writer lets a batch grow, and when it sends at once."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from isotherm_cdc.engine.writing import GROW_STEPS, Writer
from isotherm_cdc.pipeline.batch import Limits


class Waits:
    """A shutdown that notes how often it was waited for; rows come meanwhile."""

    def __init__(self, pipeline: SimpleNamespace, rows_each: int) -> None:
        self.count = 0
        self._pipeline = pipeline
        self._rows_each = rows_each

    def wait(self, _: float) -> bool:
        self.count += 1
        self._pipeline.queued_rows += self._rows_each
        self._pipeline.fills_batch = self._pipeline.queued_rows >= Limits().rows
        return False


@pytest.mark.parametrize(
    ("age_seconds", "rows", "rows_each", "waits"),
    [
        (0.0, 500, 100, 0),
        (None, 0, 100, 0),
        (60.0, 1, 1, 0),
        (60.0, 5000, 100, 0),
        (60.0, 100, 0, 1),
        (60.0, 100, 10, GROW_STEPS),
        (60.0, 100, 450, 2),
    ],
    ids=["new", "nothing there", "a trickle", "full", "no more comes", "more comes", "until it is full"],
)
def test_only_what_is_late_waits(age_seconds: float | None, rows: int, rows_each: int, waits: int) -> None:
    """A batch of new transactions never waits; one that is late does, for as long as it grows, to a bound."""
    oldest_us = None if age_seconds is None else int((time.time() - age_seconds) * 1e6)
    pipeline = SimpleNamespace(oldest_us=oldest_us, queued_rows=rows, fills_batch=rows >= Limits().rows)
    shutdown = Waits(pipeline, rows_each)
    settings = SimpleNamespace(event_failure_limit=1)
    shared: Any = SimpleNamespace(
        pipeline=pipeline, shutdown=shutdown, changed=threading.Condition(), settings=settings
    )
    Writer(shared)._let_grow()
    assert shutdown.count == waits
