"""Each batch with rows is told of: in the log at debug, and as a span that others can name."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from isotherm_cdc.engine.writing import Writer
from isotherm_cdc.pipeline.batch import SNAPSHOT, Batch, Origin
from isotherm_common.open_telemetry import OpenTelemetry
from isotherm_common.tracing import OFF, Tracing, of_batch


def tell(batch: Batch, tracing: Tracing) -> None:
    """Say that a batch was committed as seq 7."""
    shared: Any = SimpleNamespace(tracing=tracing, settings=SimpleNamespace(event_failure_limit=1))
    checkpoint: Any = SimpleNamespace(stream="s", seq=7)
    Writer(shared)._tell(batch, checkpoint, began=1_700_000_000.0)


@pytest.fixture
def batch() -> Batch:
    """Two transactions and a row that a snapshot read."""
    made = Batch(rows=4)
    made.writes["weather.weather_data"] = {
        b"1": (b"", Origin(5, "a:1")),
        b"2": (b"", Origin(5, "a:1")),
        b"3": (None, Origin(6, "a:2")),
        b"4": (b"", SNAPSHOT),
    }
    made.add_rows("weather.log", b"5", 1, b"", Origin(7, "a:3"))
    return made


def test_a_batch_is_a_span_that_others_can_name(batch: Batch) -> None:
    """By the stream and the seq."""
    exporter = InMemorySpanExporter()
    tell(batch, OpenTelemetry(SimpleSpanProcessor(exporter), 1.0, "cdc", "1"))
    (span,) = exporter.get_finished_spans()
    assert (span.context.trace_id, span.context.span_id) == (of_batch("s", 7).trace_id, of_batch("s", 7).span_id)
    assert dict(span.attributes or {}) == {"stream": "s", "seq": 7, "gtids": "a:1,a:2,a:3", "rows": 4, "documents": 5}
    assert span.start_time == 1_700_000_000 * 10**9


def test_the_log_names_the_transactions_of_a_seq(batch: Batch) -> None:
    """At debug only: with many small batches it is much."""
    root = logging.getLogger()
    before = root.level
    try:
        with structlog.testing.capture_logs() as lines:
            root.setLevel(logging.INFO)
            tell(batch, OFF)
            root.setLevel(logging.DEBUG)
            tell(batch, OFF)
            tell(Batch(), OFF)
    finally:
        root.setLevel(before)
    (line,) = lines
    assert line == {
        "event": "batch_committed", "log_level": "debug", "seq": 7, "gtids": ["a:1", "a:2", "a:3"], "rows": 4, "documents": 5,
    }  # fmt: skip
