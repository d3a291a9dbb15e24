"""Of each batch that leaves it is told where it comes from: in the log, and as a span."""

from __future__ import annotations

import logging

import structlog
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from isotherm_common.open_telemetry import OpenTelemetry
from isotherm_common.tracing import of_batch, of_run
from isotherm_web.assembly import Batch
from isotherm_web.events import Buried, Changed
from isotherm_web.origins import Origins, origins
from isotherm_web.telling import MOST_CAUSES, Telling


def batch(seq: int, run_id: int) -> Batch:
    """A batch of two transactions of one run, a row that a snapshot read, and a delete."""
    return Batch(
        seq,
        (
            Changed("weather_data", 1, seq, 5, {"run_id": run_id, "_cdc": {"seq": seq, "gtid": "a:1"}}),
            Changed("weather_data", 2, seq, 5, {"run_id": run_id, "_cdc.gtid": "a:2"}, partial=True),
            Changed("weather_data", 3, seq, None, {"run_id": run_id, "_cdc": {"seq": seq, "gtid": None}}),
            Changed("locations", 4, seq, None, {}),
            Buried("weather_data", 5, seq),
        ),
    )


def test_documents_say_where_they_come_from() -> None:
    """The run and the transaction, whole documents and updates alike."""
    assert origins(batch(7, 17)) == Origins(frozenset({17}), frozenset({"a:1", "a:2"}))


def test_a_broadcast_is_part_of_the_last_batch_and_because_of_the_runs() -> None:
    """What was merged into it is linked."""
    exporter = InMemorySpanExporter()
    telling = Telling(OpenTelemetry(SimpleSpanProcessor(exporter), 1.0, "web", "1"), "weather")
    telling.applied("s", batch(7, 17))
    telling.applied("s", batch(8, 18))
    with telling.broadcast(3):
        assert exporter.get_finished_spans() == ()
    with telling.broadcast(3):
        pass
    (span,) = exporter.get_finished_spans()
    last = of_batch("s", 8)
    assert span.parent is not None
    assert (span.context.trace_id, span.parent.span_id) == (last.trace_id, last.span_id)
    assert dict(span.attributes or {}) == {"seq": 8, "batches": 2, "clients": 3}
    causes = [of_run("weather", 17), of_run("weather", 18), of_batch("s", 7)]
    assert [link.context.trace_id for link in span.links] == [cause.trace_id for cause in causes]


def test_causes_are_bounded() -> None:
    """However much was merged."""
    exporter = InMemorySpanExporter()
    telling = Telling(OpenTelemetry(SimpleSpanProcessor(exporter), 1.0, "web", "1"))
    for seq in range(1, 2 * MOST_CAUSES):
        telling.applied("s", batch(seq, seq))
    with telling.broadcast(0):
        pass
    assert len(exporter.get_finished_spans()[0].links) == MOST_CAUSES


def test_the_log_names_run_transaction_and_seq() -> None:
    """At debug, where no traces are made."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        with structlog.testing.capture_logs() as lines:
            telling = Telling()
            telling.applied("s", batch(7, 17))
            with telling.broadcast(3):
                pass
    finally:
        root.setLevel(before)
    assert lines == [
        {"event": "batch_applied", "seq": 7, "gtids": ["a:1", "a:2"], "run_ids": [17], "log_level": "debug"},
        {"event": "broadcast", "first_seq": 7, "seq": 7, "clients": 3, "log_level": "debug"},
    ]


def test_nothing_is_kept_where_nobody_listens() -> None:
    """Neither traces nor debug."""
    telling = Telling()
    telling.applied("s", batch(7, 17))
    assert telling._batches == []
