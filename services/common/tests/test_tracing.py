"""Traces: off at no cost; on, what services know in common names the spans."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from isotherm_common import tracing
from isotherm_common.open_telemetry import OpenTelemetry
from isotherm_common.process import ConfigurationError
from isotherm_common.settings import load
from isotherm_common.tracing import OFF, TracingSettings, configure, identity, of_batch, of_run

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


def in_memory(service: str, ratio: float = 1.0) -> tuple[OpenTelemetry, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    return OpenTelemetry(SimpleSpanProcessor(exporter), ratio, service, "1.0"), exporter


def ids(span: ReadableSpan) -> tuple[int, int]:
    return span.context.trace_id, span.context.span_id


def test_without_an_endpoint_nothing_is_made_and_nothing_imported() -> None:
    """The package of OpenTelemetry need not even be there."""
    assert configure(load(TracingSettings, {}), "web", "1") is OFF
    with OFF.span("anything", seq=1) as first, OFF.span("else") as second:
        first.set(rows=1)
    assert first is second
    code = "import sys, isotherm_common.tracing; sys.exit(any('opentelemetry' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_endpoint_without_the_packages_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what is missing, and how it is had."""
    monkeypatch.delitem(sys.modules, "isotherm_common.open_telemetry", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigurationError, match="extra `tracing`"):
        configure(TracingSettings(endpoint="http://127.0.0.1:4318", ratio=1.0), "web", "1")


def test_a_span_has_the_identifiers_of_its_name() -> None:
    """So that another service finds it: as a parent, or as a cause."""
    cdc, sent = in_memory("cdc")
    web, received = in_memory("web")
    with cdc.span("apply_batch", known_as=of_batch("s", 7), seq=7) as span:
        span.set(rows=3)
        with cdc.span("inner"):
            pass
    with web.span("broadcast", within=of_batch("s", 7), because_of=[of_run("weather", 17)]):
        pass
    inner, batch = sent.get_finished_spans()
    (broadcast,) = received.get_finished_spans()
    assert ids(batch) == (of_batch("s", 7).trace_id, of_batch("s", 7).span_id)
    assert batch.parent is None
    assert dict(batch.attributes or {}) == {"seq": 7, "rows": 3}
    assert inner.context.trace_id == broadcast.context.trace_id == batch.context.trace_id
    assert inner.parent is not None
    assert broadcast.parent is not None
    assert inner.parent.span_id == broadcast.parent.span_id == batch.context.span_id
    (link,) = broadcast.links
    assert link.context.trace_id == of_run("weather", 17).trace_id
    assert batch.resource.attributes["service.name"] == "isotherm-cdc"


def test_identifiers_are_used_once() -> None:
    """What goes on inside of a span that is known by name is not taken for it, and what comes after is neither."""
    made, sent = in_memory("fetcher")
    with made.span("fetch_run", known_as=of_run("weather", 1)), made.span("ask"):
        pass
    with made.span("later"):
        pass
    spans = sent.get_finished_spans()
    assert len({span.context.span_id for span in spans}) == 3
    assert [span.context.trace_id == of_run("weather", 1).trace_id for span in spans] == [True, True, False]


def test_services_keep_the_same_share() -> None:
    """Whether a trace is kept depends on its identifier alone."""
    cdc, sent = in_memory("cdc", ratio=0.5)
    web, received = in_memory("web", ratio=0.5)
    for seq in range(200):
        with cdc.span("apply_batch", known_as=of_batch("s", seq)):
            pass
        with web.span("broadcast", within=of_batch("s", seq)):
            pass
    kept = {span.context.trace_id for span in sent.get_finished_spans()}
    assert kept == {span.context.trace_id for span in received.get_finished_spans()}
    assert 50 < len(kept) < 150


def test_names_are_told_apart() -> None:
    """Neither parts nor kinds run into one another."""
    names = [identity("a", "bc"), identity("ab", "c"), of_run("weather", 1), of_batch("weather", 1)]
    assert len(set(names)) == len(names)
    assert tracing.of_run("weather", 1) == of_run("weather", 1)
